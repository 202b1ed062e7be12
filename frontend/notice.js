// What the page says of itself: notices in the page, and a status for those who hear it.

import * as say from "./strings.js";

const $ = (id) => document.getElementById(id);

/** Say something in the page itself: what happened, what to do, and a button that does it. */
export function notice(what, todo, label, act) {
  for (const old of document.querySelectorAll(".notice")) old.remove();
  if (!what) return;
  const element = $("notice").content.firstElementChild.cloneNode(true);
  const button = element.querySelector("button");
  element.querySelector(".what").textContent = what;
  element.querySelector(".do").textContent = todo;
  button.hidden = !act;
  button.textContent = label ?? "";
  if (act) button.addEventListener("click", act);
  document.querySelector("main > section:not([hidden]) .notice-place").append(element);
  element.scrollIntoView({ block: "nearest" });
}

/** Say what went wrong, by its code; `again` tries once more. */
export function complain(code, again, message) {
  const [what, todo] = say.trouble(code, message);
  notice(what, todo, again && say.words.tryAgain, again);
  tell(`${what}. ${todo}`);
  if (code === "offline" && again) window.addEventListener("online", again, { once: true });
}

/** Say something to a screen reader. */
export function tell(text) {
  $("status").textContent = text;
}
