// The listing: an answer as it is shown, by its title, its cards and how it ends.

import { titleOf } from "./answer.js";
import { say } from "./language.js";
import { More } from "./more.js";
import { drawCards, drawPlaceholders } from "./results.js";

export class Listing {
  /** `ask` resolves to the page of a cursor, `on` hears what is done with a card (results.js), `tell`
   * what is to be heard. */
  constructor(root, { ask, on, tell }) {
    this._part = (id) => root.getElementById(id);
    this._on = on;
    this._tell = tell;
    this._more = new More(root, { ask, added: (hits, asked) => this._add(hits, asked) });
    this.answer = null; // what the cards show
  }

  /** Show an answer; `ranked` is whether the likest is first, `back` whether it was shown before. */
  show(answer, { ranked, back }) {
    this.answer = answer;
    drawCards(this._part("hits"), this._part("card"), answer.hits, { ranked, on: this._on });
    this.title();
    this._more.show(answer);
    if (back) scrollTo({ top: answer.place ?? 0 });
  }

  /** Say what the answer is, where something else was said meanwhile. */
  title() {
    if (this.answer) this._part("results-title").textContent = titleOf(this.answer);
  }

  /** Another answer is awaited; until it is there the cards stay, if there are any. */
  wait() {
    this._more.show(null);
    if (!this.answer) drawPlaceholders(this._part("hits"), 8);
  }

  forget() {
    this.answer = null;
    this._part("hits").replaceChildren();
    this._part("results-title").textContent = "";
    this._more.show(null);
  }

  /** Remember how far the page is scrolled, for who comes back. */
  keepPlace() {
    if (this.answer) this.answer.place = scrollY;
  }

  /** The next page has come; who pressed the button goes on with its first card. */
  _add(hits, asked) {
    const list = this._part("hits");
    const first = list.children.length;
    drawCards(list, this._part("card"), hits, { append: true, on: this._on });
    this.title();
    this._tell(say.foundMore(hits.length, this.answer.hits.length));
    if (asked) list.children[first]?.querySelector(".open").focus();
  }
}
