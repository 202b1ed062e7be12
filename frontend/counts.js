// The counts: what each facet offers, remembered by what else was asked, because an answer that is
// narrowed by a color counts no other colors.

import { filterText, LISTS, withField } from "./filter.js";

const KEPT = 300;
const ANSWERED = { stock: "availability" }; // the other facets have the API's names
export const FIELDS = ["category", ...LISTS, "price", "stock"];
export const facetOf = (field) => ANSWERED[field] ?? field;

/** A state that asks for anything of a field. */
export function freed(state, field) {
  if (field === "category") return { ...state, category: null };
  return { ...state, filter: withField(state.filter ?? {}, field, null) };
}

/** Whether a state asks for something of a field. */
export const narrows = (state, field) => Boolean(field === "category" ? state.category : state.filter?.[field]);

/** What is searched for, whatever it is narrowed by. */
const sought = ({ photo, crop, like = [], unlike = [] }) =>
  JSON.stringify([photo, crop, like.map(({ photo }) => photo), unlike.map(({ photo }) => photo)]);

const asked = (state, field) =>
  JSON.stringify([field, sought(state), freed(state, field).category, filterText(freed(state, field).filter)]);

export class Counts {
  constructor() {
    this._exact = new Map(); // by field and all else that was asked
    this._widest = new Map(); // by field and what is searched for
    this.feed = false; // whether the catalog has a product file, as far as anybody knows
  }

  /** Learn from the facets of an answer. */
  learn(state, facets) {
    if (!facets) return;
    for (const field of FIELDS) {
      const counts = facets[facetOf(field)];
      if (!counts) continue;
      if (field !== "category" && counts.length) this.feed = true;
      if (!narrows(state, field)) this.put(state, field, counts);
    }
  }

  /** Keep what a facet counts where its own field is free. */
  put(state, field, counts) {
    keep(this._exact, asked(state, field), counts);
    const widest = `${field} ${sought(state)}`;
    if (counts.length >= (this._widest.get(widest)?.length ?? 0)) keep(this._widest, widest, counts);
  }

  /** What a field offers: {counts, exact}; not exact are counts of a wider search. */
  of(state, field) {
    const exact = this._exact.get(asked(state, field));
    return { counts: exact ?? this._widest.get(`${field} ${sought(state)}`) ?? [], exact: Boolean(exact) };
  }

  /** The fields that are narrowed and whose counts are not known without that. */
  missing(state) {
    return FIELDS.filter((field) => narrows(state, field) && !this._exact.has(asked(state, field)));
  }
}

function keep(map, key, value) {
  map.delete(key);
  map.set(key, value);
  if (map.size > KEPT) map.delete(map.keys().next().value);
}
