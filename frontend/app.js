// The page: what is shown is what the history's state says; this module keeps the two together.
//
// A state is {photo, crop, category, view}: a photo kept in memory, a part of it, WHOLE or null for
// the part that the search chooses, a category or null, and the key of the hit in the viewer or null.
// No state is the start.

import * as api from "./api.js";
import { fromRegion, same, toRegion } from "./boxes.js";
import { CropBox } from "./crop-box.js";
import { showExamples } from "./examples.js";
import { acceptPhotos } from "./intake.js";
import { answers, keep, photos, question, remember } from "./memory.js";
import { complain, notice, tell } from "./notice.js";
import { Photo } from "./photo.js";
import { advance, busy, idle } from "./progress.js";
import { drawCards, drawPlaceholders, Filter, fold } from "./results.js";
import * as stage from "./stage.js";
import * as say from "./strings.js";
import { Viewer } from "./viewer.js";

const TOP_K = 60; // photos, which fold into fewer items
const WHOLE = "whole"; // as the API has it

const $ = (id) => document.getElementById(id);
let answer = null; // what the cards show
let running = new AbortController();

const box = new CropBox($("stage"), {
  moved() {
    stop();
    $("whole").hidden = box.value === null;
    $("results").classList.add("stale");
  },
  settled(crop, region) {
    const now = history.state;
    // What a search chooses by itself is not asked for by name.
    const asked = same(crop, photos.get(now.photo).main) ? null : (crop ?? WHOLE);
    // One step of history for all boxes on a photo: back leads to what the search chose.
    go({ ...now, crop: asked }, { replace: now.crop !== null });
    if (region) tell(say.searchedRegion(region.name));
    else if (crop) tell(say.cropped(crop.w, crop.h));
  },
});
const filter = new Filter($("filter"), (category) => go({ ...history.state, category }));
const viewer = new Viewer($("viewer"), {
  look: (hit) => go({ ...history.state, view: hit.key }, { replace: true, hit }),
  more,
  shop: tellShop,
  closed: () => history.back(),
});

fillWords();
acceptPhotos({ take: (file) => take(file), refuse: (code) => complain(code) });
$("cancel").addEventListener("click", cancel);
$("whole").addEventListener("click", () => {
  box.clear();
  $("crop").focus({ preventScroll: true });
});
$("home").addEventListener("click", (event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  if (history.state) go(null);
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !$("cancel").hidden && !$("viewer").open) cancel();
});
window.addEventListener("popstate", () => render(history.state));
// After a reload the photos are gone; an entry of the history without its photo is the start.
if (history.state && !photos.has(history.state.photo)) history.replaceState(null, "");
render(history.state);
showCatalog();

/** Show a state, and remember it as a step of the history. */
function go(state, { replace = false, hit } = {}) {
  history[replace ? "replaceState" : "pushState"](state, "");
  render(state, hit);
}

function render(state, hit) {
  stop();
  notice(null);
  const photo = state && photos.get(state.photo);
  $("start").hidden = Boolean(photo);
  $("search").hidden = !photo;
  document.body.classList.toggle("searching", Boolean(photo));
  if (!photo) {
    viewer.close();
    stage.show(null);
    return;
  }
  stage.show(photo);
  showBox(state, photo);
  const known = answers.get(question(state));
  if (!known) viewer.close();
  if (known) showAnswer(state, known, hit);
  else find(state, photo);
}

/** The shopper's own box, or the one that the search chose. */
function showBox({ crop }, photo) {
  box.see(photo.regions);
  box.show(crop === WHOLE ? null : (crop ?? photo.main ?? null));
  $("whole").hidden = box.value === null;
}

// ---- a photo comes in

async function take(file, name) {
  stop();
  const { signal } = (running = new AbortController());
  busy(say.words.reading);
  notice(null);
  try {
    const photo = await Photo.read(file, name);
    if (!signal.aborted) begin(photo);
  } catch (error) {
    if (signal.aborted) return;
    stop();
    complain(error.code ?? "unusable_photo");
  }
}

/** More like a photo of the catalog. */
async function more(hit) {
  stop();
  const { signal } = (running = new AbortController());
  busy(say.words.reading);
  notice(null);
  try {
    const blob = await api.catalogPhoto(hit.image_url, signal);
    const photo = await Photo.read(blob, say.itemName(hit).title);
    if (!signal.aborted) begin(photo);
  } catch (error) {
    if (signal.aborted) return;
    stop();
    viewer.close();
    complain(error.code ?? "internal_error", () => more(hit));
  }
}

function begin(photo) {
  keep(photo);
  viewer.close();
  answer = null;
  go({ photo: photo.id, crop: null, category: null, view: null });
  scrollTo({ top: 0 });
  $("photo-title").focus({ preventScroll: true });
}

// ---- a search

async function find(state, photo) {
  const { signal } = (running = new AbortController());
  busy(say.words.searching);
  if (!answer) drawPlaceholders($("hits"), 8);
  try {
    const part = state.crop !== null && state.crop !== WHOLE;
    const found = await api.search(await photo.travelling(), {
      topK: TOP_K,
      category: state.category,
      region: part ? toRegion(state.crop) : state.crop,
      signal,
      progress: (share) => !signal.aborted && advance(share),
    });
    if (signal.aborted) return;
    for (const hit of found.hits) {
      // The same bytes are known for certain even when a smaller copy of them was sent.
      hit.exact ||= !part && hit.photo_id === photo.contentId;
    }
    stop();
    if (!photo.regions.length) photo.regions = found.regions;
    if (state.crop === null) photo.main = fromRegion(found.region);
    showBox(state, photo);
    remember(question(state), found);
    showAnswer(state, found);
    const chosen = state.crop === null && photo.main;
    const what = chosen && (box.region ? say.searchedRegion(box.region.name) : say.chosen(chosen.w, chosen.h));
    tell(what ? `${aloud(found)} ${what}` : aloud(found));
  } catch (error) {
    if (signal.aborted) return;
    stop();
    forgetCards();
    complain(error.code ?? "internal_error", () => render(history.state), error.message);
  }
}

function showAnswer(state, found, hit) {
  $("results").classList.remove("stale");
  filter.show(state.category, state.category === null ? found.hits : null);
  if (answer !== found) {
    answer = found;
    const items = fold(found.hits);
    drawCards($("hits"), items, { open: (chosen) => go({ ...state, view: chosen.key }), more });
    $("results-title").textContent = titleOf(found);
    if (!items.length) showEmpty(state, found);
  }
  const looked = hit ?? found.hits.find(({ key }) => key === state.view);
  if (!state.view || !looked) return viewer.close();
  viewer.show(looked, found.hits.filter(({ item_id }) => item_id === looked.item_id));
}

function showEmpty({ category }, found) {
  if (category !== null) {
    const [what, todo] = say.emptyCategory(say.categoryName(category));
    notice(what, todo, say.words.showAll, () => go({ ...history.state, category: null }));
  } else {
    const [what, todo] = say.emptyGallery(found.commit !== null);
    answers.clear(); // what is empty now may be full in a moment
    notice(what, todo, say.words.tryAgain, () => render(history.state));
  }
}

/** Tell of a click on the way to the shop, where the server keeps them. */
function tellShop({ item_id: item }) {
  const best = answer?.hits.find((hit) => hit.item_id === item); // a view may not have been found
  if (answer?.search_id && best) api.clicked(answer.search_id, item, best.rank);
}

const aloud = (found) => say.foundAloud(fold(found.hits).length, matchOf(found));

function forgetCards() {
  answer = null;
  $("hits").replaceChildren();
  $("results-title").textContent = "";
}

// ---- what is going on

/** End whatever is under way, in silence. */
function stop() {
  running.abort();
  idle();
  if (answer) $("results-title").textContent = titleOf(answer);
}

const titleOf = (found) => (found.hits.length ? say.found(fold(found.hits).length, matchOf(found)) : "");

/** Whether this very photo is there, or else how like it the first product is. */
const matchOf = ({ hits, match }) => (hits[0]?.exact ? "exact" : match);

function cancel() {
  stop();
  if (!history.state) return;
  if (!answer) forgetCards();
  $("results").classList.toggle("stale", Boolean(answer));
  notice(say.words.canceled, say.words.canceledDo, say.words.searchAgain, () => render(history.state));
  tell(say.words.canceled);
}

// ---- the page itself

function fillWords() {
  document.documentElement.lang = say.language;
  for (const root of [document, ...[...document.querySelectorAll("template")].map((t) => t.content)]) {
    for (const element of root.querySelectorAll("[data-words]")) {
      element.textContent = say.words[element.dataset.words];
    }
    for (const element of root.querySelectorAll("[data-label]")) {
      element.ariaLabel = say.words[element.dataset.label];
    }
  }
}

/** What the catalog holds: its size, its categories for the filter, and a photo of each to try. */
async function showCatalog() {
  let categories;
  try {
    categories = await api.categories();
  } catch {
    return; // the page works without; a search will say what is wrong
  }
  filter.know(categories);
  const total = categories.reduce((sum, { photos }) => sum + photos, 0);
  if (!total) return;
  $("gallery").textContent = say.gallerySize(total);
  showExamples(categories, more);
}
