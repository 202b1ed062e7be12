// The product: what it and its category are called, and what it costs.

import { say } from "./language.js";
import { money } from "./numbers.js";

const spell = (name) => say.NAMES[name] ?? name.replace(/[_-]+/g, " ").replace(/^\p{Ll}/u, (c) => c.toUpperCase());

/** A category's path for people: "WOMEN/Tees_Tanks" is "Women · Tees & Tanks". */
export const categoryName = (category) => category.split("/").filter(Boolean).map(spell).join(" · ");

/** What a card says of an item: a name, and a line below it. */
export function itemName({ item_id, category, product }) {
  if (product?.title) {
    const below = [product.brand, product.color].filter(Boolean).join(" · ");
    return { title: product.title, below: below || categoryName(category) };
  }
  const name = item_id.split("/").at(-1).replace(/\.[a-z]+$/i, "");
  const numbered = name.match(/^id_0*(\d+)$/);
  const path = category.split("/").filter(Boolean).map(spell);
  if (!numbered) return { title: spell(name), below: path.join(" · ") };
  const number = say.numbered(numbered[1]);
  const title = path.pop() ?? number;
  return { title, below: [...path, number].join(" · ") };
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
