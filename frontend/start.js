// The start: what is shown before there is a photo, which is the catalog's size, photos of it to start
// from, and those that the shopper started from lately.

import { showExamples } from "./examples.js";
import { Recent } from "./recent.js";
import * as say from "./strings.js";

export class Start {
  /** `more` hears a hit to search with, `open` a state to go on from. */
  constructor(root, photos, { more, open }) {
    this._part = (id) => root.getElementById(id);
    this._recent = new Recent(this._part("recent"), photos, open);
    this._more = more;
  }

  show() {
    return this._recent.show();
  }

  /** Learn what the catalog holds: its categories, with a photo of each to try. */
  know(categories) {
    const total = categories.reduce((sum, { photos }) => sum + photos, 0);
    if (!total) return;
    this._part("gallery").textContent = say.gallerySize(total);
    showExamples(this._part("examples"), categories, this._more);
  }
}
