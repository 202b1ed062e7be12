// The address: what the page's URL says of a state. A catalog search is a query, which any device can
// open. A shopper's photo is behind the #, which is never sent, by an id that this device alone knows.

import { LISTS } from "./filter.js";
import { fromQuery, toQuery } from "./parameters.js";

/** A state in which nothing is narrowed yet. */
export const FRESH = {
  item: null,
  photo: null,
  crop: null,
  category: null,
  filter: {},
  sort: null,
  like: [],
  unlike: [],
  view: null,
  viewed: null,
};

const isText = (value) => typeof value === "string" && value !== "";
const isTexts = (value) => Array.isArray(value) && value.every(isText);
const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);

// What each field of a state must be in an address; others are not read.
const FIELDS = {
  item: isText,
  photo: isText,
  crop: (crop) => crop === "whole" || isBox(crop),
  category: isText,
  filter: isFilter,
  sort: (order) => ["price", "-price"].includes(order),
  like: isTexts,
  unlike: isTexts,
  view: isText,
  viewed: isText,
};

/** Whether a state searches without a photo, for what is like the liked alone. */
export const isAlone = ({ item, photo }) => !item && !photo;

/** Whether all that a state names is the catalog's. */
export const isOfCatalog = ({ item, photo }) => Boolean(item) || !photo;

/** The address of a state, relative to the page's. */
export function addressOf(state) {
  if (!state) return location.pathname;
  const { item, photo, crop, like, unlike, view } = state;
  const all = { ...state, like: like?.map(exampleText), unlike: unlike?.map(exampleText) };
  if (isObject(crop)) all.crop = [crop.x, crop.y, crop.w, crop.h].join(",");
  if (item && photo) all.photo = withoutItem(item, photo);
  if (!view) all.viewed = null;
  const names = Object.keys(FIELDS).filter((name) => !isNothing(all[name]));
  const told = Object.fromEntries(names.map((name) => [name, all[name]]));
  return `${location.pathname}${isOfCatalog(state) ? "?" : "#"}${toQuery(told)}`;
}

/** The address of a state for others. */
export const wholeAddress = (state) => new URL(addressOf(state), location).href;

/** What a state says of the viewer while it shows a hit. */
export const viewing = (hit) => ({ view: hit.key, viewed: hit.item_id });

/** The state that an address asks for, or null for the start; `odd` is whether some of it was not
 * understood, and left out. */
export function stateAt({ search, hash }) {
  const { item: _, ...own } = fromQuery(hash.slice(1));
  const told = isText(own.photo) ? own : fromQuery(search);
  if (isText(told.crop) && told.crop !== "whole") told.crop = boxOf(told.crop);
  const names = Object.keys(told).filter((name) => Object.hasOwn(FIELDS, name));
  const good = names.filter((name) => FIELDS[name](told[name]));
  const state = { ...FRESH, ...Object.fromEntries(good.map((name) => [name, told[name]])) };
  state.like = state.like.map(exampleAt);
  state.unlike = state.unlike.map(exampleAt);
  const asked = told === own || state.item !== null || state.like.length > 0;
  if (told !== own && !state.item) state.photo = null;
  return { state: asked ? state : null, odd: good.length < names.length || (!asked && names.length > 0) };
}

/** Of an item's photos the one that an address names by its key, the end of it or its id, or else the
 * first. */
export const photoAt = (photos, name) =>
  photos.find(({ key, photo_id: id }) => name === key || name === id) ??
  photos.find(({ key }) => key.endsWith(`/${name}`)) ??
  photos[0];

/** An example as a text: its item and its photo. */
const exampleText = ({ item, photo }) => `${item}:${photo}`;

function exampleAt(text) {
  const [, item, photo = null] = text.match(/^(.+):([0-9a-f]{32})$/s) ?? [text, text];
  return { item, photo };
}

/** A photo's key without its item's folders, which the address has already. */
function withoutItem(item, key) {
  const start = `/${key}`.lastIndexOf(`/${item}/`);
  return start < 0 ? key : key.slice(start + item.length + 1);
}

function boxOf(text) {
  const [x, y, w, h, ...more] = text.split(",").map((share) => (share.trim() ? Number(share) : NaN));
  return more.length ? null : { x, y, w, h };
}

function isBox(crop) {
  if (!isObject(crop)) return false;
  const { x, y, w, h } = crop;
  return x >= 0 && y >= 0 && w > 0 && h > 0 && x + w < 1.001 && y + h < 1.001;
}

/** As filter.js has it. */
function isFilter(filter) {
  const isRange = ({ low, high, currency }) => [low, high, currency].every((text) => typeof text === "string");
  const fits = (name, value) =>
    LISTS.includes(name) ? isTexts(value) : name === "stock" ? value === true : name === "price" && isRange(Object(value));
  return isObject(filter) && Object.entries(filter).every(([name, value]) => fits(name, value));
}

/** Whether there is nothing to tell: an empty text, list or object, too. */
const isNothing = (value) => ["null", '""', "[]", "{}", undefined].includes(JSON.stringify(value));
