// English. Every word that the page says is in one file for each language, and all have the same names:
// add here, then in the others (tests/frontend says which are missing).

import { count, decimal, money, number, percent } from "../numbers.js";

export const language = "en";

export const words = {
  name: "Image Lens",
  headline: "Photograph a garment, find the product.",
  lead: "Show us something you like. We look through the whole catalog for it, and for what comes close.",
  choosePhoto: "Choose a photo",
  takePhoto: "Take a photo",
  newPhoto: "New photo",
  dropOrPaste: "or drop one anywhere on this page, or paste it",
  dropHere: "Drop the photo to search with it",
  examples: "Or start from the catalog",
  recent: "Your recent photos",
  staysHere: "They stay in this browser, on this device.",
  forgetAll: "Forget all",
  yourPhoto: "Your photo",
  cropBox: "Crop box",
  regions: "Garments in the photo",
  pointHintMouse: "Click on what you mean, or draw a box around it.",
  pointHintTouch: "Tap what you mean, or draw around it.",
  cropHelp:
    "Arrow keys move the box, Shift and arrow keys change its size, Escape goes back to the whole photo. The results follow.",
  wholePhoto: "Whole photo",
  cancel: "Cancel",
  progress: "Search progress",
  filterBy: "Show only",
  all: "Everything",
  otherCategories: "More categories",
  otherCategoriesShort: "More …",
  share: "Share",
  copied: "Copied",
  copyByHand: "Copy this address:",
  moreLikeThis: "More like this",
  lessLikeThis: "Less like this",
  searchWithThis: "Search with this photo",
  moreLike: "More like",
  lessLike: "Less like",
  filters: "Filters",
  products: "Products found",
  asked: "What the results are narrowed by",
  clearAll: "Clear all",
  sort: "Sort by",
  inStock: "In stock",
  lowest: "From",
  highest: "To",
  showMore: "Show more products",
  loadingMore: "Looking for more …",
  pageAgain: "That did not work. Try again",
  openOriginal: "Open the photo",
  atTheShop: "View at the shop",
  before: "Before the sale:",
  sale: "Sale price:",
  soldOut: "Sold out",
  product: "Product",
  close: "Close",
  tryAgain: "Try again",
  searchAgain: "Search again",
  thisVeryPhoto: "This very photo",
  why: "Why this?",
  whyAsked: "Looking for the parts that match …",
  whyFailed: "Which parts match cannot be told now.",
  because: "What is bright makes the two alike.",
  noPart: "No part stands out.",
  reading: "Reading the photo …",
  searching: "Searching …",
  canceled: "The search was canceled",
  canceledDo: "Nothing was changed.",
  listing: "The catalog is being looked through …",
  allRead: "All photos are read now.",
};

// What products are narrowed by.
export const FACETS = {
  category: "Category",
  brand: "Brand",
  color: "Color",
  size: "Size",
  price: "Price",
  stock: "Availability",
};

export const sending = (share) => `Sending ${percent.format(share)} …`;
/** `left` is how long it will take, in words, or null where nobody knows. */
export const readSoFar = (read, all, left) =>
  `${number.format(read)} of ${number.format(all)} photos are read so far${left ? `, about ${left} left` : ""}. You can search them already.`;
export const searchedSoFar = (read, all) =>
  `Searching the ${number.format(read)} of ${number.format(all)} photos read so far.`;
export const gallerySize = (photos) => `${count(photos, "photo", "photos")} in the catalog`;
// What the answer's `match` says; a model that cannot tell says nothing, and neither does the page.
export const FOUND = {
  exact: "This very photo is in the catalog",
  same: "Most likely the same",
  very_similar: "Very similar",
  similar_style: "Similar style",
  none: "Nothing like this here. The nearest:",
};
const some = (n, more) => (more ? `${number.format(n)}+` : number.format(n));
const products = (n, more) => `${some(n, more)} ${n === 1 && !more ? "product" : "products"}`;
/** `more`: there are more than so many. */
export const found = (items, match, more) =>
  FOUND[match] ?? `${products(items, more)} ${items === 1 && !more ? "looks" : "look"} like this`;
export const foundAloud = (items, match, more) => {
  const all = `${products(items, more)} found.`;
  if (match === "none") return `Nothing like this here. ${all}`;
  return FOUND[match] ? `${FOUND[match]}. ${all}` : all;
};
export const foundMore = (added, items) => `${count(added, "more product", "more products")}, ${number.format(items)} in all.`;
export const endOfList = (items) => (items === 1 ? "That is the only one." : `That is all: ${count(items, "product", "products")}.`);
export const showFound = (items, more) => `Show ${products(items, more)}`;
export const amount = (n) => number.format(n);
export const colors = (n) => count(n, "color", "colors");
export const sizes = (n) => count(n, "size", "sizes");
export const soldOutValue = (value) => `${value}, sold out`;
export const lessLabel = (name) => `Less like this: ${name}`;
export const shopLabel = (name) => `View at the shop: ${name}`;
export const foundPhotoAlt = "The photo that looks like yours";
export const exampleLabel = (liked, name) => `${liked ? "More" : "Less"} like: ${name}. Take it off`;
export const takeOff = (what) => `${what}. Take it off`;
export const moreOptions = (n) => `Show all ${number.format(n)}`;
export const fullExamples = (most) => ["That is as many as can be compared", `Take one of the ${most} off first.`];
export const emptyFiltered = (filters) => [
  "No product is like that",
  filters === 1 ? "It is the filter: take it off." : "The filters together leave nothing: take some off.",
];
export const emptyWithout = (filter, items, more) => [
  `Nothing with the filter “${filter}”`,
  `Without it there ${items === 1 && !more ? "is" : "are"} ${products(items, more)}.`,
];
export const without = (filter) => `Take off “${filter}”`;
export const SORTS = { similarity: "Most similar", price: "Price, low to high", "-price": "Price, high to low" };
/** What is chosen of a facet, on the button that opens it. */
export const menu = (name, values) => (values.length > 1 ? `${name}: ${number.format(values.length)}` : (values[0] ?? name));
/** A condition of the filter. */
export function condition({ field, value }) {
  if (field === "stock") return words.inStock;
  if (field === "size") return `${FACETS.size} ${value}`;
  if (field !== "price") return value;
  const [low, high] = [value.low, value.high].map((amount) => amount && money({ amount, currency: value.currency }));
  if (low && high) return `${low} – ${high}`;
  return low ? `From ${low}` : `Up to ${high}`;
}
export const photoAlt = (name) => (name ? `Your photo: ${name}` : "Your photo");
export const noPreview = (name) =>
  `This browser cannot show ${name || "this kind of photo"}. It was sent as it is, and can be searched for, but not cropped.`;
export const openRecent = (when) => `Your photo, ${when}`;
export const forgetRecent = (when) => `Forget your photo, ${when}`;
export const openLabel = (name) => `Look closer: ${name}`;
export const moreLabel = (name) => `More like this: ${name}`;
export const viewLabel = (name, n) => `${name}, view ${n}`;
export const similarityExactly = (similarity) => `Similarity ${decimal.format(similarity)} of 1`;
export const chip = (name, photos) => `${name} (${number.format(photos)})`;
export const cropped = (width, height) =>
  `Searching in a part of the photo, ${percent.format(width)} wide and ${percent.format(height)} high.`;
const GARMENTS = {
  upper: "Upper garment",
  lower: "Lower garment",
  one_piece: "One-piece garment",
  shoes: "Shoes",
  hat: "Hat",
};
export const regionName = (kind, n, all) => {
  const name = GARMENTS[kind] ?? "Garment";
  return all > 1 ? `${name}, ${number.format(n)} of ${number.format(all)}` : name;
};
export const searchingFor = (name) => `Searching for: ${name}.`;
export const searchedFor = (name) => `Searched for: ${name}.`;
export const chosen = (width, height) =>
  `One garment of the photo was searched for, ${percent.format(width)} wide and ${percent.format(height)} high.`;
export const emptyGallery = (indexed) => [
  "The catalog is empty",
  indexed
    ? "Nothing to compare with yet: add photos to the catalog, then try again."
    : "Its photos are still being read: try again in a moment.",
];

export const DEGREES = {
  same: FOUND.same,
  very_similar: FOUND.very_similar,
  similar_style: FOUND.similar_style,
  none: "Not alike",
};

// Names that a catalog's folders spell in a way of their own.
export const NAMES = {
  WOMEN: "Women",
  MEN: "Men",
  Blouses_Shirts: "Blouses & Shirts",
  Cardigans: "Cardigans",
  Denim: "Denim",
  Dresses: "Dresses",
  Graphic_Tees: "Graphic Tees",
  Jackets_Coats: "Jackets & Coats",
  Jackets_Vests: "Jackets & Vests",
  Leggings: "Leggings",
  Pants: "Pants",
  Rompers_Jumpsuits: "Rompers & Jumpsuits",
  Shirts_Polos: "Shirts & Polos",
  Shorts: "Shorts",
  Skirts: "Skirts",
  Suiting: "Suiting",
  Sweaters: "Sweaters",
  Sweatshirts_Hoodies: "Sweatshirts & Hoodies",
  Tees_Tanks: "Tees & Tanks",
};

export const numbered = (digits) => `No. ${digits}`;

const TRY = "Try again in a moment.";

/** What went wrong and what to do about it, by the code of an error. */
export const TROUBLES = {
  offline: ["You seem to be offline", "Check the connection, then try again."],
  unreachable: ["The catalog cannot be reached", "Check the connection, or try again in a moment."],
  not_an_image: ["That is not a photo", "Choose a JPEG, PNG, WebP, AVIF or HEIC picture."],
  empty_file: ["That file is empty", "Choose another photo."],
  broken_image: ["That photo is damaged", "Choose another one, or take it again."],
  unusable_photo: ["That photo cannot be used", "Choose another one."],
  unsupported_type: ["That kind of picture is not understood", "Save it as a JPEG and choose it again."],
  too_many_bytes: ["That photo is too large", "Choose a smaller copy."],
  too_many_pixels: ["That photo is too large", "Choose a smaller copy."],
  a_link: ["That was a link, not a photo", "Save the picture first, then drop or choose the file."],
  nothing_pasted: ["There is no photo to paste", "Copy a picture, not a link or text, and paste again."],
  gallery_unavailable: ["The catalog is being put in order", TRY],
  storage_unavailable: ["The catalog cannot be read right now", TRY],
  busy: ["Many people are searching right now", "Your photo is still here: try again in a moment."],
  too_often: ["Too many searches at once", "Your photo is still here: try again in a minute."],
  example_gone: ["A product that you compare with has left the catalog", "Search without the examples."],
  photo_gone: ["That photo is not on this device", "A shopper's own photo stays in the browser where it was chosen. Choose it again."],
  item_gone: ["That product is no longer in the catalog", "Start from another one, or from a photo of your own."],
  odd_address: ["Not all of this address was understood", "What was not understood is left out."],
  not_found: ["That photo has left the catalog", "Choose another one."],
  internal_error: ["Something went wrong here", TRY],
};

/** By which a shop's owner finds in the log what went wrong. */
export const reference = (id) => `Reference: ${id}`;

const WAITING = {
  offline: "Offline. It goes on with the connection …",
  unreachable: "Out of reach. Once more in a moment …",
};

/** What is told while something is tried again by itself. */
export const waiting = (code) => WAITING[code] ?? "Busy. Once more in a moment …";
