// The products that are compared with: examples of what is wanted, and of what is not.

import { itemName } from "./product.js";

export const MOST_EXAMPLES = 10; // of each kind, as the API has it

/** Two hits that show one product have this alike. */
export const identity = ({ product, item_id }) => product?.item_group_id || product?.id || item_id;

/** A hit as an example: what the API, a chip and the next reload need of it. */
export const exampleOf = (hit) => ({
  photo: hit.photo_id,
  item: hit.item_id,
  same: identity(hit),
  title: itemName(hit).title,
  thumb: hit.thumb_url,
});

/** A state with an example more, of `kind` "like" or "unlike"; one that was the other kind's moves. */
export function withExample(state, kind, example) {
  const other = kind === "like" ? "unlike" : "like";
  const left = (examples = []) => examples.filter(({ same }) => same !== example.same);
  return { ...state, [kind]: [...left(state[kind]), example], [other]: left(state[other]) };
}
