// German, as a shop writes it: Sie, or nobody by name; „…“ for quotations.

import { count, decimal, money, number, percent } from "../numbers.js";

export const language = "de";

export const words = {
  name: "Image Lens",
  headline: "Kleidungsstück fotografieren, Produkt finden.",
  lead: "Zeigen Sie uns, was Ihnen gefällt. Wir suchen im ganzen Sortiment danach und nach allem, was ihm nahekommt.",
  choosePhoto: "Foto auswählen",
  takePhoto: "Foto aufnehmen",
  newPhoto: "Neues Foto",
  dropOrPaste: "oder eines auf diese Seite ziehen oder einfügen",
  dropHere: "Foto hier ablegen und damit suchen",
  examples: "Oder beginnen Sie im Sortiment",
  recent: "Ihre letzten Fotos",
  staysHere: "Sie bleiben in diesem Browser, auf diesem Gerät.",
  forgetAll: "Alle vergessen",
  yourPhoto: "Ihr Foto",
  cropBox: "Ausschnitt",
  regions: "Kleidungsstücke im Foto",
  pointHintMouse: "Klicken Sie an, was Sie meinen, oder ziehen Sie einen Rahmen darum.",
  pointHintTouch: "Tippen Sie an, was Sie meinen, oder umfahren Sie es.",
  cropHelp:
    "Die Pfeiltasten verschieben den Ausschnitt, mit der Umschalttaste ändern sie seine Größe, Escape führt zurück zum ganzen Foto. Die Ergebnisse folgen.",
  wholePhoto: "Ganzes Foto",
  cancel: "Abbrechen",
  progress: "Fortschritt der Suche",
  filterBy: "Nur anzeigen",
  all: "Alles",
  otherCategories: "Weitere Kategorien",
  otherCategoriesShort: "Weitere …",
  share: "Teilen",
  copied: "Kopiert",
  copyByHand: "Diese Adresse kopieren:",
  moreLikeThis: "Mehr davon",
  lessLikeThis: "Weniger davon",
  searchWithThis: "Mit diesem Foto suchen",
  moreLike: "Mehr wie",
  lessLike: "Weniger wie",
  filters: "Filter",
  products: "Gefundene Produkte",
  asked: "Worauf die Ergebnisse eingegrenzt sind",
  clearAll: "Alle entfernen",
  sort: "Sortieren nach",
  inStock: "Lieferbar",
  lowest: "Von",
  highest: "Bis",
  showMore: "Weitere Produkte anzeigen",
  loadingMore: "Weitere werden gesucht …",
  pageAgain: "Das hat nicht geklappt. Erneut versuchen",
  openOriginal: "Foto öffnen",
  atTheShop: "Im Shop ansehen",
  before: "Vor der Reduzierung:",
  sale: "Reduzierter Preis:",
  soldOut: "Ausverkauft",
  product: "Produkt",
  close: "Schließen",
  tryAgain: "Erneut versuchen",
  searchAgain: "Erneut suchen",
  thisVeryPhoto: "Genau dieses Foto",
  why: "Warum dieses?",
  whyAsked: "Die ähnlichen Stellen werden gesucht …",
  whyFailed: "Welche Stellen sich ähneln, lässt sich gerade nicht sagen.",
  because: "Was hell ist, macht die beiden ähnlich.",
  noPart: "Keine Stelle sticht hervor.",
  reading: "Foto wird gelesen …",
  searching: "Suche läuft …",
  canceled: "Die Suche wurde abgebrochen",
  canceledDo: "Es wurde nichts geändert.",
  listing: "Das Sortiment wird durchgesehen …",
  allRead: "Jetzt sind alle Fotos gelesen.",
};

// What products are narrowed by.
export const FACETS = {
  category: "Kategorie",
  brand: "Marke",
  color: "Farbe",
  size: "Größe",
  price: "Preis",
  stock: "Verfügbarkeit",
};

export const sending = (share) => `Wird gesendet: ${percent.format(share)} …`;
export const readSoFar = (read, all, left) =>
  `${number.format(read)} von ${number.format(all)} Fotos sind bisher gelesen${left ? `, noch etwa ${left}` : ""}. Sie können schon darin suchen.`;
export const searchedSoFar = (read, all) =>
  `Gesucht wird in den ${number.format(read)} von ${number.format(all)} Fotos, die bisher gelesen sind.`;
export const gallerySize = (photos) => `${count(photos, "Foto", "Fotos")} im Sortiment`;
export const FOUND = {
  exact: "Genau dieses Foto ist im Sortiment",
  same: "Sehr wahrscheinlich dasselbe",
  very_similar: "Sehr ähnlich",
  similar_style: "Ähnlicher Stil",
  none: "Nichts Vergleichbares. Am nächsten kommen:",
};
const atLeast = (text, more) => (more ? `mehr als ${text}` : text);
const products = (n, more) => atLeast(count(n, "Produkt", "Produkte"), more);
const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1);
export const found = (items, match, more) =>
  FOUND[match] ?? sentence(atLeast(count(items, "ähnliches Produkt", "ähnliche Produkte"), more));
export const foundAloud = (items, match, more) => {
  const all = sentence(`${products(items, more)} gefunden.`);
  if (match === "none") return `Nichts Vergleichbares. ${all}`;
  return FOUND[match] ? `${FOUND[match]}. ${all}` : all;
};
export const foundMore = (added, items) =>
  `${count(added, "weiteres Produkt", "weitere Produkte")}, ${number.format(items)} insgesamt.`;
export const endOfList = (items) => (items === 1 ? "Das ist das einzige." : `Das sind alle: ${products(items)}.`);
export const showFound = (items, more) => sentence(`${products(items, more)} anzeigen`);
export const amount = (n) => number.format(n);
export const colors = (n) => count(n, "Farbe", "Farben");
export const sizes = (n) => count(n, "Größe", "Größen");
export const soldOutValue = (value) => `${value}, ausverkauft`;
export const lessLabel = (name) => `Weniger davon: ${name}`;
export const shopLabel = (name) => `Im Shop ansehen: ${name}`;
export const foundPhotoAlt = "Das Foto, das Ihrem ähnelt";
export const exampleLabel = (liked, name) => `${liked ? "Mehr" : "Weniger"} wie: ${name}. Entfernen`;
export const takeOff = (what) => `${what}. Entfernen`;
export const moreOptions = (n) => `Alle ${number.format(n)} anzeigen`;
export const fullExamples = (most) => ["Mehr lassen sich nicht vergleichen", `Entfernen Sie zuerst eines der ${most}.`];
export const emptyFiltered = (filters) => [
  "So ist kein Produkt",
  filters === 1 ? "Das liegt am Filter: Entfernen Sie ihn." : "Die Filter zusammen lassen nichts übrig: Entfernen Sie einige.",
];
export const emptyWithout = (filter, items, more) => [
  `Nichts mit dem Filter „${filter}“`,
  `Ohne ihn gibt es ${products(items, more)}.`,
];
export const without = (filter) => `„${filter}“ entfernen`;
export const SORTS = { similarity: "Ähnlichste zuerst", price: "Preis aufsteigend", "-price": "Preis absteigend" };
export const menu = (name, values) => (values.length > 1 ? `${name}: ${number.format(values.length)}` : (values[0] ?? name));
export function condition({ field, value }) {
  if (field === "stock") return words.inStock;
  if (field === "size") return `${FACETS.size} ${value}`;
  if (field !== "price") return value;
  const [low, high] = [value.low, value.high].map((amount) => amount && money({ amount, currency: value.currency }));
  if (low && high) return `${low} – ${high}`;
  return low ? `Ab ${low}` : `Bis ${high}`;
}
export const photoAlt = (name) => (name ? `Ihr Foto: ${name}` : "Ihr Foto");
export const noPreview = (name) =>
  `Dieser Browser kann ${name ? `„${name}“` : "diese Art von Foto"} nicht anzeigen. Es wurde unverändert gesendet: Suchen geht damit, Zuschneiden nicht.`;
export const openRecent = (when) => `Ihr Foto, ${when}`;
export const forgetRecent = (when) => `Ihr Foto vergessen, ${when}`;
export const openLabel = (name) => `Genauer ansehen: ${name}`;
export const moreLabel = (name) => `Mehr davon: ${name}`;
export const viewLabel = (name, n) => `${name}, Ansicht ${n}`;
export const similarityExactly = (similarity) => `Ähnlichkeit ${decimal.format(similarity)} von 1`;
export const chip = (name, photos) => `${name} (${number.format(photos)})`;
export const cropped = (width, height) =>
  `Gesucht wird in einem Teil des Fotos, ${percent.format(width)} breit und ${percent.format(height)} hoch.`;
const GARMENTS = {
  upper: "Oberteil",
  lower: "Unterteil",
  one_piece: "Einteiler",
  shoes: "Schuhe",
  hat: "Hut",
};
export const regionName = (kind, n, all) => {
  const name = GARMENTS[kind] ?? "Kleidungsstück";
  return all > 1 ? `${name}, ${number.format(n)} von ${number.format(all)}` : name;
};
export const searchingFor = (name) => `Gesucht wird: ${name}.`;
export const searchedFor = (name) => `Gesucht wurde: ${name}.`;
export const chosen = (width, height) =>
  `Gesucht wurde nach einem Kleidungsstück im Foto, ${percent.format(width)} breit und ${percent.format(height)} hoch.`;
export const emptyGallery = (indexed) => [
  "Das Sortiment ist leer",
  indexed
    ? "Noch gibt es nichts zu vergleichen: Fügen Sie Fotos hinzu und versuchen Sie es dann erneut."
    : "Seine Fotos werden noch gelesen: Versuchen Sie es gleich noch einmal.",
];

export const DEGREES = {
  same: "Sehr wahrscheinlich dasselbe",
  very_similar: "Sehr ähnlich",
  similar_style: "Ähnlicher Stil",
  none: "Nicht ähnlich",
};

export const NAMES = {
  WOMEN: "Damen",
  MEN: "Herren",
  Blouses_Shirts: "Blusen & Hemden",
  Cardigans: "Strickjacken",
  Denim: "Jeans",
  Dresses: "Kleider",
  Graphic_Tees: "T-Shirts mit Aufdruck",
  Jackets_Coats: "Jacken & Mäntel",
  Jackets_Vests: "Jacken & Westen",
  Leggings: "Leggings",
  Pants: "Hosen",
  Rompers_Jumpsuits: "Overalls",
  Shirts_Polos: "Hemden & Poloshirts",
  Shorts: "Shorts",
  Skirts: "Röcke",
  Suiting: "Anzüge",
  Sweaters: "Pullover",
  Sweatshirts_Hoodies: "Sweatshirts & Kapuzenpullover",
  Tees_Tanks: "T-Shirts & Tops",
};

export const numbered = (digits) => `Nr. ${digits}`;

const TRY = "Versuchen Sie es gleich noch einmal.";

export const TROUBLES = {
  offline: ["Keine Verbindung zum Internet", "Prüfen Sie die Verbindung und versuchen Sie es dann erneut."],
  unreachable: ["Das Sortiment ist nicht erreichbar", "Prüfen Sie die Verbindung oder versuchen Sie es gleich noch einmal."],
  not_an_image: ["Das ist kein Foto", "Wählen Sie ein Bild in JPEG, PNG, WebP, AVIF oder HEIC."],
  empty_file: ["Diese Datei ist leer", "Wählen Sie ein anderes Foto."],
  broken_image: ["Dieses Foto ist beschädigt", "Wählen Sie ein anderes oder nehmen Sie es noch einmal auf."],
  unusable_photo: ["Dieses Foto lässt sich nicht verwenden", "Wählen Sie ein anderes."],
  unsupported_type: ["Diese Art von Bild wird nicht unterstützt", "Speichern Sie es als JPEG und wählen Sie es dann erneut."],
  too_many_bytes: ["Dieses Foto ist zu groß", "Wählen Sie eine kleinere Kopie."],
  too_many_pixels: ["Dieses Foto ist zu groß", "Wählen Sie eine kleinere Kopie."],
  a_link: ["Das war ein Link, kein Foto", "Speichern Sie das Bild zuerst, dann ziehen Sie die Datei hierher oder wählen sie aus."],
  nothing_pasted: ["Hier ist kein Foto zum Einfügen", "Kopieren Sie ein Bild, keinen Link oder Text, und fügen Sie es erneut ein."],
  gallery_unavailable: ["Das Sortiment wird gerade vorbereitet", TRY],
  storage_unavailable: ["Das Sortiment ist gerade nicht lesbar", TRY],
  busy: ["Gerade suchen sehr viele", "Ihr Foto ist noch da: Versuchen Sie es gleich noch einmal."],
  too_often: ["Zu viele Suchen auf einmal", "Ihr Foto ist noch da: Versuchen Sie es in einer Minute erneut."],
  example_gone: ["Ein Vergleichsprodukt gibt es im Sortiment nicht mehr", "Suchen Sie ohne die Beispiele."],
  photo_gone: ["Dieses Foto ist nicht auf diesem Gerät", "Eigene Fotos bleiben in dem Browser, in dem sie ausgewählt wurden. Wählen Sie es erneut aus."],
  item_gone: ["Dieses Produkt gibt es im Sortiment nicht mehr", "Beginnen Sie mit einem anderen oder mit einem eigenen Foto."],
  odd_address: ["Diese Adresse wurde nicht ganz verstanden", "Was unverständlich war, bleibt außer Acht."],
  not_found: ["Dieses Foto gibt es im Sortiment nicht mehr", "Wählen Sie ein anderes."],
  internal_error: ["Hier ist etwas schiefgegangen", TRY],
};

export const reference = (id) => `Vorgang: ${id}`;

const WAITING = {
  offline: "Keine Verbindung. Mit ihr geht es weiter …",
  unreachable: "Nicht erreichbar. Gleich noch einmal …",
};
export const waiting = (code) => WAITING[code] ?? "Viel los. Gleich noch einmal …";
