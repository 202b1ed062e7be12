// The app: what is shown is what the trail's state says; this module keeps the two together.
//
// A state is {photo, crop, category, view}: a photo kept in memory, a part of it, WHOLE or null for
// the part that the search chooses, a category or null, and the key of the hit in the viewer or null.
// No state is the start.

import { Api } from "./api.js";
import { CropBox, fromRegion } from "./crop-box.js";
import { showExamples } from "./examples.js";
import { acceptPhotos } from "./intake.js";
import { fillWords } from "./markup.js";
import { Memory, question } from "./memory.js";
import { Notice } from "./notice.js";
import { Photo } from "./photo.js";
import { Progress } from "./progress.js";
import { isPart, regionOf, WHOLE } from "./region.js";
import { drawCards, drawPlaceholders, Filter, fold } from "./results.js";
import { Stage } from "./stage.js";
import * as say from "./strings.js";
import { OwnTrail, PageTrail } from "./trail.js";
import { Viewer } from "./viewer.js";
import { Why } from "./why.js";

const TOP_K = 60; // photos, which fold into fewer items

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
    this._trail = new (page ? PageTrail : OwnTrail)(() => this._render());
    this._box = new CropBox(this._part("stage"), {
      moved: () => this._moved(),
      settled: (crop) => this._settled(crop),
    });
    this._filter = new Filter(this._part("filter"), (category) => this._go({ ...this._trail.state, category }));
    this._viewer = new Viewer(this._part("viewer"), {
      ask: (item) => this._api.item(item),
      look: (hit) => this._go({ ...this._trail.state, view: hit.key }, { replace: true, hit }),
      more: (hit) => this._more(hit),
      shop: (hit) => this._tellShop(hit),
      closed: () => this._trail.back(),
    });
    this._why = new Why(this._part("viewer"), this._api);
    fillWords(root, page);
    this._listen(root, area);
    // After a reload the photos are gone; an entry of the history without its photo is the start.
    const { state } = this._trail;
    if (state && !this._memory.photos.has(state.photo)) this._trail.replace(null);
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
    this._trail[replace ? "replace" : "push"](state);
    this._render(hit);
  }

  _render(hit) {
    this._stop();
    this._notice.clear();
    const { state } = this._trail;
    const photo = state && this._memory.photos.get(state.photo);
    this._part("start").hidden = Boolean(photo);
    this._part("search").hidden = !photo;
    this._part("lens").classList.toggle("searching", Boolean(photo));
    this._stage.show(photo ?? null);
    if (!photo) return this._viewer.close();
    this._showBox(state, photo);
    const known = this._memory.answers.get(question(state));
    if (!known) this._viewer.close();
    if (known) this._showAnswer(state, known, hit);
    else this._find(state, photo);
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

  /** More like a photo of the catalog. */
  _more(hit) {
    const read = async (signal) => {
      const blob = await this._api.catalogPhoto(hit.image_url, signal);
      return Photo.read(blob, say.itemName(hit).title);
    };
    return this._begin(read, (error) => {
      this._viewer.close();
      this._notice.complain(error.code ?? "internal_error", () => this._more(hit));
    });
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
    this._go({ photo: photo.id, crop: null, category: null, view: null });
    scrollTo({ top: 0 });
    this._part("photo-title").focus({ preventScroll: true });
  }

  // ---- a search

  async _find(state, photo) {
    const signal = this._start(say.words.searching);
    if (!this._answer) drawPlaceholders(this._part("hits"), 8);
    try {
      const found = await this._api.search(await photo.travelling(), {
        topK: TOP_K,
        category: state.category,
        region: regionOf(state.crop),
        signal,
        progress: (share) => !signal.aborted && this._progress.advance(share),
      });
      if (signal.aborted) return;
      for (const hit of found.hits) {
        // The same bytes are known for certain even when a smaller copy of them was sent.
        hit.exact ||= !isPart(state.crop) && hit.photo_id === photo.contentId;
      }
      this._stop();
      if (state.crop === null) {
        photo.main = fromRegion(found.region);
        this._showBox(state, photo);
      }
      this._memory.remember(question(state), found);
      this._showAnswer(state, found);
      const chosen = state.crop === null && photo.main;
      this._notice.tell(chosen ? `${aloud(found)} ${say.chosen(chosen.w, chosen.h)}` : aloud(found));
    } catch (error) {
      if (signal.aborted) return;
      this._stop();
      this._forgetCards();
      this._notice.complain(error.code ?? "internal_error", () => this._render(), error.message);
    }
  }

  _showAnswer(state, found, hit) {
    this._part("results").classList.remove("stale");
    this._filter.show(state.category, state.category === null ? found.hits : null);
    if (this._answer !== found) {
      this._answer = found;
      const items = fold(found.hits);
      drawCards(this._part("hits"), this._part("card"), items, {
        open: (chosen) => this._go({ ...state, view: chosen.key }),
        more: (chosen) => this._more(chosen),
      });
      this._part("results-title").textContent = titleOf(found);
      if (!items.length) this._showEmpty(state, found);
    }
    const looked = hit ?? found.hits.find(({ key }) => key === state.view);
    if (!state.view || !looked) return this._viewer.close();
    this._viewer.show(looked, found.hits.filter(({ item_id }) => item_id === looked.item_id));
    const photo = this._memory.photos.get(state.photo);
    this._why.offer(found.explained && { hit: looked, photo, region: regionOf(state.crop) });
  }

  _showEmpty({ category }, found) {
    if (category !== null) {
      const [what, todo] = say.emptyCategory(say.categoryName(category));
      const all = () => this._go({ ...this._trail.state, category: null });
      this._notice.show(what, todo, say.words.showAll, all);
    } else {
      const [what, todo] = say.emptyGallery(found.commit !== null);
      this._memory.answers.clear(); // what is empty now may be full in a moment
      this._notice.show(what, todo, say.words.tryAgain, () => this._render());
    }
  }

  /** Tell of a click on the way to the shop, where the server keeps them. */
  _tellShop({ item_id: item }) {
    const answer = this._answer;
    const best = answer?.hits.find((hit) => hit.item_id === item); // a view may not have been found
    if (answer?.search_id && best) this._api.clicked(answer.search_id, item, best.rank);
  }

  _forgetCards() {
    this._answer = null;
    this._part("hits").replaceChildren();
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
    this._filter.know(categories);
    const total = categories.reduce((sum, { photos }) => sum + photos, 0);
    if (!total) return;
    this._part("gallery").textContent = say.gallerySize(total);
    showExamples(this._part("examples"), categories, (hit) => this._more(hit));
  }
}

const titleOf = (found) => (found.hits.length ? say.found(fold(found.hits).length, matchOf(found)) : "");

const aloud = (found) => say.foundAloud(fold(found.hits).length, matchOf(found));

/** Whether this very photo is there, or else how like it the first product is. */
const matchOf = ({ hits, match }) => (hits[0]?.exact ? "exact" : match);
