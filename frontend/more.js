// More results: the next page as the end of the list comes into sight, or by a button.

import { say } from "./language.js";
import { identity } from "./compared.js";

const AHEAD = "900px"; // before the end is seen
const BY_ITSELF = 5; // pages; then the button is asked, so that the page around has an end
const MOST_TURNS = 60; // pages that are gone through until one has something new

/** Add the next page to an answer: `ask` resolves to what a cursor names, or to the first page for
 * null. Where the catalog has changed, its search begins anew: only what is not shown yet is added.
 * The hits that are new. */
export async function goOn(answer, ask) {
  const shown = new Set(answer.hits.map(identity));
  for (let turn = 0; turn < MOST_TURNS && answer.cursor; turn += 1) {
    const page = await again(answer.cursor, ask);
    const added = page.hits.filter((hit) => !shown.has(identity(hit)));
    answer.cursor = page.cursor;
    answer.search_id = page.search_id ?? answer.search_id; // a later page is of the first one's search
    for (const hit of added) hit.search_id ??= answer.search_id;
    answer.hits.push(...added);
    if (added.length) return added;
  }
  answer.cursor = null;
  return [];
}

async function again(cursor, ask) {
  try {
    return await ask(cursor);
  } catch (error) {
    if (error.code !== "search_again") throw error;
    return ask(null);
  }
}

export class More {
  /** `ask` resolves to a page of what is shown; `added` hears the hits that came. */
  constructor(root, { ask, added }) {
    this._ask = ask;
    this._added = added;
    this._list = root.getElementById("hits");
    this._end = root.getElementById("end");
    this._button = this._end.querySelector("button");
    this._text = this._end.querySelector("p");
    this._button.onclick = () => this._load(true);
    this._running = new AbortController();
    // Of a busy page a browser tells several looks at once: the last one is how it is now.
    this._seen = new IntersectionObserver(
      (looks) => looks.at(-1).isIntersecting && this._pages < BY_ITSELF && this._load(false),
      { rootMargin: AHEAD },
    );
  }

  /** Show how an answer's list ends; null for no list. */
  show(answer) {
    if (answer !== this._answer) {
      this._running.abort();
      this._running = new AbortController();
      this._pages = 0;
    }
    this._answer = answer;
    this._draw();
  }

  _draw(label = say.words.showMore) {
    const { hits, cursor } = this._answer ?? { hits: [], cursor: null };
    const loading = label === say.words.loadingMore;
    this._list.ariaBusy = String(loading);
    this._end.hidden = hits.length === 0;
    this._button.hidden = !cursor;
    this._button.ariaDisabled = String(loading);
    this._button.textContent = label;
    this._text.hidden = Boolean(cursor);
    this._text.textContent = say.endOfList(hits.length);
    this._seen.disconnect();
    // Told again where the end is, although it may still be in sight.
    if (cursor && label === say.words.showMore) this._seen.observe(this._end);
  }

  async _load(asked) {
    const answer = this._answer;
    const { signal } = this._running;
    if (!answer?.cursor || this._list.ariaBusy === "true") return;
    this._pages = asked ? 0 : this._pages + 1;
    this._draw(say.words.loadingMore);
    try {
      const added = await goOn(answer, (cursor) => this._ask(cursor, signal));
      if (signal.aborted) return;
      this._added(added, asked);
      this._draw();
    } catch {
      if (!signal.aborted) this._draw(say.words.pageAgain);
    }
  }
}
