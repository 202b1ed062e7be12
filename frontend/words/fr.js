// French, as a shop writes it: vous; « … » for quotations, and a narrow space that does not break, \u202f,
// inside them and before : ; ! ?

import { count, decimal, number, percent } from "../numbers.js";

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
  yourPhoto: "Votre photo",
  cropBox: "Cadre",
  cropHintMouse: "Tracez un cadre autour d’un vêtement pour ne chercher que lui.",
  cropHintTouch: "Faites glisser les coins pour chercher un seul vêtement.",
  cropHelp:
    "Les flèches déplacent le cadre, Maj et les flèches changent sa taille, Échap revient à la photo entière. Les résultats suivent.",
  wholePhoto: "Photo entière",
  cancel: "Annuler",
  progress: "Progression de la recherche",
  filterBy: "Afficher seulement",
  all: "Tout",
  otherCategories: "Autres catégories",
  otherCategoriesShort: "Autres…",
  moreLikeThis: "Articles similaires",
  openOriginal: "Ouvrir la photo",
  atTheShop: "Voir dans la boutique",
  before: "Prix avant remise",
  soldOut: "Épuisé",
  close: "Fermer",
  tryAgain: "Réessayer",
  searchAgain: "Relancer la recherche",
  showAll: "Tout afficher",
  thisVeryPhoto: "La même photo",
  reading: "Lecture de la photo…",
  searching: "Recherche en cours…",
  canceled: "La recherche a été annulée",
  canceledDo: "Rien n’a été modifié.",
};

export const sending = (share) => `Envoi en cours\u202f: ${percent.format(share)}…`;
export const gallerySize = (photos) => `${count(photos, "photo", "photos", { many: "de photos" })} au catalogue`;
export const FOUND = {
  exact: "Cette photo est déjà au catalogue",
  same: "C’est très probablement celui-ci",
  very_similar: "Voici ce qui s’en approche le plus",
  similar_style: "Dans un style similaire",
  none: "Rien de comparable ici. Les plus proches\u202f:",
};
export const found = (items, match) => FOUND[match] ?? count(items, "produit similaire", "produits similaires");
export const foundAloud = (items, match) =>
  `${FOUND[match] ?? ""} ${count(items, "produit trouvé", "produits trouvés")}.`.trim();
export const photoAlt = (name) => (name ? `Votre photo\u202f: ${name}` : "Votre photo");
export const noPreview = (name) =>
  `Ce navigateur ne peut pas afficher ${name ? `«\u202f${name}\u202f»` : "ce type de photo"}. La photo a été envoyée telle quelle\u202f: elle peut servir à chercher, mais pas être recadrée.`;
export const openLabel = (name) => `Voir de plus près\u202f: ${name}`;
export const moreLabel = (name) => `Articles similaires\u202f: ${name}`;
export const viewLabel = (name, n) => `${name}, vue ${n}`;
export const moreViews = (n) => `+${number.format(n)}`;
export const similarityExactly = (similarity) => `Similarité\u202f: ${decimal.format(similarity)} sur 1`;
export const chip = (name, photos) => `${name} (${number.format(photos)})`;
export const cropped = (width, height) =>
  `Recherche dans une partie de la photo\u202f: ${percent.format(width)} de sa largeur et ${percent.format(height)} de sa hauteur.`;
export const chosen = (width, height) =>
  `Un vêtement de la photo a été cherché\u202f: ${percent.format(width)} de sa largeur et ${percent.format(height)} de sa hauteur.`;
export const emptyCategory = (name) => [
  `Rien trouvé dans «\u202f${name}\u202f»`,
  "Cherchez plutôt dans tout le catalogue.",
];
export const emptyGallery = (indexed) => [
  "Le catalogue est vide",
  indexed
    ? "Il n’y a encore rien à comparer\u202f: ajoutez des photos, puis réessayez."
    : "Ses photos sont en cours de lecture\u202f: réessayez dans un instant.",
];

export const DEGREES = {
  same: "Sans doute le même",
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
  offline: ["Vous semblez hors ligne", "Vérifiez la connexion\u202f; la recherche reprendra dès son retour."],
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
  busy: ["Beaucoup de recherches en ce moment", "Votre photo est toujours là\u202f: réessayez dans quelques secondes."],
  too_often: ["Trop de recherches à la fois", "Votre photo est toujours là\u202f: réessayez dans une minute."],
  not_found: ["Cette photo n’est plus au catalogue", "Choisissez-en une autre."],
  internal_error: ["Une erreur s’est produite", TRY],
};
