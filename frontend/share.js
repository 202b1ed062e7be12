// Sharing: a button that gives an address to the device's own way of sharing, or copies it.

import * as say from "./strings.js";

const TOLD_MS = 2_500;

export class Share {
  /** `subject` says what is shared, {title, url}. */
  constructor(button, subject) {
    this._button = button;
    this._told = button.nextElementSibling; // said to a screen reader, in a dialog too
    this._timer = 0;
    button.addEventListener("click", () => this._share(subject()));
  }

  async _share({ title, url }) {
    try {
      if (navigator.share) return await navigator.share({ title, url });
    } catch (error) {
      if (error.name === "AbortError") return; // who was asked where to, said nowhere
    }
    try {
      await navigator.clipboard.writeText(url);
      this._tell(say.words.copied);
    } catch {
      prompt(say.words.copyByHand, url); // over plain HTTP there is no clipboard
    }
  }

  _tell(text) {
    clearTimeout(this._timer);
    this._button.textContent = this._told.textContent = text;
    this._timer = setTimeout(() => {
      this._button.textContent = say.words.share;
      this._told.textContent = "";
    }, TOLD_MS);
  }
}
