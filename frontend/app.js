// The page: what is shown is what the history's state says; this module keeps the two together.
//
// A state is {photo, crop, category, view}: a photo kept in memory, a part of it or null, a
// category or null, and the key of the hit in the viewer or null. No state is the start.

import * as api from "./api.js";
import { CropBox } from "./crop-box.js";
import { acceptPhotos } from "./intake.js";
import { Photo } from "./photo.js";
import { drawCards, drawPlaceholders, Filter, fold } from "./results.js";
import * as say from "./strings.js";
import { Viewer } from "./viewer.js";

const TOP_K = 60; // photos, which fold into fewer items
const KEPT_PHOTOS = 30;
const KEPT_ANSWERS = 60;

const $ = (id) => document.getElementById(id);
const photos = new Map(); // by id, the oldest first
const answers = new Map(); // by what was asked
let shown = null; // the photo on the stage
let answer = null; // what the cards show
let running = new AbortController();

const box = new CropBox($("stage"), {
  moved() {
    stop();
    $("whole").hidden = box.value === null;
    $("results").classList.add("stale");
  },
  settled(crop) {
    const now = history.state;
    // One step of history for all boxes on a photo: back leads to the whole photo.
    go({ ...now, crop }, { replace: now.crop !== null });
    if (crop) tell(say.cropped(crop.w, crop.h));
  },
});
const filter = new Filter($("filter"), (category) => go({ ...history.state, category }));
const viewer = new Viewer($("viewer"), {
  look: (hit) => go({ ...history.state, view: hit.key }, { replace: true, hit }),
  more,
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
    show(null);
    return;
  }
  show(photo);
  box.show(state.crop);
  $("whole").hidden = state.crop === null;
  const known = answers.get(question(state));
  if (!known) viewer.close();
  if (known) showAnswer(state, known, hit);
  else find(state, photo);
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
  photos.set(photo.id, photo);
  if (photos.size > KEPT_PHOTOS) photos.delete(photos.keys().next().value);
  viewer.close();
  answer = null;
  go({ photo: photo.id, crop: null, category: null, view: null });
  scrollTo({ top: 0 });
  $("photo-title").focus({ preventScroll: true });
}

async function show(photo) {
  if (shown === photo) return;
  shown?.close();
  shown = photo;
  if (!photo) return;
  await photo.open();
  if (shown !== photo) return photo.close();
  const { canvas } = photo;
  $("stage").hidden = !canvas;
  $("crop-hint").hidden = !canvas;
  $("no-preview").hidden = Boolean(canvas);
  $("no-preview").textContent = say.noPreview(photo.name);
  if (!canvas) return;
  const preview = $("preview");
  preview.width = canvas.width;
  preview.height = canvas.height;
  preview.ariaLabel = say.photoAlt(photo.name);
  preview.getContext("2d").drawImage(canvas, 0, 0);
  // The stage keeps the photo's shape at whatever size the layout gives it.
  $("stage").style.setProperty("--shape", canvas.width / canvas.height);
}

// ---- a search

const question = ({ photo, crop, category }) => JSON.stringify([photo, crop, category]);

async function find(state, photo) {
  const { signal } = (running = new AbortController());
  busy(say.words.searching);
  if (!answer) drawPlaceholders($("hits"), 8);
  try {
    const found = await api.search(await photo.travelling(state.crop), {
      topK: TOP_K,
      category: state.category,
      signal,
      progress: (share) => !signal.aborted && advance(share),
    });
    if (signal.aborted) return;
    for (const hit of found.hits) {
      // The same bytes are known for certain even when a smaller copy of them was sent.
      hit.exact ||= state.crop === null && hit.photo_id === photo.contentId;
    }
    stop();
    remember(question(state), found);
    showAnswer(state, found);
    tell(aloud(found));
  } catch (error) {
    if (signal.aborted) return;
    stop();
    forgetCards();
    complain(error.code ?? "internal_error", () => render(history.state), error.message);
  }
}

function remember(asked, found) {
  answers.set(asked, found);
  if (answers.size > KEPT_ANSWERS) answers.delete(answers.keys().next().value);
}

function showAnswer(state, found, hit) {
  $("results").classList.remove("stale");
  filter.show(state.category, state.category === null ? found.hits : null);
  if (answer !== found) {
    answer = found;
    const items = fold(found.hits);
    drawCards($("hits"), items, { open: (chosen) => go({ ...state, view: chosen.key }), more });
    $("results-title").textContent = items.length ? say.found(items.length, items[0].best.exact) : "";
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

function aloud({ hits }) {
  const items = fold(hits);
  return say.foundAloud(items.length, items.length > 0 && items[0].best.exact);
}

function forgetCards() {
  answer = null;
  $("hits").replaceChildren();
  $("results-title").textContent = "";
}

// ---- what is going on

function busy(text) {
  document.body.classList.add("busy");
  $("results").ariaBusy = "true";
  $("results-title").textContent = text;
  $("progress").removeAttribute("value");
  $("cancel").hidden = false;
  tell(text);
}

function advance(share) {
  if (share === null || share === 1) {
    $("progress").removeAttribute("value");
    $("results-title").textContent = say.words.searching;
  } else {
    $("progress").value = share;
    $("results-title").textContent = say.sending(share);
  }
}

/** End whatever is under way, in silence. */
function stop() {
  running.abort();
  document.body.classList.remove("busy");
  $("results").ariaBusy = "false";
  $("cancel").hidden = true;
  if (answer) $("results-title").textContent = titleOf(answer);
}

const titleOf = ({ hits }) => {
  const items = fold(hits);
  return items.length ? say.found(items.length, items[0].best.exact) : "";
};

function cancel() {
  stop();
  if (!history.state) return;
  if (!answer) forgetCards();
  $("results").classList.toggle("stale", Boolean(answer));
  notice(say.words.canceled, say.words.canceledDo, say.words.searchAgain, () => render(history.state));
  tell(say.words.canceled);
}

function complain(code, again, message) {
  const [what, todo] = say.trouble(code, message);
  notice(what, todo, again && say.words.tryAgain, again);
  tell(`${what}. ${todo}`);
  if (code === "offline" && again) window.addEventListener("online", again, { once: true });
}

/** Say something in the page itself: what happened, what to do, and a button that does it. */
function notice(what, todo, label, act) {
  for (const old of document.querySelectorAll(".notice")) old.remove();
  if (!what) return;
  const element = $("notice").content.firstElementChild.cloneNode(true);
  const button = element.querySelector("button");
  element.querySelector(".what").textContent = what;
  element.querySelector(".do").textContent = todo;
  button.hidden = !act;
  button.textContent = label ?? "";
  if (act) button.addEventListener("click", act);
  document.querySelector("main > section:not([hidden]) .notice-place").append(element);
  element.scrollIntoView({ block: "nearest" });
}

function tell(text) {
  $("status").textContent = text;
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
  const list = $("examples").querySelector("ul");
  list.replaceChildren(...spread(categories, 8).map(example));
  $("examples").hidden = false;
}

/** Some of a list, evenly spread. */
const spread = (list, most) =>
  list.length <= most ? list : Array.from({ length: most }, (_, n) => list[Math.floor((n * list.length) / most)]);

function example({ category, photo }) {
  const entry = document.createElement("li");
  const button = document.createElement("button");
  const image = document.createElement("img");
  const name = document.createElement("span");
  button.type = "button";
  image.alt = "";
  image.decoding = "async";
  image.src = photo.thumb_url;
  name.textContent = category ? say.categoryName(category) : say.itemName(photo).title;
  button.append(image, name);
  button.addEventListener("click", () => more(photo));
  entry.append(button);
  return entry;
}
