// The way out of a search that finds nothing: which one thing to take off.

import { sizeOf } from "./answer.js";
import { cleared } from "./asked.js";
import { conditions, without } from "./filter.js";
import { say } from "./language.js";
import { categoryName } from "./product.js";

/** Whether a state is narrowed, so that there is a way out. */
export const isNarrowed = ({ filter = {}, category }) => Boolean(category) || conditions(filter).length > 0;

/** Say in a notice what to take off. `known` has the answer to a state or nothing, `ask` resolves to
 * one, `go` hears the state that was chosen, `isOver` says whether something else is shown by now. */
export async function showWayOut(state, notice, { known, ask, go, isOver }) {
  const ways = waysOut(state);
  notice.show(...say.emptyFiltered(ways.length), say.words.clearAll, () => go(cleared(state)));
  const way = await wayOut(ways, known, ask).catch(() => null);
  if (!way || isOver()) return;
  const { items, more } = sizeOf(way.found);
  const [what, todo] = say.emptyWithout(way.text, items, more);
  notice.show(what, todo, say.without(way.text), () => go(way.state));
  notice.tell(`${what}. ${todo}`);
}

/** The state without each of its filters, the newest first, or without its category: {text, state}. */
function waysOut(state) {
  const { filter = {}, category } = state;
  const ways = conditions(filter).map((one) => ({
    text: say.condition(one),
    state: { ...state, filter: without(filter, one) },
  }));
  if (category) ways.push({ text: categoryName(category), state: { ...state, category: null } });
  return ways.reverse();
}

/** The way that leads to something, with what it leads to; null where none does. What is known is not
 * asked for. */
async function wayOut(ways, known, ask) {
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
