// English. Every word that the page says is in one file for each language, and all have the same names:
// add here, then in the others (tests/frontend says which are missing).

import { count, decimal, number, percent } from "../numbers.js";

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
  yourPhoto: "Your photo",
  cropBox: "Crop box",
  cropHintMouse: "Draw a box around one garment to search for just that.",
  cropHintTouch: "Drag the corners to search for one garment.",
  cropHelp:
    "Arrow keys move the box, Shift and arrow keys change its size, Escape goes back to the whole photo. The results follow.",
  wholePhoto: "Whole photo",
  cancel: "Cancel",
  progress: "Search progress",
  filterBy: "Show only",
  all: "Everything",
  otherCategories: "More categories",
  otherCategoriesShort: "More …",
  moreLikeThis: "More like this",
  openOriginal: "Open the photo",
  atTheShop: "View at the shop",
  before: "before the sale",
  soldOut: "Sold out",
  close: "Close",
  tryAgain: "Try again",
  searchAgain: "Search again",
  showAll: "Show everything",
  thisVeryPhoto: "This very photo",
  reading: "Reading the photo …",
  searching: "Searching …",
  canceled: "The search was canceled",
  canceledDo: "Nothing was changed.",
};

export const sending = (share) => `Sending ${percent.format(share)} …`;
export const gallerySize = (photos) => `${count(photos, "photo", "photos")} in the catalog`;
// What the answer's `match` says; a model that cannot tell says nothing, and neither does the page.
export const FOUND = {
  exact: "This very photo is in the catalog",
  same: "This is most likely it",
  very_similar: "This comes very close",
  similar_style: "In a similar style",
  none: "Nothing like this here. The nearest:",
};
export const found = (items, match) => FOUND[match] ?? `${count(items, "product looks", "products look")} like this`;
export const foundAloud = (items, match) => `${FOUND[match] ?? ""} ${count(items, "product", "products")} found.`.trim();
export const photoAlt = (name) => (name ? `Your photo: ${name}` : "Your photo");
export const noPreview = (name) =>
  `This browser cannot show ${name || "this kind of photo"}. It was sent as it is, and can be searched for, but not cropped.`;
export const openLabel = (name) => `Look closer: ${name}`;
export const moreLabel = (name) => `More like this: ${name}`;
export const viewLabel = (name, n) => `${name}, view ${n}`;
export const moreViews = (n) => `+${number.format(n)}`;
export const similarityExactly = (similarity) => `Similarity ${decimal.format(similarity)} of 1`;
export const chip = (name, photos) => `${name} (${number.format(photos)})`;
export const cropped = (width, height) =>
  `Searching in a part of the photo, ${percent.format(width)} wide and ${percent.format(height)} high.`;
export const chosen = (width, height) =>
  `One garment of the photo was searched for, ${percent.format(width)} wide and ${percent.format(height)} high.`;
export const emptyCategory = (name) => [`Nothing found in ${name}`, "Look in the whole catalog instead."];
export const emptyGallery = (indexed) => [
  "The catalog is empty",
  indexed
    ? "Nothing to compare with yet: add photos to the catalog, then try again."
    : "Its photos are still being read: try again in a moment.",
];

export const DEGREES = {
  same: "Most likely the same",
  very_similar: "Very similar",
  similar_style: "Similar style",
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
  offline: ["You seem to be offline", "Check the connection; the search goes on as soon as it is back."],
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
  busy: ["Many people are searching right now", "Your photo is still here: try again in a few seconds."],
  too_often: ["Too many searches at once", "Your photo is still here: try again in a minute."],
  not_found: ["That photo has left the catalog", "Choose another one."],
  internal_error: ["Something went wrong here", TRY],
};
