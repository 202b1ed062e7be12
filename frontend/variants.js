// The variants: what one product comes in, its colors and sizes, in short and to choose from.

import { say } from "./language.js";
import { make } from "./make.js";

const MOST_SWATCHES = 5;
const LETTERS = ["XXXS", "XXS", "XS", "S", "M", "L", "XL", "XXL", "XXXL"];

const unique = (values) => [...new Map(values.filter(Boolean).map((value) => [value.toLowerCase(), value])).values()];
const of = (product, field) => unique((product.variants ?? []).map((variant) => variant[field]));
const here = ({ availability }) => availability !== "out_of_stock";

/** Sizes as people know their order: letters, then numbers, then the rest as the shop has it. */
export const bySize = (sizes) => sizes.toSorted((one, other) => compare(rank(one), rank(other)));

function rank(size) {
  const letters = size.toUpperCase().replace(/^(\d)XL$/, (_, n) => `${"X".repeat(n)}L`);
  const place = LETTERS.indexOf(letters);
  if (place >= 0) return [0, place];
  const number = Number.parseFloat(size);
  return Number.isNaN(number) ? [2, 0] : [1, number];
}

const compare = (one, other) => one[0] - other[0] || one[1] - other[1];

/** Sizes in a few words: the first and the last of a row, or how many. */
function sizesInShort(sizes) {
  if (sizes.length < 2) return sizes[0] ?? "";
  const row = bySize(sizes);
  const kinds = new Set(row.map((size) => rank(size)[0]));
  return kinds.size === 1 && !kinds.has(2) ? `${row[0]}–${row.at(-1)}` : say.sizes(sizes.length);
}

/** What a product comes in, in a line; empty for one that comes in one way. */
export function drawVariants(place, product) {
  const colors = product ? of(product, "color") : [];
  const sizes = product ? sizesInShort(of(product, "size")) : "";
  const parts = [colors.length > 1 && say.colors(colors.length), sizes].filter(Boolean);
  place.hidden = parts.length === 0;
  const dots = colors.length > 1 ? swatches(colors) : null;
  place.replaceChildren(...[dots, parts.join(" · ")].filter(Boolean));
}

/** Dots in these colors; null unless the browser knows them all by name. */
function swatches(colors) {
  const dots = colors.slice(0, MOST_SWATCHES).map(swatch);
  if (!dots.every(Boolean)) return null;
  return make("span", { className: "swatches", ariaHidden: "true" }, ...dots);
}

/** A dot in a color, by its name: "Light Blue" is `lightblue`; null for a name that is none. */
export function swatch(color) {
  const name = color.toLowerCase().replace(/[\s-]+/g, "");
  if (!CSS.supports("color", name) || /[^a-z]/.test(name)) return null;
  const dot = make("i", { className: "swatch" });
  dot.style.backgroundColor = name;
  return dot;
}

/** The colors and sizes to choose from; `chosen` hears the variant. Hidden where there is no choice. */
export function drawChoice(place, product, chosen) {
  const fields = product ? ["color", "size"].filter((field) => of(product, field).length > 1) : [];
  place.hidden = fields.length === 0;
  place.replaceChildren(...fields.map((field) => group(field, product, chosen)));
}

function group(field, product, chosen) {
  const values = field === "size" ? bySize(of(product, field)) : of(product, field);
  const buttons = values.map((value) => {
    const variant = nearest(product, { [field]: value });
    const label = here(variant) ? value : say.soldOutValue(value);
    return make(
      "button",
      {
        type: "button",
        className: here(variant) ? "value" : "value gone",
        ariaLabel: label,
        ariaPressed: String(variant[field] === product[field]),
        dataset: { key: `${field}:${value}` },
        onclick: () => chosen(variant),
      },
      field === "color" ? swatch(value) : null,
      value,
    );
  });
  const title = make("p", { className: "label" }, say.FACETS[field], " ", make("b", {}, product[field]));
  const list = make("div", { className: "values", role: "group", ariaLabel: say.FACETS[field] }, ...buttons);
  return make("div", {}, title, list);
}

/** The variant with a value that otherwise is most like the one shown; one to be had before others. */
function nearest(product, wanted) {
  const [[field, value]] = Object.entries(wanted);
  const other = field === "size" ? "color" : "size";
  const likeness = (variant) => 2 * (variant[other] === product[other]) + here(variant);
  const found = product.variants.filter((variant) => variant[field].toLowerCase() === value.toLowerCase());
  return found.reduce((best, each) => (likeness(each) > likeness(best) ? each : best));
}
