// The words: everything the page says, in one place. A translation is another file like this.

export const language = "en";

const number = new Intl.NumberFormat(language);
const percent = new Intl.NumberFormat(language, { style: "percent" });
const count = (n, one, many) => `${number.format(n)} ${n === 1 ? one : many}`;

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
  why: "Why this?",
  whyAsked: "Looking for the parts that match …",
  whyFailed: "Which parts match cannot be told now.",
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
const FOUND = {
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
export const similarityExactly = (similarity) => `Similarity ${similarity.toFixed(2)} of 1`;
/** What covering the brightest parts took from the similarity, in the shopper's photo and in the
 * hit's; undefined where nothing was told. */
export const because = (yours, theirs) => {
  const told = [
    yours !== undefined && `${yours.toFixed(2)} (your photo)`,
    theirs !== undefined && `${theirs.toFixed(2)} (this photo)`,
  ].filter(Boolean);
  return told.length
    ? `What is bright makes the two alike: covering the brightest takes ${told.join(" or ")} from the similarity.`
    : "No part stands out: covering one hardly makes the photos less alike.";
};
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

const DEGREES = {
  same: { bars: 4, text: "Most likely the same" },
  very_similar: { bars: 3, text: "Very similar" },
  similar_style: { bars: 2, text: "Similar style" },
  none: { bars: 1, text: "Not alike" },
};

/** How like the photo a hit is: how many of four bars, and the words; null where nobody knows. */
export const likeness = (match) => DEGREES[match] ?? null;

// Names that a catalog's folders spell in a way of their own.
const NAMES = {
  WOMEN: "Women",
  MEN: "Men",
  Blouses_Shirts: "Blouses & Shirts",
  Graphic_Tees: "Graphic Tees",
  Jackets_Coats: "Jackets & Coats",
  Jackets_Vests: "Jackets & Vests",
  Rompers_Jumpsuits: "Rompers & Jumpsuits",
  Shirts_Polos: "Shirts & Polos",
  Sweatshirts_Hoodies: "Sweatshirts & Hoodies",
  Tees_Tanks: "Tees & Tanks",
};

const spell = (name) => NAMES[name] ?? name.replace(/[_-]+/g, " ").replace(/^\p{Ll}/u, (c) => c.toUpperCase());

/** A category's path for people: "WOMEN/Tees_Tanks" is "Women · Tees & Tanks". */
export const categoryName = (category) => category.split("/").filter(Boolean).map(spell).join(" · ");

/** What a card says of an item: a name, and a line below it. */
export function itemName({ item_id, category, product }) {
  if (product?.title) {
    const below = [product.brand, product.color].filter(Boolean).join(" · ");
    return { title: product.title, below: below || categoryName(category) };
  }
  const name = item_id.split("/").at(-1).replace(/\.[a-z]+$/i, "");
  const numbered = name.match(/^id_0*(\d+)$/);
  const path = category.split("/").filter(Boolean).map(spell);
  if (!numbered) return { title: spell(name), below: path.join(" · ") };
  const title = path.pop() ?? `No. ${numbered[1]}`;
  return { title, below: [...path, `No. ${numbered[1]}`].join(" · ") };
}

const money = ({ amount, currency }) => {
  const whole = Number(amount) % 1 === 0;
  const digits = whole ? { maximumFractionDigits: 0 } : {};
  const style = currency ? { style: "currency", currency } : {};
  return new Intl.NumberFormat(navigator.language, { ...style, ...digits }).format(Number(amount));
};

/** A product's price for people: what is asked now, what was asked before a sale, or that it is
 * sold out; null where the shop says nothing of it. */
export function priceOf(product) {
  if (!product?.price && product?.availability !== "out_of_stock") return null;
  const { price, sale_price: sale, availability } = product;
  return {
    now: price ? money(sale ?? price) : "",
    before: sale && price ? money(price) : "",
    note: availability === "out_of_stock" ? words.soldOut : "",
  };
}

const TRY = "Try again in a moment.";

/** What went wrong and what to do about it, by the code of an error. */
const TROUBLES = {
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
  not_found: ["That photo has left the catalog", "Choose another one."],
  internal_error: ["Something went wrong here", TRY],
};

/** Two sentences for an error: what happened, what to do. */
export const trouble = (code, message) =>
  TROUBLES[code] ?? [message ? sentence(message) : TROUBLES.internal_error[0], TRY];

const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1);
