// The answer of a search: what is said of it, above the cards and to a screen reader.

import { fold } from "./results.js";
import * as say from "./strings.js";

/** Whether this very photo is there, or else how like it the first product is. */
export const matchOf = ({ hits, match }) => (hits[0]?.exact ? "exact" : match);

/** How many products it has. */
export const sizeOf = ({ hits }) => fold(hits).length;

export const titleOf = (found) => (found.hits.length ? say.found(sizeOf(found), matchOf(found)) : "");

export const aloud = (found) => say.foundAloud(sizeOf(found), matchOf(found));

/** Mark the searched photo itself: its bytes are known for certain even when a smaller copy was sent. */
export function recognize({ hits }, { contentId }) {
  for (const hit of hits) hit.exact ||= hit.photo_id === contentId;
}

/** The best hit of an item, which a view of it that was looked at need not be. */
export const bestOf = (found, itemId) => found?.hits.find(({ item_id }) => item_id === itemId);
