// The results: hits folded into items, drawn as cards, and the filter above them.

import * as say from "./strings.js";

const VIEWS_ON_A_CARD = 4;
const NEAR_CATEGORIES = 5;

/** Hits of one item become one entry, in the order of each item's best hit. */
export function fold(hits) {
  const items = new Map();
  for (const hit of hits) {
    const item = items.get(hit.item_id);
    if (item) item.views.push(hit);
    else items.set(hit.item_id, { best: hit, views: [hit] });
  }
  return [...items.values()];
}

/** Draw the cards, each from the template. `open` hears the hit to look closer at, `more` the hit to
 * search with. */
export function drawCards(list, template, items, { open, more }) {
  list.replaceChildren(...items.map((item, place) => card(template, item, place, open, more)));
}

/** Placeholders while the first results are awaited. */
export function drawPlaceholders(list, count) {
  const empty = document.createElement("li");
  empty.className = "card waiting";
  empty.ariaHidden = "true";
  list.replaceChildren(...Array.from({ length: count }, () => empty.cloneNode()));
}

/** How like the photo a hit is: four bars and words; nothing where nobody knows. */
export function drawMatch(place, hit) {
  const likeness = hit.exact ? { bars: 4, text: say.words.thisVeryPhoto } : say.likeness(hit.match);
  place.hidden = likeness === null;
  if (likeness === null) return;
  const { bars, text } = likeness;
  const meter = document.createElement("span");
  meter.className = "bars";
  meter.ariaHidden = "true";
  meter.append(...Array.from({ length: 4 }, (_, n) => bar(n < bars)));
  place.replaceChildren(meter, text);
  place.classList.toggle("strong", bars === 4);
}

/** What a hit's product costs; nothing where the shop does not say. */
export function drawPrice(place, product) {
  const price = say.priceOf(product);
  place.hidden = price === null;
  if (price === null) return;
  const before = document.createElement("s");
  before.textContent = price.before;
  before.title = say.words.before;
  const note = document.createElement("em");
  note.textContent = price.note;
  place.classList.toggle("sale", price.before !== "");
  place.replaceChildren(...[price.now, price.before && before, price.note && note].filter(Boolean));
}

function bar(filled) {
  const element = document.createElement("i");
  element.classList.toggle("filled", filled);
  return element;
}

/** A button with a small picture of one view. */
export function viewButton(hit, label, act) {
  const entry = document.createElement("li");
  const button = document.createElement("button");
  const image = document.createElement("img");
  button.type = "button";
  button.ariaLabel = label;
  button.addEventListener("click", act);
  Object.assign(image, { alt: "", loading: "lazy", decoding: "async", width: 48, height: 60 });
  image.src = `${hit.thumb_url}?size=128`;
  button.append(image);
  entry.append(button);
  return entry;
}

function card(template, { best, views }, place, open, more) {
  const element = template.content.firstElementChild.cloneNode(true);
  const part = (selector) => element.querySelector(selector);
  const { title, below } = say.itemName(best);
  const name = `${title}, ${below}`;
  element.dataset.item = best.item_id;
  element.classList.toggle("best", place === 0 && (best.exact || best.match === "same"));
  part(".open img").src = best.thumb_url;
  part(".open").ariaLabel = say.openLabel(name);
  part(".open").addEventListener("click", () => open(best));
  part("h2").textContent = title;
  part(".category").textContent = below;
  part(".badge").hidden = !best.exact;
  part(".badge").textContent = say.words.thisVeryPhoto;
  part(".more").ariaLabel = say.moreLabel(name);
  part(".more").addEventListener("click", () => more(best));
  drawPrice(part(".price"), best.product);
  drawMatch(part(".match"), best);
  part(".match").hidden ||= best.exact; // the badge says it
  const others = views.slice(1, 1 + VIEWS_ON_A_CARD);
  const list = part(".views");
  list.hidden = others.length === 0;
  list.append(...others.map((hit, n) => viewButton(hit, say.viewLabel(name, n + 2), () => open(hit))));
  if (views.length > others.length + 1) {
    const rest = document.createElement("li");
    rest.textContent = say.moreViews(views.length - others.length - 1);
    list.append(rest);
  }
  return element;
}

/** The categories to choose from: those of the results first, the others in a list. */
export class Filter {
  /** `chosen` hears a category, or null for everything. */
  constructor(form, chosen) {
    this._form = form;
    this._chips = form.querySelector(".chips");
    this._select = form.querySelector("select");
    this._known = [];
    this._near = [];
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("change", ({ target }) => {
      if (target.value !== "…") chosen(target.value || null);
    });
  }

  /** Learn the catalog's categories: their names and numbers of photos. */
  know(categories) {
    this._known = categories;
  }

  /** Show the choice; `hits` are an unfiltered search's, or null to keep the nearest as they are. */
  show(category, hits) {
    if (hits) this._near = [...new Set(hits.map((hit) => hit.category))].filter(Boolean).slice(0, NEAR_CATEGORIES);
    const offered = [...new Set([null, ...this._near, category])];
    const { activeElement } = this._form.getRootNode();
    const focused = this._chips.contains(activeElement) && activeElement.value;
    this._chips.replaceChildren(...offered.map((name) => this._chip(name, name === category)));
    if (focused !== false) this._chips.querySelector(":checked").focus({ preventScroll: true });
    const others = this._known.filter(({ category: name }) => name && !offered.includes(name));
    const invitation = new Option(say.words.otherCategoriesShort, "…", true, true);
    this._select.replaceChildren(
      invitation,
      ...others.map(({ category: name, photos }) => new Option(say.chip(say.categoryName(name), photos), name)),
    );
    this._select.parentElement.hidden = others.length === 0;
    this._form.hidden = offered.length + others.length < 3;
  }

  _chip(name, checked) {
    const label = document.createElement("label");
    const input = document.createElement("input");
    Object.assign(input, { type: "radio", name: "category", value: name ?? "", checked });
    label.className = "chip";
    label.append(input, name ? say.categoryName(name) : say.words.all);
    return label;
  }
}
