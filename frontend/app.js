// The app: what is shown is what the trail's state says; this module keeps the two together.
//
// A state is {item, photo, crop, category, view, viewed}: an item of the catalog, or null for a photo of
// the shopper's own; the photo's key or id; a part of it, WHOLE or null for the part that the search
// chooses; a category or null; the key of the photo in the viewer and its item, or null. No state is the
// start.

import { FRESH, viewing, wholeAddress } from "./address.js";
import { aloud, bestOf, matchOf, recognize, sizeOf, titleOf } from "./answer.js";
import { Api } from "./api.js";
import { fromRegion, same, toRegion } from "./boxes.js";
import { Catalog } from "./catalog.js";
import { CropBox } from "./crop-box.js";
import { Events } from "./events.js";
import { acceptChoices } from "./intake.js";
import { say } from "./language.js";
import { fillWords } from "./markup.js";
import { Memory, question } from "./memory.js";
import { Notice } from "./notice.js";
import { Photo } from "./photo.js";
import { Photos } from "./photos.js";
import { categoryName } from "./product.js";
import { Progress } from "./progress.js";
import { Recent } from "./recent.js";
import { drawCards, drawPlaceholders, Filter, fold } from "./results.js";
import { Share } from "./share.js";
import { Stage } from "./stage.js";
import { listen, showTop } from "./surroundings.js";
import { OwnTrail, PageTrail } from "./trail.js";
import { Viewer } from "./viewer.js";

const TOP_K = 60; // photos, which fold into fewer items
const WHOLE = "whole"; // as the API has it
const GONE = ["photo_gone", "item_gone", "not_found"]; // nothing is left to search with

export class App {
  /** Start in a root with the markup. `address` is the server's; `page` is whether the app is all of
   * the page, and not a part of a page of somebody else. */
  constructor(root, { address, page }) {
    this._root = root;
    this._page = page;
    this._part = (id) => root.getElementById(id);
    this._answer = null; // what the cards show
    this._running = new AbortController();
    this._api = new Api(address);
    this._events = new Events(root.host);
    this._memory = new Memory();
    this._photos = new Photos(this._api, page);
    this._recent = new Recent(this._part("recent"), this._photos, (state) => this._go(state));
    this._notice = new Notice(root);
    this._progress = new Progress(root);
    this._stage = new Stage(root);
    this._trail = new (page ? PageTrail : OwnTrail)();
    this._box = new CropBox(this._part("stage"), {
      moved: () => this._moved(),
      settled: (crop, region) => this._settled(crop, region),
    });
    this._filter = new Filter(this._part("filter"), (category) => this._go({ ...this._trail.state, category }));
    this._viewer = new Viewer(this._part("viewer"), {
      ask: (item) => this._api.item(item),
      look: (hit) => this._go({ ...this._trail.state, ...viewing(hit) }, { replace: true, hit }),
      more: (hit) => this._more(hit),
      shop: (hit) => this._tellShop(hit),
      addressOf: (hit) => (page ? wholeAddress({ item: hit.item_id, photo: hit.key }) : null),
      closed: () => this._trail.back(),
    });
    this._catalog = new Catalog(root, this._api, {
      known: (categories) => this._filter.know(categories),
      more: (hit) => this._more(hit),
      read: () => this._memory.answers.clear(), // they are of a part of it
      again: () => this._render(),
    });
    fillWords(root, page);
    this._part("home").href = page ? "/" : address;
    this._listen();
    this._render();
    this._catalog.show();
  }

  /** Listen to the document around, until the signal. */
  enter(signal) {
    listen(this._root, this._page, {
      take: (file) => this._take(file),
      refuse: (code) => this._complain(code),
      escape: () => !this._part("cancel").hidden && !this._part("viewer").open && this._cancel(),
      signal,
    });
    this._trail.follow(() => this._render(), signal);
    this._recent.follow(signal);
    signal.addEventListener("abort", () => this._stop());
  }

  _listen() {
    acceptChoices(this._root, (file) => this._take(file));
    new Share(this._part("share"), () => {
      const { name } = this._photos.known(this._trail.state);
      return { title: name, url: wholeAddress(this._trail.state) };
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
    const photo = this._photos.known(state);
    this._part("start").hidden = Boolean(state);
    this._part("search").hidden = !state;
    this._part("lens").classList.toggle("searching", Boolean(state));
    this._part("share").parentElement.hidden = !(photo?.item && this._page);
    this._stage.show(photo ?? null);
    if (!photo) this._viewer.close();
    if (state && !photo) return this._restore(state);
    if (this._trail.odd) this._notice.complain("odd_address");
    this._trail.odd = false;
    if (!state) return this._recent.show();
    this._photos.note(state);
    this._showBox(state, photo);
    const known = this._memory.answers.get(question(state));
    if (!known) this._viewer.close();
    if (known) this._showAnswer(state, known, hit);
    else this._find(state, photo);
  }

  /** Find the photo of a state that came from an address, or from before the page was loaded. */
  _restore(state) {
    this._forgetCards();
    drawPlaceholders(this._part("hits"), 8);
    return this._begin(
      (signal) => this._photos.find(state, this._asking(signal)),
      (photo) => {
        this._trail.settle({ ...state, photo: photo.id });
        this._render();
      },
      (error) => {
        const gone = GONE.includes(error.code);
        this._forgetCards();
        if (gone) this._go(null, { replace: true });
        this._complain(error.code ?? "internal_error", gone ? null : () => this._render());
      },
    );
  }

  // ---- the crop box

  /** The shopper's own box, or the one that the search chose. */
  _showBox({ crop }, photo) {
    this._box.see(photo.regions);
    this._box.show(crop === WHOLE ? null : (crop ?? photo.main ?? null));
    this._part("whole").hidden = this._box.value === null;
  }

  /** What was searched for, in words, where a search chose it. */
  _chosen() {
    const { region, value } = this._box;
    return region ? say.searchedFor(region.name) : value && say.chosen(value.w, value.h);
  }

  _moved() {
    this._stop();
    this._part("whole").hidden = this._box.value === null;
    this._part("results").classList.add("stale");
  }

  _settled(crop, region) {
    const now = this._trail.state;
    // What a search chooses by itself is not asked for by name.
    const asked = same(crop, this._photos.known(now).main) ? null : (crop ?? WHOLE);
    // One step of the trail for all boxes on a photo: back leads to what the search chose.
    this._go({ ...now, crop: asked }, { replace: now.crop !== null || asked === null });
    if (region) this._notice.tell(say.searchingFor(region.name));
    else if (crop) this._notice.tell(say.cropped(crop.w, crop.h));
  }

  // ---- a photo comes in

  _take(file, name) {
    return this._begin(
      () => Photo.read(file, name),
      (photo) => this._beginWith(photo),
      (error) => this._complain(error.code ?? "unusable_photo"),
    );
  }

  /** More like a photo of the catalog. */
  _more(hit) {
    return this._begin(
      (signal) => this._photos.ofHit(hit, this._asking(signal)),
      (photo) => this._beginWith(photo),
      (error) => {
        this._viewer.close();
        this._complain(error.code ?? "internal_error", () => this._more(hit));
      },
    );
  }

  /** How the server is asked for something that the shopper waits for. */
  _asking(signal) {
    return { signal, waiting: (error) => this._wait(error) };
  }

  /** `read` a photo for `then`; `failed` hears why there is none. */
  async _begin(read, then, failed) {
    const signal = this._start(say.words.reading);
    this._notice.clear();
    try {
      const photo = await read(signal);
      if (!signal.aborted) then(photo);
    } catch (error) {
      if (signal.aborted) return;
      this._stop();
      failed(error);
    }
  }

  _beginWith(photo) {
    const state = { ...FRESH, item: photo.item, photo: photo.id };
    this._photos.add(photo, state);
    this._viewer.close();
    this._answer = null;
    this._go(state);
    showTop(this._root);
    this._part("photo-title").focus({ preventScroll: true });
  }

  // ---- a search

  async _find(state, photo) {
    const signal = this._start(say.words.searching);
    if (!this._answer) drawPlaceholders(this._part("hits"), 8);
    try {
      const part = state.crop !== null && state.crop !== WHOLE;
      const found = await this._api.search(await photo.travelling(), {
        topK: TOP_K,
        category: state.category,
        region: part ? toRegion(state.crop) : state.crop,
        signal,
        progress: (share) => !signal.aborted && this._progress.advance(share),
        waiting: (error) => this._wait(error),
      });
      if (signal.aborted) return;
      if (!part) recognize(found, photo);
      this._stop();
      photo.regions ??= found.regions;
      if (state.crop === null) photo.main = fromRegion(found.region);
      this._showBox(state, photo);
      this._memory.remember(question(state), found);
      this._catalog.searched();
      this._showAnswer(state, found);
      this._events.searched(matchOf(found), sizeOf(found));
      this._notice.tell([aloud(found), state.crop === null && this._chosen()].filter(Boolean).join(" "));
    } catch (error) {
      if (signal.aborted) return;
      this._stop();
      this._forgetCards();
      this._complain(error.code ?? "internal_error", () => this._render(), error.message);
    }
  }

  _showAnswer(state, found, hit) {
    this._part("results").classList.remove("stale");
    this._filter.show(state.category, state.category === null ? found.hits : null);
    if (this._answer !== found) {
      this._answer = found;
      const items = fold(found.hits);
      drawCards(this._part("hits"), this._part("card"), items, {
        open: (chosen) => this._open(state, chosen),
        more: (chosen) => this._more(chosen),
      });
      this._part("results-title").textContent = titleOf(found);
      if (!items.length) this._showEmpty(state, found);
    }
    if (!state.view) return this._viewer.close();
    const looked = hit ?? found.hits.find(({ key }) => key === state.view);
    if (!looked) return this._lookAt(state, found);
    this._viewer.show(looked, found.hits.filter(({ item_id }) => item_id === looked.item_id));
  }

  /** Look at a photo that the search did not find, but somebody did in the viewer. */
  async _lookAt(state, found) {
    this._viewer.close();
    const hit = await this._photos.hit(state.viewed ?? "", state.view).catch(() => null);
    const still = this._answer === found && this._trail.state?.view === state.view;
    if (hit && still) this._showAnswer(state, found, hit);
  }

  _open(state, hit) {
    this._go({ ...state, ...viewing(hit) });
    this._events.opened(hit);
  }

  _showEmpty({ category }, found) {
    if (category !== null) {
      const [what, todo] = say.emptyCategory(categoryName(category));
      const all = () => this._go({ ...this._trail.state, category: null });
      this._notice.show(what, todo, say.words.showAll, all);
    } else {
      const [what, todo] = say.emptyGallery(found.commit !== null);
      this._memory.answers.clear(); // what is empty now may be full in a moment
      this._notice.show(what, todo, say.words.tryAgain, () => this._render());
    }
  }

  /** Tell of a click on the way to the shop, the server too where it keeps them. */
  _tellShop({ item_id: item, product }) {
    const best = bestOf(this._answer, item);
    if (!best) return;
    this._events.shopped(best, product.link);
    if (this._answer.search_id) this._api.clicked(this._answer.search_id, item, best.rank);
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

  _complain(code, again, message) {
    this._notice.complain(code, again, message);
    this._events.failed(code);
  }

  /** Say that what is under way was refused for now, and is tried again by itself. */
  _wait({ code }) {
    const text = say.waiting(code);
    this._progress.wait(text);
    this._notice.tell(text);
    this._viewer.close();
    if (!this._trail.state) this._notice.show(text, "", say.words.cancel, () => this._cancel());
  }

  _cancel() {
    this._stop();
    this._notice.clear();
    if (!this._trail.state) return;
    if (!this._answer) this._forgetCards();
    this._part("results").classList.toggle("stale", Boolean(this._answer));
    this._notice.show(say.words.canceled, say.words.canceledDo, say.words.searchAgain, () => this._render());
    this._notice.tell(say.words.canceled);
  }
}
