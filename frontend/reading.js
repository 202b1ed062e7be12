// The reading: how many photos a first indexing has read, told while it runs.

import { say } from "./language.js";
import { duration } from "./numbers.js";

const SECONDS = 3; // between two questions
const MOST_SECONDS = 60; // where nothing is read
const NEARLY_ALL = 0.9; // of the photos

export class Reading {
  /** `ask` resolves to the server's health; `grown` hears that more can be found, and whether that is
   * all; `again` that the last search is wanted once more. */
  constructor(root, { ask, grown, again }) {
    this._places = [...root.querySelectorAll(".reading")];
    this._again = root.querySelector(".reading button");
    this._ask = ask;
    this._grown = grown;
    this._timer = 0;
    this._begun = false; // that there is something to wait for
    this._ended = false;
    this._pause = SECONDS / 2;
    this._read = 0;
    this._again.addEventListener("click", again);
  }

  /** Ask now, and go on while photos are read, or none is there yet, and the page is seen; until the signal. */
  enter(signal) {
    this._ended = false;
    document.addEventListener("visibilitychange", () => this._ended || this._follow(), { signal });
    signal.addEventListener("abort", () => {
      this._ended = true;
      clearTimeout(this._timer);
    });
    this._follow();
  }

  async _follow() {
    clearTimeout(this._timer);
    if (document.hidden) return;
    const health = await this._ask().catch(() => null);
    if (this._ended) return;
    const work = health && underway(health);
    if (health && isListing(health)) {
      this._say(health.gallery?.photos ? "" : say.words.listing, "");
      this._next(SECONDS);
    } else if (work) {
      const left = work.left === null ? null : duration(work.left);
      this._say(say.readSoFar(work.read, work.all, left), say.searchedSoFar(work.read, work.all));
      if (work.read > this._read) this._grown(false);
      this._read = work.read;
      this._next(SECONDS);
    } else if (health?.status === "empty") {
      this._say("", "");
      this._next(Math.min(2 * this._pause, MOST_SECONDS)); // it may begin, or stay empty for ever
    } else {
      this._ended = true;
      this._say("", health && this._begun ? say.words.allRead : "");
      this._again.hidden = false;
      if (health && this._begun) this._grown(true);
    }
  }

  _next(seconds) {
    clearTimeout(this._timer); // the page may have been hidden and seen meanwhile
    this._begun = true;
    this._pause = seconds;
    this._timer = setTimeout(() => this._follow(), 1_000 * seconds);
  }

  /** A search was answered: if all is read, there is nothing left to tell. */
  searched() {
    if (this._ended) this._say("", "");
  }

  _say(start, results) {
    [start, results].forEach((text, n) => {
      this._places[n].hidden = !text;
      this._places[n].firstElementChild.textContent = text;
    });
    this._again.hidden = true;
  }
}

/** Whether it is not known yet how much there is to read. */
const isListing = ({ indexing, fetching }) => (fetching ?? indexing)?.state === "listing";

/** How many of all photos are read, and in how many seconds the others will be, where a first reading runs, else null: a gallery is also read anew, for
 * another model, and changed photos are read while all others can be found. */
function underway({ gallery, indexing, fetching }) {
  const work = fetching ?? indexing;
  const found = gallery?.photos ?? 0;
  if (!work || (found > work.done && found > NEARLY_ALL * work.total)) return null;
  const left = work.total - work.done;
  const all = Math.max(work.total, found + left); // it may have been stopped, and goes on
  return { read: all - left, all, left: work.seconds_left };
}
