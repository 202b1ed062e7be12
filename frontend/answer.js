// The answer of a search: what is said of it, above the cards and to a screen reader.

import { say } from "./language.js";

const COUNTED = 200; // products, over which the API counts facets

/** Whether this very photo is there, or else how like it the likest product is. */
export const matchOf = ({ hits, match }) => (hits.some(({ exact }) => exact) ? "exact" : match);

/** How many products it has: {items, more}, `more` where there are more than so many. */
export function sizeOf({ hits, cursor, facets }) {
  if (!cursor) return { items: hits.length, more: false };
  const counted = (facets?.category ?? []).reduce((sum, { items }) => sum + items, 0);
  return counted >= hits.length && counted < COUNTED
    ? { items: counted, more: false }
    : { items: Math.max(counted, hits.length), more: true };
}

export function titleOf(found) {
  const { items, more } = sizeOf(found);
  return found.hits.length ? say.found(items, matchOf(found), more) : "";
}

export function aloud(found) {
  const { items, more } = sizeOf(found);
  return say.foundAloud(items, matchOf(found), more);
}

/** Mark the searched photo itself: its bytes are known for certain even when a smaller copy was sent. */
export function recognize({ hits }, { contentId }) {
  for (const hit of hits) hit.exact ||= hit.photo_id === contentId;
}

/** The best hit of an item, which a view of it that was looked at need not be. */
export const bestOf = (found, itemId) => found?.hits.find(({ item_id }) => item_id === itemId);
