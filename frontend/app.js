// The app: what is shown is what the trail's state says; this module keeps the two together.
//
// A state is {photo, crop, category, filter, sort, like, unlike, view}: a photo kept in memory or null, a
// part of it, WHOLE or null for the part that the search chooses, a category or null, a filter
// (filter.js), an order or null for the likest first, examples (asked.js), and the key of the hit in
// the viewer or null. Without a photo something is liked. No state is the start.

import { Api } from "./api.js";
import { cleared, exampleOf, MOST_EXAMPLES, withExample } from "./asked.js";
import { CropBox, fromRegion } from "./crop-box.js";
import { showExamples } from "./examples.js";
import { acceptPhotos } from "./intake.js";
import { fillWords } from "./markup.js";
import { Memory, question } from "./memory.js";
import { More } from "./more.js";
import { Notice } from "./notice.js";
import { Photo } from "./photo.js";
import { Progress } from "./progress.js";
import { Refine } from "./refine.js";
import { drawCards, drawPlaceholders } from "./results.js";
import { ask, identity, total, WHOLE } from "./search.js";
import { Stage } from "./stage.js";
import * as say from "./strings.js";
import { OwnTrail, PageTrail } from "./trail.js";
import { Viewer } from "./viewer.js";
import { wayOut, waysOut } from "./way-out.js";

const START = { crop: null, category: null, filter: {}, sort: null, like: [], unlike: [], view: null };

export class App {
  /** Start in a root with the markup. `address` is the server's; `page` is whether the app is all of
   * the page, and not a part of a page of somebody else. */
  constructor(root, { address, page }) {
    this._part = (id) => root.getElementById(id);
    const area = page ? document : root.host; // where the keyboard, drops and pastes are the app's
    this._answer = null; // what the cards show
    this._running = new AbortController();
    this._api = new Api(address);
    this._memory = new Memory();
    this._notice = new Notice(root);
    this._progress = new Progress(root);
    this._stage = new Stage(root);
    this._trail = new (page ? PageTrail : OwnTrail)(() => {
      this._keepPlace();
      this._render({ back: true });
    });
    this._box = new CropBox(this._part("stage"), {
      moved: () => this._moved(),
      settled: (crop) => this._settled(crop),
    });
    this._refine = new Refine(root, {
      changed: (state, replace) => this._go({ ...state, view: null }, { replace }),
      count: async (state, facets) => (await this._ask(state, { facets, topK: 1 })).facets,
    });
    this._more = new More(root, {
      ask: (cursor, signal) => this._ask(this._trail.state, { cursor, signal }),
      added: (hits, asked) => this._showMore(hits, asked),
    });
    this._viewer = new Viewer(this._part("viewer"), {
      ask: (item) => this._api.item(item),
      look: (hit) => this._go({ ...this._trail.state, view: hit.key }, { replace: true, hit }),
      like: (hit) => this._compare("like", hit),
      unlike: (hit) => this._compare("unlike", hit),
      anew: (hit) => this._searchWith(hit),
      shop: (hit) => this._tellShop(hit),
      closed: () => this._trail.back(),
    });
    fillWords(root, page);
    this._listen(root, area);
    // After a reload the photos are gone; what is left of a state is what was liked, or the start.
    const { state } = this._trail;
    if (state && !this._memory.photos.has(state.photo)) {
      this._trail.replace(state.like?.length ? { ...state, photo: null, crop: null, view: null } : null);
    }
    this._render();
    this._showCatalog();
  }

  _listen(root, area) {
    acceptPhotos(root, area, {
      take: (file) => this._take(file),
      refuse: (code) => this._notice.complain(code),
    });
    this._part("cancel").addEventListener("click", () => this._cancel());
    this._part("whole").addEventListener("click", () => {
      this._box.clear();
      this._part("crop").focus({ preventScroll: true });
    });
    this._part("home").addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      if (this._trail.state) this._go(null);
    });
    area.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !this._part("cancel").hidden && !this._part("viewer").open) this._cancel();
    });
  }

  /** Show a state, and remember it as a step of the trail. */
  _go(state, { replace = false, hit } = {}) {
    this._keepPlace();
    this._trail[replace ? "replace" : "push"](state);
    this._render({ hit });
  }

  /** Remember how far the list that is shown is scrolled. */
  _keepPlace() {
    if (this._answer) this._answer.place = scrollY;
  }

  _render({ hit, back = false } = {}) {
    this._stop();
    this._notice.clear();
    const { state } = this._trail;
    const photo = (state && this._memory.photos.get(state.photo)) ?? null;
    const searching = Boolean(photo || state?.like?.length);
    this._part("start").hidden = searching;
    this._part("search").hidden = !searching;
    this._part("search").classList.toggle("alone", !photo);
    this._part("lens").classList.toggle("searching", searching);
    this._stage.show(photo);
    if (back) this._refine.close();
    if (!searching) return this._viewer.close();
    if (photo) this._showBox(state, photo);
    const known = this._memory.answers.get(question(state));
    if (known) return this._showAnswer(state, known, { hit, back });
    this._viewer.close();
    this._refine.show(state, null);
    this._find(state, photo);
  }

  // ---- the crop box

  /** The shopper's own box, or the one that the search chose. */
  _showBox({ crop }, photo) {
    this._box.show(crop === WHOLE ? null : (crop ?? photo.main ?? null));
    this._part("whole").hidden = this._box.value === null;
  }

  _moved() {
    this._stop();
    this._part("whole").hidden = this._box.value === null;
    this._part("results").classList.add("stale");
  }

  _settled(crop) {
    const now = this._trail.state;
    // The whole photo is asked for by name, unless that is what a search chooses by itself.
    const asked = crop ?? (this._memory.photos.get(now.photo).main === null ? null : WHOLE);
    // One step of the trail for all boxes on a photo: back leads to what the search chose.
    this._go({ ...now, crop: asked }, { replace: now.crop !== null });
    if (crop) this._notice.tell(say.cropped(crop.w, crop.h));
  }

  // ---- a photo comes in

  _take(file, name) {
    return this._begin(
      () => Photo.read(file, name),
      (error) => this._notice.complain(error.code ?? "unusable_photo"),
    );
  }

  /** Search with a photo of the catalog. */
  _searchWith(hit) {
    const read = async (signal) => {
      const blob = await this._api.catalogPhoto(hit.image_url, signal);
      return Photo.read(blob, say.itemName(hit).title);
    };
    return this._begin(read, (error) => {
      this._viewer.close();
      this._notice.complain(error.code ?? "internal_error", () => this._searchWith(hit));
    });
  }

  /** Look for what is more, or less, like a hit, beside all that is asked already. */
  _compare(kind, hit) {
    const { state } = this._trail;
    if ((state[kind] ?? []).length >= MOST_EXAMPLES) {
      this._viewer.close();
      return this._notice.show(...say.fullExamples(MOST_EXAMPLES));
    }
    this._go({ ...withExample(state, kind, exampleOf(hit, identity(hit))), view: null }, { replace: state.view !== null });
    this._part("results-title").scrollIntoView({ block: "nearest" });
    this._part("results-title").focus({ preventScroll: true });
  }

  /** Search with what `read` resolves to; `failed` hears why it does not. */
  async _begin(read, failed) {
    const signal = this._start(say.words.reading);
    this._notice.clear();
    try {
      const photo = await read(signal);
      if (!signal.aborted) this._beginWith(photo);
    } catch (error) {
      if (signal.aborted) return;
      this._stop();
      failed(error);
    }
  }

  _beginWith(photo) {
    this._memory.keep(photo);
    this._viewer.close();
    this._answer = null;
    this._go({ ...START, photo: photo.id });
    scrollTo({ top: 0 });
    this._part("photo-title").focus({ preventScroll: true });
  }

  // ---- a search

  /** What a state asks, or a part of it. */
  _ask(state, options) {
    const photo = this._memory.photos.get(state.photo) ?? null;
    return ask(this._api, state, photo, { signal: new AbortController().signal, ...options });
  }

  async _find(state, photo) {
    const signal = this._start(say.words.searching);
    if (!this._answer) drawPlaceholders(this._part("hits"), 8);
    this._more.show(null);
    try {
      const progress = (share) => !signal.aborted && this._progress.advance(share);
      const found = await this._ask(state, { signal, progress });
      if (signal.aborted) return;
      this._stop();
      if (photo && state.crop === null) {
        photo.main = fromRegion(found.region);
        this._showBox(state, photo);
      }
      this._memory.remember(question(state), found);
      this._showAnswer(state, found);
      const chosen = photo && state.crop === null && photo.main;
      this._notice.tell(chosen ? `${aloud(found)} ${say.chosen(chosen.w, chosen.h)}` : aloud(found));
    } catch (error) {
      if (signal.aborted) return;
      this._stop();
      this._forgetCards();
      const gone = error.code === "not_found"; // a product that is compared with
      const again = () => (gone ? this._go(withoutExamples(state), { replace: true }) : this._render());
      this._notice.complain(gone ? "example_gone" : (error.code ?? "internal_error"), again, error.message);
    }
  }

  _showAnswer(state, found, { hit, back = false } = {}) {
    this._part("results").classList.remove("stale");
    this._refine.show(state, found);
    if (this._answer !== found) {
      this._answer = found;
      this._drawCards(state, found.hits);
      this._part("results-title").textContent = titleOf(found);
      this._more.show(found);
      if (back) scrollTo({ top: found.place ?? 0 });
      if (!found.hits.length) this._showEmpty(state, found);
    }
    const looked = hit ?? found.hits.find(({ key }) => key === state.view);
    if (!state.view || !looked) return this._viewer.close();
    this._viewer.show(looked, [looked]);
  }

  _drawCards(state, hits, append = false) {
    drawCards(this._part("hits"), this._part("card"), hits, {
      append,
      ranked: !state.sort,
      on: {
        open: (hit) => this._go({ ...this._trail.state, view: hit.key }),
        like: (hit) => this._compare("like", hit),
        unlike: (hit) => this._compare("unlike", hit),
        shop: (hit) => this._tellShop(hit),
      },
    });
  }

  /** The next page has come; who pressed the button goes on with its first card. */
  _showMore(hits, asked) {
    const first = this._part("hits").children.length;
    this._drawCards(this._trail.state, hits, true);
    this._part("results-title").textContent = titleOf(this._answer);
    this._notice.tell(say.foundMore(hits.length, this._answer.hits.length));
    if (asked) this._part("hits").children[first]?.querySelector(".open").focus();
  }

  /** Say why there is nothing, and take off what leads to something. */
  async _showEmpty(state, found) {
    const ways = waysOut(state);
    if (!ways.length) {
      this._memory.answers.clear(); // what is empty now may be full in a moment
      this._notice.show(...say.emptyGallery(found.commit !== null), say.words.tryAgain, () => this._render());
      return;
    }
    const all = () => this._go(cleared(this._trail.state));
    this._notice.show(...say.emptyFiltered(ways.length), say.words.clearAll, all);
    const way = await wayOut(state, {
      known: (other) => this._memory.answers.get(question(other)),
      ask: (other) => this._ask(other, { facets: "category", topK: 1 }),
    }).catch(() => null);
    if (!way || this._answer !== found) return;
    const { items, more } = total(way.found);
    const [what, todo] = say.emptyWithout(way.text, items, more);
    this._notice.show(what, todo, say.without(way.text), () => this._go(way.state));
    this._notice.tell(`${what}. ${todo}`);
  }

  /** Tell of a click on the way to the shop, where the server keeps them. */
  _tellShop({ item_id: item }) {
    const best = this._answer?.hits.find((hit) => hit.item_id === item); // a view may not have been found
    if (best?.search_id) this._api.clicked(best.search_id, item, best.rank);
  }

  _forgetCards() {
    this._answer = null;
    this._part("hits").replaceChildren();
    this._more.show(null);
    this._part("results-title").textContent = "";
  }

  // ---- what is going on

  /** End whatever is under way, and begin something that the signal ends. */
  _start(text) {
    this._stop();
    this._running = new AbortController();
    this._progress.begin(text);
    this._notice.tell(text);
    return this._running.signal;
  }

  /** End whatever is under way, in silence. */
  _stop() {
    this._running.abort();
    this._progress.end();
    if (this._answer) this._part("results-title").textContent = titleOf(this._answer);
  }

  _cancel() {
    this._stop();
    if (!this._trail.state) return;
    if (!this._answer) this._forgetCards();
    this._part("results").classList.toggle("stale", Boolean(this._answer));
    this._notice.show(say.words.canceled, say.words.canceledDo, say.words.searchAgain, () => this._render());
    this._notice.tell(say.words.canceled);
  }

  /** What the catalog holds: its size, its categories for the filter, and a photo of each to try. */
  async _showCatalog() {
    let categories;
    try {
      categories = await this._api.categories();
    } catch {
      return; // the app works without; a search will say what is wrong
    }
    this._refine.categories.know(categories);
    const total = categories.reduce((sum, { photos }) => sum + photos, 0);
    if (!total) return;
    this._part("gallery").textContent = say.gallerySize(total);
    showExamples(this._part("examples"), categories, (hit) => this._searchWith(hit));
  }
}

function titleOf(found) {
  const { items, more } = total(found);
  return found.hits.length ? say.found(items, matchOf(found), more) : "";
}

function aloud(found) {
  const { items, more } = total(found);
  return say.foundAloud(items, matchOf(found), more);
}

/** Whether this very photo is there, or else how like it the first product is. */
const matchOf = ({ hits, match }) => (hits.some(({ exact }) => exact) ? "exact" : match);

const withoutExamples = (state) => (state.photo ? { ...state, like: [], unlike: [] } : null);
