// The search view: the photo that is searched with, what was found for it, and the ways to narrow that.

import { isAlone, isOfCatalog, viewing, wholeAddress } from "./address.js";
import { aloud, bestOf, matchOf, sizeOf } from "./answer.js";
import { fromRegion, same } from "./boxes.js";
import { exampleOf, MOST_EXAMPLES, withExample } from "./compared.js";
import { CropBox } from "./crop-box.js";
import { say } from "./language.js";
import { Listing } from "./listing.js";
import { question } from "./memory.js";
import { Refine } from "./refine.js";
import { regionOf, WHOLE } from "./region.js";
import { ask } from "./search.js";
import { Share } from "./share.js";
import { Stage } from "./stage.js";
import { Viewer } from "./viewer.js";
import { isNarrowed, showWayOut } from "./way-out.js";
import { Why } from "./why.js";

export class SearchView {
  constructor(app, categories) {
    const { root, page } = app;
    this._app = app;
    this._part = app.part;
    this._stage = new Stage(root);
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
      ask: (cursor, signal) => this._ask(app.trail.state, { cursor, signal }),
      on: { ...on, open: (hit) => this._look(hit) },
      tell: (text) => app.notice.tell(text),
    });
    this._refine = new Refine(root, {
      // Without a photo, and with nothing that is liked, nothing is asked.
      changed: (state, replace) =>
        app.go(isAlone(state) && !state.like?.length ? null : { ...state, view: null }, { replace }),
      count: async (state, facets) => (await this._ask(state, { facets, topK: 1 })).facets,
    });
    this._viewer = new Viewer(this._part("viewer"), {
      ask: (item) => app.api.item(item),
      look: (hit) => app.go({ ...app.trail.state, ...viewing(hit) }, { replace: true, hit }),
      ...on,
      anew: (hit) => app.searchWith(hit),
      addressOf: (hit) => (page ? wholeAddress({ item: hit.item_id, photo: hit.key }) : null),
      closed: () => app.trail.back(),
    });
    this._why = new Why(this._part("viewer"), app.api);
    new Share(this._part("share"), () => {
      const title = app.photos.known(app.trail.state)?.name ?? say.words.name;
      return { title, url: wholeAddress(app.trail.state) };
    });
    this._part("whole").addEventListener("click", () => {
      this._box.clear();
      this._part("crop").focus({ preventScroll: true });
    });
    this.know(categories);
  }

  know(categories) {
    this._refine.categories.know(categories);
  }

  /** Set the stage for a state; none while it is incomplete, or where the start is shown. */
  enter(state, photo) {
    this._part("search").classList.toggle("alone", Boolean(state && isAlone(state)));
    this._part("share").parentElement.hidden = !(this._app.page && state && isOfCatalog(state));
    this._stage.show(photo);
    if (!state) this.close();
  }

  show(state, photo, { hit, back }) {
    if (photo) this._showBox(state, photo);
    const known = this._app.memory.answers.get(question(state));
    if (known) return this._showAnswer(state, known, { hit, back });
    this.close();
    this._refine.show(state, null);
    this._find(state, photo);
  }

  /** Another photo is searched with: what is shown is of no use for it. */
  begin() {
    this.close();
    this._listing.answer = null;
  }

  /** The trail is gone along, away from what is shown. */
  leave() {
    this.keepPlace();
    this._refine.close();
  }

  keepPlace() {
    this._listing.keepPlace();
  }

  close() {
    this._viewer.close();
  }

  title() {
    this._listing.title();
  }

  /** Nothing of what is shown stays; something else is awaited. */
  wait() {
    this._listing.forget();
    this._listing.wait();
  }

  forget() {
    this._listing.forget();
  }

  cancel() {
    const { answer } = this._listing;
    if (!answer) this._listing.forget();
    this._part("results").classList.toggle("stale", Boolean(answer));
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
    this._app.stop();
    this._part("whole").hidden = this._box.value === null;
    this._part("results").classList.add("stale");
  }

  _settled(crop, region) {
    const now = this._app.trail.state;
    // What a search chooses by itself is not asked for by name.
    const asked = same(crop, this._app.photos.known(now).main) ? null : (crop ?? WHOLE);
    // One step of the trail for all boxes on a photo: back leads to what the search chose.
    this._app.go({ ...now, crop: asked }, { replace: now.crop !== null || asked === null });
    if (region) this._app.notice.tell(say.searchingFor(region.name));
    else if (crop) this._app.notice.tell(say.cropped(crop.w, crop.h));
  }

  // ---- a search

  /** What a state asks, or a part of it. */
  _ask(state, options) {
    const photo = this._app.photos.known(state) ?? null;
    return ask(this._app.api, state, photo, { signal: new AbortController().signal, ...options });
  }

  async _find(state, photo) {
    const app = this._app;
    const signal = app.start(say.words.searching);
    this._listing.wait();
    try {
      const progress = (share) => !signal.aborted && app.progress.advance(share);
      const found = await this._ask(state, { ...app.asking(signal), progress });
      if (signal.aborted) return;
      app.stop();
      if (photo) {
        photo.regions ??= found.regions;
        if (state.crop === null) photo.main = fromRegion(found.region);
        this._showBox(state, photo);
      }
      app.memory.remember(question(state), found);
      app.catalog.searched();
      this._showAnswer(state, found);
      app.events.searched(matchOf(found), sizeOf(found).items);
      app.notice.tell([aloud(found), photo && state.crop === null && this._chosen()].filter(Boolean).join(" "));
    } catch (error) {
      if (signal.aborted) return;
      app.stop();
      this._listing.forget();
      if (error.code === "not_found") app.complain("example_gone", () => this._withoutExamples(state));
      else app.complain(error.code ?? "internal_error", () => app.render(), error);
    }
  }

  _showAnswer(state, found, { hit, back = false } = {}) {
    this._part("results").classList.remove("stale");
    this._refine.show(state, found);
    if (this._listing.answer !== found) {
      this._listing.show(found, { ranked: !state.sort, back });
      if (!found.hits.length) this._showEmpty(state, found);
    }
    if (!state.view) return this.close();
    const looked = hit ?? found.hits.find(({ key }) => key === state.view);
    if (!looked) return this._lookAt(state, found);
    this._viewer.show(looked, [looked]);
    const photo = this._app.photos.known(state);
    this._why.offer(photo && found.explained && { hit: looked, photo, region: regionOf(state.crop) });
  }

  /** Look at a photo that the search did not find, but somebody did in the viewer. */
  async _lookAt(state, found) {
    this.close();
    const hit = await this._app.photos.hit(state.viewed ?? "", state.view).catch(() => null);
    const still = this._listing.answer === found && this._app.trail.state?.view === state.view;
    if (hit && still) this._showAnswer(state, found, { hit });
  }

  _look(hit) {
    this._app.go({ ...this._app.trail.state, ...viewing(hit) });
    this._app.events.opened(hit);
  }

  /** Look for what is more, or less, like a hit, beside all that is asked already. */
  _compare(kind, hit) {
    const { state } = this._app.trail;
    if ((state[kind] ?? []).length >= MOST_EXAMPLES) {
      this.close();
      return this._app.notice.show(...say.fullExamples(MOST_EXAMPLES));
    }
    const asked = withExample(state, kind, exampleOf(hit));
    this._app.go({ ...asked, view: null }, { replace: state.view !== null });
    const title = this._part("results-title");
    title.scrollIntoView({ block: "nearest" });
    title.focus({ preventScroll: true });
  }

  _showEmpty(state, found) {
    const app = this._app;
    if (!isNarrowed(state)) {
      app.memory.answers.clear(); // what is empty now may be full in a moment
      app.notice.show(...say.emptyGallery(found.commit !== null), say.words.tryAgain, () => app.render());
      return;
    }
    showWayOut(state, app.notice, {
      known: (other) => app.memory.answers.get(question(other)),
      ask: (other) => this._ask(other, { facets: "category", topK: 1 }),
      go: (other) => app.go(other),
      isOver: () => this._listing.answer !== found,
    });
  }

  /** Go on without the products that were compared with. */
  _withoutExamples(state) {
    this._app.go(state.photo ? { ...state, like: [], unlike: [] } : null, { replace: true });
  }

  /** Tell of a click on the way to the shop, the server too where it keeps them. */
  _tellShop({ item_id: item, product }) {
    const best = bestOf(this._listing.answer, item);
    if (!best) return;
    this._app.events.shopped(best, product.link);
    if (best.search_id) this._app.api.clicked(best.search_id, item, best.rank);
  }
}
