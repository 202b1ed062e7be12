// Uses the types that openapi-typescript generates: node search.mts SERVER KEY PHOTO ITEM
import { openAsBlob } from "node:fs";

import createClient from "openapi-fetch";

import type { components, paths } from "./lens.d.ts";

const [server, key, photo, item_id] = process.argv.slice(2) as [string, string, string, string];
const lens = createClient<paths>({
  baseUrl: server,
  headers: { Authorization: `Bearer ${key}` },
});

function whole<T>({ data, error }: { data?: T; error?: components["schemas"]["ErrorSchema"] }): T {
  if (data === undefined) throw new Error(error?.error.message);
  return data;
}

const form = new FormData();
form.append("file", await openAsBlob(photo), "photo.jpg");
form.append("top_k", "3");
form.append("group", "item");
const found = whole(
  await lens.POST("/api/search-image", { body: {}, bodySerializer: () => form }),
);
const [first] = found.hits;
if (first === undefined) throw new Error("nothing is found");
const match: components["schemas"]["MatchWord"] | null = first.match;
// @ts-expect-error: a hit has no name, so this proves that its type is known
void first.name;

const params = { path: { item_id } };
const similar = whole(
  await lens.GET("/api/items/{item_id}/similar", { params: { ...params, query: { top_k: 4 } } }),
);
const item = whole(await lens.GET("/api/items/{item_id}", { params }));
const { categories } = whole(await lens.GET("/api/categories"));
const health = whole(await lens.GET("/api/health"));
const thumbnail = await lens.GET("/api/thumb/{photo_id}", {
  params: { path: { photo_id: first.photo_id }, query: { size: 90 } },
  parseAs: "arrayBuffer",
});
const missing = await lens.GET("/api/items/{item_id}", {
  params: { path: { item_id: "no/such item" } },
});
const refused = await lens.POST("/api/search-image", {
  body: {},
  bodySerializer: () => {
    const nothing = new FormData();
    nothing.append("region", "whole");
    return nothing;
  },
});

console.log(
  JSON.stringify({
    keys: found.hits.map((hit) => hit.key),
    image_url: first.image_url,
    match,
    title: first.product?.title ?? null,
    similar: similar.hits.map((hit) => hit.item_id),
    photos: item.photos.map((each) => each.key),
    categories: Object.fromEntries(categories.map((each) => [each.category, each.photos])),
    status: health.status,
    thumbnail: thumbnail.data?.byteLength,
    missing: missing.error?.error.code,
    refused: [refused.response.status, refused.error?.error.code],
  }),
);
