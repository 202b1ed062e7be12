// The recent photos: those that are kept on this device, as pictures on the start to go on with or to
// forget.

import * as say from "./strings.js";

export class Recent {
  /** `open` hears the state to go on from. */
  constructor(section, photos, open) {
    this._section = section;
    this._list = section.querySelector("ul");
    this._photos = photos;
    this._open = open;
    section.querySelector(".forget-all").addEventListener("click", () => this._forget());
  }

  /** Show them anew whenever the page is seen again, until the signal: another tab may have changed them. */
  follow(signal) {
    document.addEventListener("visibilitychange", () => document.hidden || this.show(), { signal });
  }

  async show() {
    const all = await this._photos.recent();
    this._section.hidden = all.length === 0;
    this._list.replaceChildren(...all.map((one) => this._entry(one)));
  }

  _entry({ thumb, time, state }) {
    const entry = document.createElement("li");
    const [look, forget] = ["look", "forget"].map((name) => {
      const button = document.createElement("button");
      Object.assign(button, { type: "button", className: name });
      return button;
    });
    const image = Object.assign(document.createElement("img"), { src: thumb, alt: "" });
    const when = say.ago(time);
    look.ariaLabel = say.openRecent(when);
    look.append(image);
    look.addEventListener("click", () => this._open(state));
    forget.ariaLabel = say.forgetRecent(when);
    forget.textContent = "×";
    forget.addEventListener("click", () => this._forget(state.photo, [...this._list.children].indexOf(entry)));
    const below = Object.assign(document.createElement("span"), { className: "when", textContent: when });
    entry.append(look, forget, below);
    return entry;
  }

  /** Forget one, or all; the focus goes to what is now in its place. */
  async _forget(id, place = 0) {
    await this._photos.forget(id);
    await this.show();
    const buttons = this._list.querySelectorAll(".forget");
    const next = buttons[Math.min(place, buttons.length - 1)];
    (next ?? this._section.getRootNode().getElementById("headline")).focus({ preventScroll: true });
  }
}
