// The app: what is shown is what the trail's state says; this module keeps the two together.
//
// A state is {item, photo, crop, category, filter, sort, like, unlike, view, viewed}: an item of the catalog,
// or null for a photo of the shopper's own; the photo's key or id, or null; a part of it, WHOLE or null
// for the part that the search chooses; a category or null; a filter (filter.js); an order or null for
// the likest first; examples (compared.js); the key of the photo in the viewer and its item, or null.
// Without a photo something is liked. No state is the start.

import { FRESH, isAlone } from "./address.js";
import { Api } from "./api.js";
import { Catalog } from "./catalog.js";
import { Events } from "./events.js";
import { acceptChoices } from "./intake.js";
import { say } from "./language.js";
import { fillWords } from "./markup.js";
import { Memory } from "./memory.js";
import { Notice } from "./notice.js";
import { Photos } from "./photos.js";
import { Progress } from "./progress.js";
import { Recent } from "./recent.js";
import { addSearchSheets } from "./sheets.js";
import { listen, showTop } from "./surroundings.js";
import { OwnTrail, PageTrail } from "./trail.js";

const GONE = ["photo_gone", "item_gone", "not_found"]; // nothing is left to search with
const LATE = 5_000; // ms: a part of the page that takes longer is told of

export class App {
  /** Start in a root with the markup. `address` is the server's; `page` is whether the app is all of
   * the page, and not a part of a page of somebody else. */
  constructor(root, { address, page }) {
    this.root = root;
    this.page = page;
    this.part = (id) => root.getElementById(id);
    this.api = new Api(address);
    this.events = new Events(root.host);
    this.memory = new Memory();
    this.photos = new Photos(this.api, page);
    this.notice = new Notice(root);
    this.progress = new Progress(root);
    this.trail = new (page ? PageTrail : OwnTrail)();
    this.catalog = new Catalog(root, this.api, {
      known: (categories) => this._know(categories),
      more: (hit) => this.searchWith(hit),
      read: () => this.memory.answers.clear(), // they are of a part of it
      again: () => this.render(),
    });
    this._recent = new Recent(this.part("recent"), this.photos, (state) => this.go(state));
    this._running = new AbortController();
    this._categories = [];
    this._search = null; // the search view, once it was wanted
    this._loading = null;
    fillWords(root, page);
    this.part("home").href = page ? "/" : address;
    this._listen();
    this._prepare();
    this.render();
  }

  /** Listen to the document around, until the signal. */
  enter(signal) {
    listen(this.root, this.page, {
      take: (file) => this._take(file),
      refuse: (code) => this.complain(code),
      escape: () => !this.part("cancel").hidden && !this.part("viewer").open && this._cancel(),
      signal,
    });
    this.trail.follow(() => {
      this._search?.leave();
      this.render({ back: true });
    }, signal);
    this.catalog.enter(signal);
    this._recent.follow(signal);
    signal.addEventListener("abort", () => this.stop());
  }

  _listen() {
    acceptChoices(this.root, (file) => this._take(file));
    this.part("cancel").addEventListener("click", () => this._cancel());
    this.part("home").addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      if (this.trail.state) this.go(null);
    });
  }

  /** Show a state, and remember it as a step of the trail. */
  go(state, { replace = false, hit } = {}) {
    this._search?.keepPlace();
    this.trail[replace ? "replace" : "push"](state);
    this.render({ hit });
  }

  /** Show what the trail says. `hit` is what is looked at, where it is at hand; `back` is whether the
   * state was shown before. */
  render({ hit, back = false } = {}) {
    this.stop();
    this.notice.clear();
    const { state } = this.trail;
    const photo = this.photos.known(state) ?? null;
    this.part("start").hidden = Boolean(state);
    this.part("search").hidden = !state;
    this.part("lens").classList.toggle("searching", Boolean(state));
    this.trail.name(photo?.item ? photo.name : null);
    if (state && !this._search) return this._open(() => this.render({ hit, back }));
    const ready = !state || this.photos.ready(state);
    this._search?.enter(ready ? state : null, photo);
    if (!ready) return this._restore(state);
    if (this.trail.odd) this.notice.complain("odd_address");
    this.trail.odd = false;
    if (!state) return this._recent.show();
    this.photos.note(state);
    this._search.show(state, photo, { hit, back });
  }

  /** Show the search view, which is not there yet, for `then`. */
  _open(then) {
    return this.begin(
      (signal) => this._loaded(signal),
      ({ SearchView }) => {
        this._search ??= new SearchView(this, this._categories);
        then();
      },
      () => this.complain("unreachable", () => this.render()),
    );
  }

  /** The search view's module, with its sheets. */
  _load() {
    this._loading ??= Promise.all([import("./search-view.js"), addSearchSheets(this.root), import("./photo.js")]).then(([module]) => module);
    return this._loading.catch((error) => {
      this._loading = null;
      throw error;
    });
  }

  /** The same, of which the shopper hears when it is late: a connection that breaks may leave it hanging. */
  async _loaded(signal) {
    const late = () => signal.aborted || this.wait({ code: navigator.onLine ? "unreachable" : "offline" });
    const timer = setTimeout(late, LATE);
    try {
      return await this._load();
    } finally {
      clearTimeout(timer);
    }
  }

  /** A page has it at once. In a widget it waits for who comes near: most who see it never search. */
  _prepare() {
    const load = () => void this._load().catch(() => {}); // whoever needs it hears of that
    if (this.page) return load();
    for (const near of ["pointerenter", "focusin", "dragenter"]) {
      this.part("lens").addEventListener(near, load, { once: true });
    }
  }

  /** Find what a state names that came from an address, or from before the page was loaded. */
  _restore(state) {
    this._search.wait();
    return this.begin(
      (signal) => this.photos.complete(state, this.asking(signal)),
      (found) => {
        this.trail.settle(found);
        this.render();
      },
      (error) => {
        const gone = GONE.includes(error.code);
        this._search.forget();
        // What was liked beside a photo that is gone can be searched for without it.
        const left = state.like?.length && !isAlone(state);
        if (gone) this.go(left ? { ...state, item: null, photo: null, crop: null, view: null } : null, { replace: true });
        this.complain(error.code ?? "internal_error", gone ? null : () => this.render(), error);
      },
    );
  }

  // ---- a photo comes in

  _take(file, name) {
    return this.begin(
      async (signal) => {
        await this._loaded(signal).catch(() => {}); // who needs it says so
        return this.photos.read(file, name);
      },
      (photo) => this._beginWith(photo),
      (error) => this.complain(error.code ?? "unusable_photo", null, error),
    );
  }

  /** Search with a photo of the catalog. */
  searchWith(hit) {
    return this.begin(
      (signal) => this.photos.ofHit(hit, this.asking(signal)),
      (photo) => this._beginWith(photo),
      (error) => {
        this._search?.close();
        this.complain(error.code ?? "internal_error", () => this.searchWith(hit), error);
      },
    );
  }

  _beginWith(photo) {
    const state = { ...FRESH, item: photo.item, photo: photo.id };
    this.photos.add(photo, state);
    this._search?.begin();
    this.go(state);
    showTop(this.root);
    this.part("photo-title").focus({ preventScroll: true });
  }

  _know(categories) {
    this._categories = categories;
    this._search?.know(categories);
  }

  // ---- what is going on

  /** `read` what `then` goes on with; `failed` hears why there is none. */
  async begin(read, then, failed) {
    const signal = this.start(say.words.reading);
    this.notice.clear();
    try {
      const found = await read(signal);
      if (!signal.aborted) then(found);
    } catch (error) {
      if (signal.aborted) return;
      this.stop();
      failed(error);
    }
  }

  /** How the server is asked for something that the shopper waits for. */
  asking(signal) {
    return { signal, waiting: (error) => this.wait(error) };
  }

  /** End whatever is under way, and begin something that the signal ends. */
  start(text) {
    this.stop();
    this._running = new AbortController();
    this.progress.begin(text);
    this.notice.tell(text);
    return this._running.signal;
  }

  /** End whatever is under way, in silence. */
  stop() {
    this._running.abort();
    this.progress.end();
    this._search?.title();
  }

  complain(code, again, error) {
    this.notice.complain(code, again, error);
    this.events.failed(code);
  }

  /** Say that what is under way was refused for now, and is tried again by itself. */
  wait({ code }) {
    const text = say.waiting(code);
    this.progress.wait(text);
    this.notice.tell(text);
    this._search?.close();
    // The search's own button is not there yet.
    if (!this.trail.state || !this._search) this.notice.show(text, "", say.words.cancel, () => this._cancel());
  }

  _cancel() {
    this.stop();
    this.notice.clear();
    if (!this.trail.state) return;
    this._search?.cancel();
    this.notice.show(say.words.canceled, say.words.canceledDo, say.words.searchAgain, () => this.render());
    this.notice.tell(say.words.canceled);
  }
}
