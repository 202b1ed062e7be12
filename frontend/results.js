// The results: the list of cards, each with a product that was found.

import { say } from "./language.js";
import { make } from "./make.js";
import { itemName, priceOf } from "./product.js";
import { drawVariants } from "./variants.js";

const BARS = { same: 4, very_similar: 3, similar_style: 2, none: 1 }; // of four
const MIDDLE = 1; // the mouse's button that opens a new tab

/** Draw the cards of hits, each from the template, in place of what is there or after it. Of `on`,
 * `open` hears the hit to look closer at, `like` and `unlike` the one that is, or is not, what is
 * wanted, and `shop` the one that was asked for at the shop. `ranked` is whether the likest is first. */
export function drawCards(list, template, hits, { append = false, ranked = true, on }) {
  const cards = hits.map((hit, place) => card(template, hit, ranked && place === 0 && !append, on));
  if (append) list.append(...cards);
  else list.replaceChildren(...cards);
}

/** Placeholders while the first results are awaited. */
export function drawPlaceholders(list, count) {
  const empty = () => make("li", { className: "card waiting", ariaHidden: "true" });
  list.replaceChildren(...Array.from({ length: count }, empty));
}

const likenessOf = (match) => (BARS[match] ? { bars: BARS[match], text: say.DEGREES[match] } : null);

/** How like the photo a hit is: four bars and words; nothing where nobody knows. */
export function drawMatch(place, hit) {
  const likeness = hit.exact ? { bars: 4, text: say.words.thisVeryPhoto } : likenessOf(hit.match);
  place.hidden = likeness === null;
  if (likeness === null) return;
  const { bars, text } = likeness;
  const each = Array.from({ length: 4 }, (_, n) => make("i", { className: n < bars ? "filled" : "" }));
  place.replaceChildren(make("span", { className: "bars", ariaHidden: "true" }, ...each), text);
  place.classList.toggle("strong", bars === 4);
}

/** What a hit's product costs; nothing where the shop does not say. */
export function drawPrice(place, product) {
  const price = priceOf(product);
  place.hidden = price === null;
  if (price === null) return;
  const unseen = (text) => make("span", { className: "unseen" }, text);
  const parts = price.before
    ? [unseen(say.words.sale), make("b", {}, price.now), unseen(say.words.before), make("s", {}, price.before)]
    : [price.now];
  place.classList.toggle("sale", price.before !== "");
  place.replaceChildren(...parts.filter(Boolean), price.note && make("em", {}, price.note));
}

/** A button with a small picture of one view. */
export function viewButton(hit, label, act) {
  const image = make("img", { alt: "", loading: "lazy", decoding: "async", width: 48, height: 60 });
  image.src = `${hit.thumb_url}?size=128`;
  return make("li", {}, make("button", { type: "button", ariaLabel: label, onclick: act }, image));
}

/** A link to the product at the shop, hidden where there is none; `asked` hears that it was followed. */
export function drawShop(link, product, asked) {
  link.hidden = !product?.link;
  link.href = product?.link || "";
  link.onclick = asked;
  link.onauxclick = ({ button }) => button === MIDDLE && asked();
}

function card(template, hit, first, on) {
  const element = template.content.firstElementChild.cloneNode(true);
  const part = (selector) => element.querySelector(selector);
  const { product } = hit;
  const { title, below } = itemName(hit);
  const name = `${title}, ${below}`;
  const soldOut = product?.availability === "out_of_stock";
  element.dataset.item = hit.item_id;
  element.classList.toggle("best", first && (hit.exact || hit.match === "same"));
  element.classList.toggle("gone", soldOut);
  drawPictures(part, hit);
  part(".open").ariaLabel = say.openLabel(name);
  part(".open").onclick = () => on.open(hit);
  part("h2").textContent = title;
  part(".category").textContent = below;
  part(".badge").hidden = !hit.exact && !soldOut;
  part(".badge").textContent = hit.exact ? say.words.thisVeryPhoto : say.words.soldOut;
  for (const [selector, label, act] of [
    [".more", say.moreLabel(name), on.like],
    [".less", say.lessLabel(name), on.unlike],
  ]) {
    Object.assign(part(selector), { ariaLabel: label, onclick: () => act(hit) });
  }
  drawPrice(part(".price"), product);
  drawVariants(part(".variants"), product);
  drawMatch(part(".match"), hit);
  part(".match").hidden ||= hit.exact; // the badge says it
  part(".shop").ariaLabel = say.shopLabel(title);
  drawShop(part(".shop"), product, () => on.shop(hit));
  return element;
}

/** The product's face, and small beside it the photo that was found where that is another one. */
function drawPictures(part, { face, thumb_url: found }) {
  part(".open img").src = face?.thumb_url ?? found;
  if (!face || face.thumb_url === found) return part(".found").remove();
  Object.assign(part(".found"), { src: `${found}?size=128`, alt: say.foundPhotoAlt });
}
