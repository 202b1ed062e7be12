// The progress: whether something is under way, how far it is, and whether it can be canceled.

import * as say from "./strings.js";

export class Progress {
  constructor(root) {
    const part = (id) => root.getElementById(id);
    this._lens = part("lens");
    this._results = part("results");
    this._title = part("results-title");
    this._bar = part("progress");
    this._cancel = part("cancel");
  }

  /** Something begins: `text` says what. */
  begin(text) {
    this._lens.classList.add("busy");
    this._results.ariaBusy = "true";
    this._title.textContent = text;
    this._bar.removeAttribute("value");
    this._cancel.hidden = false;
  }

  /** This share of the photo is sent, or null while the answer is awaited. */
  advance(share) {
    if (share === null || share === 1) {
      this._bar.removeAttribute("value");
      this._title.textContent = say.words.searching;
    } else {
      this._bar.value = share;
      this._title.textContent = say.sending(share);
    }
  }

  /** Nothing is under way. */
  end() {
    this._lens.classList.remove("busy");
    this._results.ariaBusy = "false";
    this._cancel.hidden = true;
  }
}
