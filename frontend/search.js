// The search: what a state of the trail asks the API, and the answer as the app keeps it.

import { recognize } from "./answer.js";
import { identity } from "./compared.js";
import { FIELDS, facetOf } from "./counts.js";
import { filterText } from "./filter.js";
import { isPart, regionOf } from "./region.js";

const PAGE = 24; // products
const ALL_FACETS = FIELDS.map(facetOf).join();

/** Ask what a state asks: its first page, or the one that a cursor names. `facets` and `topK` are
 * other ones, for counts alone. */
export async function ask(api, state, photo, { cursor, facets, topK = PAGE, signal, waiting, progress = () => {} }) {
  const { crop, category, filter, sort, like = [], unlike = [] } = state;
  const found = await api.search(photo && (await photo.travelling()), {
    fields: {
      top_k: topK,
      group: "item",
      category,
      region: photo && regionOf(crop),
      filter: filterText(filter),
      sort,
      // A photo is liked as it looks, in its own color; what is not liked goes with all its photos.
      like: like.map(({ photo: id }) => id),
      unlike: unlike.map(({ item }) => item),
      facets: cursor ? null : (facets ?? ALL_FACETS),
      cursor,
    },
    signal,
    progress,
    waiting,
  });
  const liked = new Set(like.map(({ same }) => same));
  found.hits = found.hits.filter((hit) => !liked.has(identity(hit)));
  for (const hit of found.hits) hit.search_id = found.search_id;
  if (photo && !isPart(crop)) recognize(found, photo);
  return found;
}
