// German, as a shop writes it: Sie, or nobody by name; „…“ for quotations.

import { count, decimal, number, percent } from "../numbers.js";

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
  yourPhoto: "Ihr Foto",
  cropBox: "Ausschnitt",
  cropHintMouse: "Ziehen Sie einen Rahmen um ein Kleidungsstück, um nur danach zu suchen.",
  cropHintTouch: "Ziehen Sie an den Ecken, um nach einem Kleidungsstück zu suchen.",
  cropHelp:
    "Die Pfeiltasten verschieben den Ausschnitt, mit der Umschalttaste ändern sie seine Größe, Escape führt zurück zum ganzen Foto. Die Ergebnisse folgen.",
  wholePhoto: "Ganzes Foto",
  cancel: "Abbrechen",
  progress: "Fortschritt der Suche",
  filterBy: "Nur anzeigen",
  all: "Alles",
  otherCategories: "Weitere Kategorien",
  otherCategoriesShort: "Weitere …",
  moreLikeThis: "Ähnliche Artikel",
  openOriginal: "Foto öffnen",
  atTheShop: "Im Shop ansehen",
  before: "Ursprünglicher Preis",
  soldOut: "Ausverkauft",
  close: "Schließen",
  tryAgain: "Erneut versuchen",
  searchAgain: "Erneut suchen",
  showAll: "Alles anzeigen",
  thisVeryPhoto: "Genau dieses Foto",
  reading: "Foto wird gelesen …",
  searching: "Suche läuft …",
  canceled: "Die Suche wurde abgebrochen",
  canceledDo: "Es wurde nichts geändert.",
};

export const sending = (share) => `Wird gesendet: ${percent.format(share)} …`;
export const gallerySize = (photos) => `${count(photos, "Foto", "Fotos")} im Sortiment`;
export const FOUND = {
  exact: "Genau dieses Foto ist im Sortiment",
  same: "Das ist es sehr wahrscheinlich",
  very_similar: "Das kommt sehr nahe heran",
  similar_style: "In ähnlichem Stil",
  none: "Nichts Vergleichbares. Am nächsten kommen:",
};
export const found = (items, match) => FOUND[match] ?? count(items, "ähnliches Produkt", "ähnliche Produkte");
export const foundAloud = (items, match) => `${FOUND[match] ?? ""} ${count(items, "Produkt", "Produkte")} gefunden.`.trim();
export const photoAlt = (name) => (name ? `Ihr Foto: ${name}` : "Ihr Foto");
export const noPreview = (name) =>
  `Dieser Browser kann ${name ? `„${name}“` : "diese Art von Foto"} nicht anzeigen. Es wurde unverändert gesendet: Suchen geht damit, Zuschneiden nicht.`;
export const openLabel = (name) => `Genauer ansehen: ${name}`;
export const moreLabel = (name) => `Ähnliche Artikel: ${name}`;
export const viewLabel = (name, n) => `${name}, Ansicht ${n}`;
export const moreViews = (n) => `+${number.format(n)}`;
export const similarityExactly = (similarity) => `Ähnlichkeit ${decimal.format(similarity)} von 1`;
export const chip = (name, photos) => `${name} (${number.format(photos)})`;
export const cropped = (width, height) =>
  `Gesucht wird in einem Teil des Fotos, ${percent.format(width)} breit und ${percent.format(height)} hoch.`;
export const chosen = (width, height) =>
  `Gesucht wurde nach einem Kleidungsstück im Foto, ${percent.format(width)} breit und ${percent.format(height)} hoch.`;
export const emptyCategory = (name) => [`Nichts gefunden in „${name}“`, "Suchen Sie stattdessen im ganzen Sortiment."];
export const emptyGallery = (indexed) => [
  "Das Sortiment ist leer",
  indexed
    ? "Noch gibt es nichts zu vergleichen: Fügen Sie Fotos hinzu und versuchen Sie es dann erneut."
    : "Seine Fotos werden noch gelesen: Versuchen Sie es gleich noch einmal.",
];

export const DEGREES = {
  same: "Sehr wahrscheinlich gleich",
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
  offline: ["Keine Verbindung zum Internet", "Prüfen Sie die Verbindung. Sobald sie wieder da ist, geht die Suche weiter."],
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
  busy: ["Gerade suchen sehr viele", "Ihr Foto ist noch da: Versuchen Sie es in einigen Sekunden erneut."],
  too_often: ["Zu viele Suchen auf einmal", "Ihr Foto ist noch da: Versuchen Sie es in einer Minute erneut."],
  not_found: ["Dieses Foto gibt es im Sortiment nicht mehr", "Wählen Sie ein anderes."],
  internal_error: ["Hier ist etwas schiefgegangen", TRY],
};
