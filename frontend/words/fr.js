// French, as a shop writes it: vous; « … » for quotations, and a narrow space that does not break, \u202f,
// inside them and before : ; ! ?

import { count, decimal, money, number, percent } from "../numbers.js";

export const language = "fr";

export const words = {
  name: "Image Lens",
  headline: "Photographiez un vêtement, trouvez le produit.",
  lead: "Montrez-nous ce qui vous plaît. Nous le cherchons dans tout le catalogue, avec ce qui s’en approche.",
  choosePhoto: "Choisir une photo",
  takePhoto: "Prendre une photo",
  newPhoto: "Nouvelle photo",
  dropOrPaste: "ou déposez-en une sur cette page, ou collez-la",
  dropHere: "Déposez la photo pour lancer la recherche",
  examples: "Ou partez du catalogue",
  recent: "Vos photos récentes",
  staysHere: "Elles restent dans ce navigateur, sur cet appareil.",
  forgetAll: "Tout oublier",
  yourPhoto: "Votre photo",
  cropBox: "Cadre",
  regions: "Vêtements de la photo",
  pointHintMouse: "Cliquez sur ce que vous cherchez, ou tracez un cadre autour.",
  pointHintTouch: "Touchez ce que vous cherchez, ou entourez-le du doigt.",
  cropHelp:
    "Les flèches déplacent le cadre, Maj et les flèches changent sa taille, Échap revient à la photo entière. Les résultats suivent.",
  wholePhoto: "Photo entière",
  cancel: "Annuler",
  progress: "Progression de la recherche",
  filterBy: "Afficher seulement",
  all: "Tout",
  otherCategories: "Autres catégories",
  otherCategoriesShort: "Autres…",
  share: "Partager",
  copied: "Copié",
  copyByHand: "Copiez cette adresse\u202f:",
  moreLikeThis: "Plus de ce genre",
  lessLikeThis: "Moins de ce genre",
  searchWithThis: "Chercher avec cette photo",
  moreLike: "Plus comme",
  lessLike: "Moins comme",
  filters: "Filtres",
  products: "Produits trouvés",
  asked: "Ce qui restreint les résultats",
  clearAll: "Tout effacer",
  sort: "Trier par",
  inStock: "En stock",
  lowest: "De",
  highest: "À",
  showMore: "Afficher plus de produits",
  loadingMore: "Recherche de la suite…",
  pageAgain: "Cela n’a pas fonctionné. Réessayer",
  openOriginal: "Ouvrir la photo",
  atTheShop: "Voir dans la boutique",
  before: "Prix avant remise\u202f:",
  sale: "Prix remisé\u202f:",
  soldOut: "Épuisé",
  product: "Produit",
  close: "Fermer",
  tryAgain: "Réessayer",
  searchAgain: "Relancer la recherche",
  thisVeryPhoto: "La même photo",
  why: "Pourquoi celui-ci\u202f?",
  whyAsked: "Recherche des parties semblables…",
  whyFailed: "Impossible pour l’instant de dire quelles parties se ressemblent.",
  because: "Les parties claires rendent les deux photos semblables.",
  noPart: "Aucune partie ne se distingue.",
  reading: "Lecture de la photo…",
  searching: "Recherche en cours…",
  canceled: "La recherche a été annulée",
  canceledDo: "Rien n’a été modifié.",
  listing: "Le catalogue est parcouru…",
  allRead: "Toutes les photos sont lues.",
};

// What products are narrowed by.
export const FACETS = {
  category: "Catégorie",
  brand: "Marque",
  color: "Couleur",
  size: "Taille",
  price: "Prix",
  stock: "Disponibilité",
};

export const sending = (share) => `Envoi en cours\u202f: ${percent.format(share)}…`;
export const readSoFar = (read, all, left) =>
  `${number.format(read)} photos lues sur ${number.format(all)}${left ? `, encore ${left} environ` : ""}. Vous pouvez déjà y chercher.`;
export const searchedSoFar = (read, all) =>
  `Recherche parmi les photos déjà lues, ${number.format(read)} sur ${number.format(all)}.`;
export const gallerySize = (photos) => `${count(photos, "photo", "photos", { many: "de photos" })} au catalogue`;
export const FOUND = {
  exact: "Cette photo est déjà au catalogue",
  same: "Très probablement le même",
  very_similar: "Très similaire",
  similar_style: "Style similaire",
  none: "Rien de comparable ici. Les plus proches\u202f:",
};
const atLeast = (text, more) => (more ? `plus de ${text}` : text);
const products = (n, more) => atLeast(count(n, "produit", "produits"), more);
const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1);
export const found = (items, match, more) =>
  FOUND[match] ?? sentence(atLeast(count(items, "produit similaire", "produits similaires"), more));
export const foundAloud = (items, match, more) => {
  const all = `${sentence(atLeast(count(items, "produit trouvé", "produits trouvés"), more))}.`;
  if (match === "none") return `Rien de comparable ici. ${all}`;
  return FOUND[match] ? `${FOUND[match]}. ${all}` : all;
};
export const foundMore = (added, items) =>
  `${count(added, "produit de plus", "produits de plus")}, ${number.format(items)} en tout.`;
export const endOfList = (items) => (items === 1 ? "C’est le seul." : `C’est tout\u202f: ${products(items)}.`);
export const showFound = (items, more) => `Afficher ${products(items, more)}`;
export const amount = (n) => number.format(n);
export const colors = (n) => count(n, "couleur", "couleurs");
export const sizes = (n) => count(n, "taille", "tailles");
export const soldOutValue = (value) => `${value}, épuisé`;
export const lessLabel = (name) => `Moins de ce genre\u202f: ${name}`;
export const shopLabel = (name) => `Voir dans la boutique\u202f: ${name}`;
export const foundPhotoAlt = "La photo qui ressemble à la vôtre";
export const exampleLabel = (liked, name) => `${liked ? "Plus" : "Moins"} comme\u202f: ${name}. Retirer`;
export const takeOff = (what) => `${what}. Retirer`;
export const moreOptions = (n) => `Afficher les ${number.format(n)}`;
export const fullExamples = (most) => ["On ne peut pas en comparer plus", `Retirez d’abord l’un des ${most}.`];
export const emptyFiltered = (filters) => [
  "Aucun produit ne correspond",
  filters === 1 ? "C’est le filtre\u202f: retirez-le." : "Ensemble, les filtres ne laissent rien\u202f: retirez-en.",
];
export const emptyWithout = (filter, items, more) => [
  `Rien avec le filtre «\u202f${filter}\u202f»`,
  `Sans lui, il y a ${products(items, more)}.`,
];
export const without = (filter) => `Retirer «\u202f${filter}\u202f»`;
export const SORTS = { similarity: "Les plus similaires", price: "Prix croissant", "-price": "Prix décroissant" };
export const menu = (name, values) =>
  values.length > 1 ? `${name}\u202f: ${number.format(values.length)}` : (values[0] ?? name);
export function condition({ field, value }) {
  if (field === "stock") return words.inStock;
  if (field === "size") return `${FACETS.size} ${value}`;
  if (field !== "price") return value;
  const [low, high] = [value.low, value.high].map((amount) => amount && money({ amount, currency: value.currency }));
  if (low && high) return `${low} – ${high}`;
  return low ? `À partir de ${low}` : `Jusqu’à ${high}`;
}
export const photoAlt = (name) => (name ? `Votre photo\u202f: ${name}` : "Votre photo");
export const noPreview = (name) =>
  `Ce navigateur ne peut pas afficher ${name ? `«\u202f${name}\u202f»` : "ce type de photo"}. La photo a été envoyée telle quelle\u202f: elle peut servir à chercher, mais pas être recadrée.`;
export const openRecent = (when) => `Votre photo, ${when}`;
export const forgetRecent = (when) => `Oublier votre photo, ${when}`;
export const openLabel = (name) => `Voir de plus près\u202f: ${name}`;
export const moreLabel = (name) => `Plus de ce genre\u202f: ${name}`;
export const viewLabel = (name, n) => `${name}, vue ${n}`;
export const similarityExactly = (similarity) => `Similarité\u202f: ${decimal.format(similarity)} sur 1`;
export const chip = (name, photos) => `${name} (${number.format(photos)})`;
export const cropped = (width, height) =>
  `Recherche dans une partie de la photo\u202f: ${percent.format(width)} de sa largeur et ${percent.format(height)} de sa hauteur.`;
const GARMENTS = {
  upper: "Haut",
  lower: "Bas",
  one_piece: "Une pièce",
  shoes: "Chaussures",
  hat: "Chapeau",
};
export const regionName = (kind, n, all) => {
  const name = GARMENTS[kind] ?? "Vêtement";
  return all > 1 ? `${name}, ${number.format(n)} sur ${number.format(all)}` : name;
};
export const searchingFor = (name) => `Recherche en cours\u202f: ${name}.`;
export const searchedFor = (name) => `Recherche effectuée\u202f: ${name}.`;
export const chosen = (width, height) =>
  `Un vêtement de la photo a été cherché\u202f: ${percent.format(width)} de sa largeur et ${percent.format(height)} de sa hauteur.`;
export const emptyGallery = (indexed) => [
  "Le catalogue est vide",
  indexed
    ? "Il n’y a encore rien à comparer\u202f: ajoutez des photos, puis réessayez."
    : "Ses photos sont en cours de lecture\u202f: réessayez dans un instant.",
];

export const DEGREES = {
  same: "Très probablement le même",
  very_similar: "Très similaire",
  similar_style: "Style similaire",
  none: "Peu ressemblant",
};

export const NAMES = {
  WOMEN: "Femme",
  MEN: "Homme",
  Blouses_Shirts: "Chemisiers et blouses",
  Cardigans: "Gilets",
  Denim: "Jeans",
  Dresses: "Robes",
  Graphic_Tees: "T-shirts imprimés",
  Jackets_Coats: "Vestes et manteaux",
  Jackets_Vests: "Vestes et gilets sans manches",
  Leggings: "Leggings",
  Pants: "Pantalons",
  Rompers_Jumpsuits: "Combinaisons",
  Shirts_Polos: "Chemises et polos",
  Shorts: "Shorts",
  Skirts: "Jupes",
  Suiting: "Costumes",
  Sweaters: "Pulls",
  Sweatshirts_Hoodies: "Sweats et sweats à capuche",
  Tees_Tanks: "T-shirts et débardeurs",
};

export const numbered = (digits) => `N° ${digits}`;

const TRY = "Réessayez dans un instant.";

export const TROUBLES = {
  offline: ["Vous semblez hors ligne", "Vérifiez la connexion, puis réessayez."],
  unreachable: ["Le catalogue est injoignable", "Vérifiez la connexion, ou réessayez dans un instant."],
  not_an_image: ["Ce n’est pas une photo", "Choisissez une image JPEG, PNG, WebP, AVIF ou HEIC."],
  empty_file: ["Ce fichier est vide", "Choisissez une autre photo."],
  broken_image: ["Cette photo est endommagée", "Choisissez-en une autre, ou reprenez-la."],
  unusable_photo: ["Cette photo ne peut pas être utilisée", "Choisissez-en une autre."],
  unsupported_type: ["Ce type d’image n’est pas reconnu", "Enregistrez-la en JPEG, puis choisissez-la de nouveau."],
  too_many_bytes: ["Cette photo est trop grande", "Choisissez une copie plus petite."],
  too_many_pixels: ["Cette photo est trop grande", "Choisissez une copie plus petite."],
  a_link: ["C’était un lien, pas une photo", "Enregistrez d’abord l’image, puis déposez ou choisissez le fichier."],
  nothing_pasted: ["Il n’y a pas de photo à coller", "Copiez une image, pas un lien ni du texte, puis collez de nouveau."],
  gallery_unavailable: ["Le catalogue est en préparation", TRY],
  storage_unavailable: ["Le catalogue est momentanément illisible", TRY],
  busy: ["Beaucoup de recherches en ce moment", "Votre photo est toujours là\u202f: réessayez dans un instant."],
  too_often: ["Trop de recherches à la fois", "Votre photo est toujours là\u202f: réessayez dans une minute."],
  example_gone: ["Un produit de comparaison n’est plus au catalogue", "Cherchez sans les exemples."],
  photo_gone: ["Cette photo n’est pas sur cet appareil", "Vos photos restent dans le navigateur où vous les avez choisies. Choisissez-la de nouveau."],
  item_gone: ["Ce produit n’est plus au catalogue", "Partez d’un autre, ou d’une photo à vous."],
  odd_address: ["Cette adresse n’a pas été entièrement comprise", "Ce qui n’a pas été compris est ignoré."],
  not_found: ["Cette photo n’est plus au catalogue", "Choisissez-en une autre."],
  internal_error: ["Une erreur s’est produite", TRY],
};

export const reference = (id) => `Référence\u202f: ${id}`;

const WAITING = {
  offline: "Hors ligne. La suite viendra avec la connexion…",
  unreachable: "Injoignable. Nouvel essai dans un instant…",
};
export const waiting = (code) => WAITING[code] ?? "Très demandé. Nouvel essai dans un instant…";
