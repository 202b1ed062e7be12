// What the app says of itself: notices in its text, and a status for those who hear it.

import { say } from "./language.js";

export class Notice {
  constructor(root) {
    this._root = root;
  }

  /** Say something in the text: what happened, what to do, a button that does it, and in small what to
   * name to the shop. */
  show(what, todo, label, act, small = "") {
    this.clear();
    const element = this._root.getElementById("notice").content.firstElementChild.cloneNode(true);
    const button = element.querySelector("button");
    element.querySelector(".what").textContent = what;
    element.querySelector(".do").textContent = todo;
    element.querySelector(".reference").textContent = small;
    button.hidden = !act;
    button.textContent = label ?? "";
    if (act) button.addEventListener("click", act);
    this._root.querySelector(".main > section:not([hidden]) .notice-place").append(element);
    element.scrollIntoView({ block: "nearest" });
  }

  /** Take back what was said. */
  clear() {
    for (const old of this._root.querySelectorAll(".notice")) old.remove();
  }

  /** Say what went wrong, by its code and what else is known of it; `again` tries once more. */
  complain(code, again, { message, reference } = {}) {
    const [what, todo] = troubleOf(code, message);
    this.show(what, todo, again && say.words.tryAgain, again, reference && say.reference(reference));
    this.tell(`${what}. ${todo}`);
  }

  /** Say something to a screen reader. */
  tell(text) {
    this._root.getElementById("status").textContent = text;
  }
}

/** What happened and what to do. Of a code without words the server speaks, which it does in English. */
function troubleOf(code, message) {
  const [what, todo] = say.TROUBLES.internal_error;
  const told = say.language === "en" && message ? message.charAt(0).toUpperCase() + message.slice(1) : what;
  return say.TROUBLES[code] ?? [told, todo];
}
