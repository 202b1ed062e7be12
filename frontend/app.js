// The app: what is shown is what the trail's state says; this module keeps the two together.
//
// A state is {item, photo, crop, category, filter, sort, like, unlike, view, viewed}: an item of the catalog,
// or null for a photo of the shopper's own; the photo's key or id, or null; a part of it, WHOLE or null
// for the part that the search chooses; a category or null; a filter (filter.js); an order or null for
// the likest first; examples (asked.js); the key of the photo in the viewer and its item, or null.
// Without a photo something is liked. No state is the start.

import { FRESH, isAlone, isOfCatalog, viewing, wholeAddress } from "./address.js";
import { aloud, bestOf, matchOf, sizeOf } from "./answer.js";
import { Api } from "./api.js";
import { exampleOf, MOST_EXAMPLES, withExample } from "./asked.js";
import { fromRegion, same } from "./boxes.js";
import { Catalog } from "./catalog.js";
import { CropBox } from "./crop-box.js";
import { Events } from "./events.js";
import { acceptChoices } from "./intake.js";
import { say } from "./language.js";
import { Listing } from "./listing.js";
import { fillWords } from "./markup.js";
import { Memory, question } from "./memory.js";
import { Notice } from "./notice.js";
import { Photo } from "./photo.js";
import { Photos } from "./photos.js";
import { Progress } from "./progress.js";
import { Recent } from "./recent.js";
import { Refine } from "./refine.js";
import { regionOf, WHOLE } from "./region.js";
import { ask, identity } from "./search.js";
import { Share } from "./share.js";
import { Stage } from "./stage.js";
import { listen, showTop } from "./surroundings.js";
import { OwnTrail, PageTrail } from "./trail.js";
import { Viewer } from "./viewer.js";
import { isNarrowed, showWayOut } from "./way-out.js";
import { Why } from "./why.js";

const GONE = ["photo_gone", "item_gone", "not_found"]; // nothing is left to search with

export class App {
  /** Start in a root with the markup. `address` is the server's; `page` is whether the app is all of
   * the page, and not a part of a page of somebody else. */
  constructor(root, { address, page }) {
    this._root = root;
    this._page = page;
    this._part = (id) => root.getElementById(id);
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
    const on = {
      like: (hit) => this._compare("like", hit),
      unlike: (hit) => this._compare("unlike", hit),
      shop: (hit) => this._tellShop(hit),
    };
    this._listing = new Listing(root, {
      ask: (cursor, signal) => this._ask(this._trail.state, { cursor, signal }),
      on: { ...on, open: (hit) => this._open(hit) },
      tell: (text) => this._notice.tell(text),
    });
    this._refine = new Refine(root, {
      changed: (state, replace) => this._go({ ...state, view: null }, { replace }),
      count: async (state, facets) => (await this._ask(state, { facets, topK: 1 })).facets,
    });
    this._viewer = new Viewer(this._part("viewer"), {
      ask: (item) => this._api.item(item),
      look: (hit) => this._go({ ...this._trail.state, ...viewing(hit) }, { replace: true, hit }),
      ...on,
      anew: (hit) => this._searchWith(hit),
      addressOf: (hit) => (page ? wholeAddress({ item: hit.item_id, photo: hit.key }) : null),
      closed: () => this._trail.back(),
    });
    this._why = new Why(this._part("viewer"), this._api);
    this._catalog = new Catalog(root, this._api, {
      known: (categories) => this._refine.categories.know(categories),
      more: (hit) => this._searchWith(hit),
      read: () => this._memory.answers.clear(), // they are of a part of it
      again: () => this._render(),
    });
    fillWords(root, page);
    this._part("home").href = page ? "/" : address;
    this._listen();
    this._render();
  }

  /** Listen to the document around, until the signal. */
  enter(signal) {
    listen(this._root, this._page, {
      take: (file) => this._take(file),
      refuse: (code) => this._complain(code),
      escape: () => !this._part("cancel").hidden && !this._part("viewer").open && this._cancel(),
      signal,
    });
    this._trail.follow(() => {
      this._listing.keepPlace();
      this._refine.close();
      this._render({ back: true });
    }, signal);
    this._catalog.enter(signal);
    this._recent.follow(signal);
    signal.addEventListener("abort", () => this._stop());
  }

  _listen() {
    acceptChoices(this._root, (file) => this._take(file));
    new Share(this._part("share"), () => {
      const title = this._photos.known(this._trail.state)?.name ?? say.words.name;
      return { title, url: wholeAddress(this._trail.state) };
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
    this._listing.keepPlace();
    this._trail[replace ? "replace" : "push"](state);
    this._render({ hit });
  }

  _render({ hit, back = false } = {}) {
    this._stop();
    this._notice.clear();
    const { state } = this._trail;
    const photo = this._photos.known(state) ?? null;
    const ready = !state || this._photos.ready(state);
    this._part("start").hidden = Boolean(state);
    this._part("search").hidden = !state;
    this._part("search").classList.toggle("alone", Boolean(state && isAlone(state)));
    this._part("lens").classList.toggle("searching", Boolean(state));
    this._part("share").parentElement.hidden = !(this._page && state && ready && isOfCatalog(state));
    this._stage.show(photo);
    this._trail.name(photo?.item ? photo.name : null);
    if (!state || !ready) this._viewer.close();
    if (!ready) return this._restore(state);
    if (this._trail.odd) this._notice.complain("odd_address");
    this._trail.odd = false;
    if (!state) return this._recent.show();
    this._photos.note(state);
    if (photo) this._showBox(state, photo);
    const known = this._memory.answers.get(question(state));
    if (known) return this._showAnswer(state, known, { hit, back });
    this._viewer.close();
    this._refine.show(state, null);
    this._find(state, photo);
  }

  /** Find what a state names that came from an address, or from before the page was loaded. */
  _restore(state) {
    this._listing.forget();
    this._listing.wait();
    return this._begin(
      (signal) => this._photos.complete(state, this._asking(signal)),
      (found) => {
        this._trail.settle(found);
        this._render();
      },
      (error) => {
        const gone = GONE.includes(error.code);
        this._listing.forget();
        // What was liked beside a photo that is gone can be searched for without it.
        const left = state.like?.length && !isAlone(state);
        if (gone) this._go(left ? { ...state, item: null, photo: null, crop: null, view: null } : null, { replace: true });
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

  /** Search with a photo of the catalog. */
  _searchWith(hit) {
    return this._begin(
      (signal) => this._photos.ofHit(hit, this._asking(signal)),
      (photo) => this._beginWith(photo),
      (error) => {
        this._viewer.close();
        this._complain(error.code ?? "internal_error", () => this._searchWith(hit));
      },
    );
  }

  /** How the server is asked for something that the shopper waits for. */
  _asking(signal) {
    return { signal, waiting: (error) => this._wait(error) };
  }

  /** Look for what is more, or less, like a hit, beside all that is asked already. */
  _compare(kind, hit) {
    const { state } = this._trail;
    if ((state[kind] ?? []).length >= MOST_EXAMPLES) {
      this._viewer.close();
      return this._notice.show(...say.fullExamples(MOST_EXAMPLES));
    }
    const asked = withExample(state, kind, exampleOf(hit, identity(hit)));
    this._go({ ...asked, view: null }, { replace: state.view !== null });
    const title = this._part("results-title");
    title.scrollIntoView({ block: "nearest" });
    title.focus({ preventScroll: true });
  }

  /** `read` what `then` goes on with; `failed` hears why there is none. */
  async _begin(read, then, failed) {
    const signal = this._start(say.words.reading);
    this._notice.clear();
    try {
      const found = await read(signal);
      if (!signal.aborted) then(found);
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
    this._listing.answer = null;
    this._go(state);
    showTop(this._root);
    this._part("photo-title").focus({ preventScroll: true });
  }

  // ---- a search

  /** What a state asks, or a part of it. */
  _ask(state, options) {
    const photo = this._photos.known(state) ?? null;
    return ask(this._api, state, photo, { signal: new AbortController().signal, ...options });
  }

  async _find(state, photo) {
    const signal = this._start(say.words.searching);
    this._listing.wait();
    try {
      const progress = (share) => !signal.aborted && this._progress.advance(share);
      const waiting = (error) => this._wait(error);
      const found = await this._ask(state, { signal, progress, waiting });
      if (signal.aborted) return;
      this._stop();
      if (photo) {
        photo.regions ??= found.regions;
        if (state.crop === null) photo.main = fromRegion(found.region);
        this._showBox(state, photo);
      }
      this._memory.remember(question(state), found);
      this._catalog.searched();
      this._showAnswer(state, found);
      this._events.searched(matchOf(found), sizeOf(found).items);
      this._notice.tell([aloud(found), photo && state.crop === null && this._chosen()].filter(Boolean).join(" "));
    } catch (error) {
      if (signal.aborted) return;
      this._stop();
      this._listing.forget();
      if (error.code === "not_found") this._complain("example_gone", () => this._withoutExamples(state));
      else this._complain(error.code ?? "internal_error", () => this._render(), error.message);
    }
  }

  _showAnswer(state, found, { hit, back = false } = {}) {
    this._part("results").classList.remove("stale");
    this._refine.show(state, found);
    if (this._listing.answer !== found) {
      this._listing.show(found, { ranked: !state.sort, back });
      if (!found.hits.length) this._showEmpty(state, found);
    }
    if (!state.view) return this._viewer.close();
    const looked = hit ?? found.hits.find(({ key }) => key === state.view);
    if (!looked) return this._lookAt(state, found);
    this._viewer.show(looked, [looked]);
    const photo = this._photos.known(state);
    this._why.offer(photo && found.explained && { hit: looked, photo, region: regionOf(state.crop) });
  }

  /** Look at a photo that the search did not find, but somebody did in the viewer. */
  async _lookAt(state, found) {
    this._viewer.close();
    const hit = await this._photos.hit(state.viewed ?? "", state.view).catch(() => null);
    const still = this._listing.answer === found && this._trail.state?.view === state.view;
    if (hit && still) this._showAnswer(state, found, { hit });
  }

  _open(hit) {
    this._go({ ...this._trail.state, ...viewing(hit) });
    this._events.opened(hit);
  }

  _showEmpty(state, found) {
    if (!isNarrowed(state)) {
      this._memory.answers.clear(); // what is empty now may be full in a moment
      this._notice.show(...say.emptyGallery(found.commit !== null), say.words.tryAgain, () => this._render());
      return;
    }
    showWayOut(state, this._notice, {
      known: (other) => this._memory.answers.get(question(other)),
      ask: (other) => this._ask(other, { facets: "category", topK: 1 }),
      go: (other) => this._go(other),
      isOver: () => this._listing.answer !== found,
    });
  }

  /** Go on without the products that were compared with. */
  _withoutExamples(state) {
    this._go(state.photo ? { ...state, like: [], unlike: [] } : null, { replace: true });
  }

  /** Tell of a click on the way to the shop, the server too where it keeps them. */
  _tellShop({ item_id: item, product }) {
    const best = bestOf(this._listing.answer, item);
    if (!best) return;
    this._events.shopped(best, product.link);
    if (best.search_id) this._api.clicked(best.search_id, item, best.rank);
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
    this._listing.title();
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
    const { answer } = this._listing;
    if (!answer) this._listing.forget();
    this._part("results").classList.toggle("stale", Boolean(answer));
    this._notice.show(say.words.canceled, say.words.canceledDo, say.words.searchAgain, () => this._render());
    this._notice.tell(say.words.canceled);
  }
}
