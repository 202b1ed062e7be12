// The catalog on the page: its size, photos of it to start from, and how far a first reading is.

import { showExamples } from "./examples.js";
import { say } from "./language.js";
import { Reading } from "./reading.js";

export class Catalog {
  /** `known` hears its categories, `more` a photo of it to search with, `read` that all of it can be found
   * now, and `again` that the last search is wanted once more. */
  constructor(root, api, { known, more, read, again }) {
    this._part = (id) => root.getElementById(id);
    this._api = api;
    this._known = known;
    this._more = more;
    this._all = true; // what is found is all of it
    this._categories = 0; // how many there were to take examples of
    this._reading = new Reading(root, {
      ask: () => api.health(),
      grown: (all) => {
        this._all = all;
        if (all) read();
        this._look();
      },
      again,
    });
  }

  /** Show what it holds, and follow how it is read, until the signal. */
  async enter(signal) {
    // One after the other: where nothing runs yet, as on AWS, two questions would start two functions.
    await this._look();
    if (!signal.aborted) this._reading.enter(signal);
  }

  /** A search was answered. */
  searched() {
    this._reading.searched();
  }

  async _look() {
    let categories;
    try {
      categories = await this._api.categories();
    } catch {
      return; // the app works without; a search will say what is wrong
    }
    this._known(categories);
    const total = categories.reduce((sum, { photos }) => sum + photos, 0);
    if (!total) return;
    this._part("gallery").textContent = this._all ? say.gallerySize(total) : "";
    const examples = this._part("examples");
    if (categories.length === this._categories || examples.matches(":focus-within")) return;
    this._categories = categories.length;
    showExamples(examples, categories, this._more);
  }
}
