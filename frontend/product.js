// The product: what it and its category are called, and what it costs.

import { say } from "./language.js";
import { namesOf } from "./names.js";
import { money } from "./numbers.js";

const LEVELS = 2; // of a deep category

const spell = (name) => say.NAMES[name] ?? name.replace(/[_-]+/g, " ").replace(/^\p{Ll}/u, (c) => c.toUpperCase());

/** A category's path for people: "WOMEN/Tees_Tanks" is "Women · Tees & Tanks". */
export const categoryName = (category) => category.split("/").filter(Boolean).slice(-LEVELS).map(spell).join(" · ");

/** What a card says of an item: a name, and a line below it. */
export function itemName({ item_id, category, product }) {
  if (product?.title) {
    const below = [product.brand, product.color].filter(Boolean).join(" · ");
    return { title: product.title, below: below || categoryName(category) };
  }
  const { name, code } = namesOf(item_id);
  const path = category.split("/").filter(Boolean).slice(-LEVELS).map(spell);
  if (name) return { title: name, below: path.join(" · ") };
  const number = /^\d+$/.test(code) ? say.numbered(code) : code;
  const title = path.pop() ?? (number || say.words.product);
  return { title, below: [...path, title !== number && number].filter(Boolean).join(" · ") };
}

/** A product's price for people: what is asked now, what was asked before a sale, or that it is
 * sold out; null where the shop says nothing of it. */
export function priceOf(product) {
  if (!product?.price && product?.availability !== "out_of_stock") return null;
  const { price, sale_price: sale, availability } = product;
  return {
    now: price ? money(sale ?? price) : "",
    before: sale && price ? money(price) : "",
    note: availability === "out_of_stock" ? say.words.soldOut : "",
  };
}
