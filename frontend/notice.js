// What the app says of itself: notices in its text, and a status for those who hear it.

import * as say from "./strings.js";

export class Notice {
  constructor(root) {
    this._root = root;
  }

  /** Say something in the text: what happened, what to do, and a button that does it. */
  show(what, todo, label, act) {
    this.clear();
    const element = this._root.getElementById("notice").content.firstElementChild.cloneNode(true);
    const button = element.querySelector("button");
    element.querySelector(".what").textContent = what;
    element.querySelector(".do").textContent = todo;
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

  /** Say what went wrong, by its code; `again` tries once more. */
  complain(code, again, message) {
    const [what, todo] = say.trouble(code, message);
    this.show(what, todo, again && say.words.tryAgain, again);
    this.tell(`${what}. ${todo}`);
    if (code === "offline" && again) window.addEventListener("online", again, { once: true });
  }

  /** Say something to a screen reader. */
  tell(text) {
    this._root.getElementById("status").textContent = text;
  }
}
