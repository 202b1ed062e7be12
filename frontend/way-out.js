// The way out of a search that finds nothing: which one thing to take off.

import { conditions, without } from "./filter.js";
import * as say from "./strings.js";

/** Of the filters and the category of a state, those that narrow it, the newest first: {text, state},
 * the state being the one without it. */
export function waysOut(state) {
  const { filter = {}, category } = state;
  const ways = conditions(filter).map((one) => ({
    text: say.condition(one),
    state: { ...state, filter: without(filter, one) },
  }));
  if (category) ways.push({ text: say.categoryName(category), state: { ...state, category: null } });
  return ways.reverse();
}

/** The way that leads to something: {text, state, found}, or null where none does. `known` has the
 * answer to a state or nothing, `ask` resolves to one. What is known is not asked for. */
export async function wayOut(state, { known, ask }) {
  const ways = waysOut(state);
  for (const way of ways) {
    const found = known(way.state);
    if (found?.hits.length) return { ...way, found };
  }
  for (const way of ways) {
    const found = known(way.state) ?? (await ask(way.state));
    if (found.hits.length) return { ...way, found };
  }
  return null;
}
