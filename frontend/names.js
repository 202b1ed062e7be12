// Names: what a photo's path may call its product, for people, where the shop has no product file.

// Names that a camera, a phone or a program gives: they say nothing of a product.
const MEANINGLESS = [
  /^(image|photo|pic|picture|bild|foto|screen ?shot|scan)?[\s\d().-]*$/i,
  /^(img|dsc[a-z]?|dcim|pxl|mvimg|gopr|dji|whatsapp|signal|screen ?shot)[\s-]*(image[\s-]*)?\d/i,
];
const HASH = /^(?=.*\d)(?=.*[a-f])[\da-f]{10,}$/i;
const VIEW = /[\s-]+(\d{1,2}|front|back|side|full|flat|detail|additional|main|alt|model)$/i;
const ENDING = /\.(jpe?g?|jfif|png|webp|avif|hei[cf]|hif)$/i;
const SHORT = 8; // so much of a hash tells one from another

/** What an item's id says: {name, code}, either empty. A code tells items apart that have no name. */
export function namesOf(itemId) {
  const last = decoded(itemId.split("/").filter(Boolean).at(-1) ?? "").replace(ENDING, "");
  const plain = last.replace(/[_\s]+/g, " ").trim();
  const numbered = plain.match(/^(?:id )?0*(\d+)$/i);
  if (numbered) return { name: "", code: numbered[1] };
  const digits = plain.match(/\d+/g);
  if (HASH.test(plain.replace(/[\s-]/g, ""))) return { name: "", code: plain.slice(0, SHORT) };
  if (MEANINGLESS.some((pattern) => pattern.test(plain))) return { name: "", code: digits?.at(-1) ?? "" };
  if (digits && !/\p{Ll}{3}/u.test(plain) && !/\p{Lo}/u.test(plain)) return { name: "", code: last };
  return { name: spelled(plain), code: "" };
}

/** Words, without the view that a photo shows, and without shouting. */
function spelled(name) {
  while (VIEW.test(name) && /\p{L}{2}/u.test(name.replace(VIEW, ""))) name = name.replace(VIEW, "");
  const words = name.replace(/(?<=\p{L}{2})-(?=\p{L}{2})/gu, " ");
  const calm = words === words.toUpperCase() && words.length > 4 ? words.toLowerCase() : words;
  return calm.replace(/^\p{Ll}/u, (letter) => letter.toUpperCase());
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
