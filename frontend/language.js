// The language: which one the reader is spoken to in. Only that one's words are loaded.

import { writeAs } from "./numbers.js";

export const LANGUAGES = ["en", "de", "fr"]; // files of words/; the first is for whom none fits

/** The words: what a file of words/ exports, once `speak` is done. */
export let say;

let spoken = null;

/** Speak the first of these languages that there are words in, with the numbers of its region. A page
 * has one reader: what was wanted first stays. */
export const speak = (wanted) => (spoken ??= load(choose(wanted)));

async function load({ tag, language }) {
  writeAs(tag);
  say = await import(`./words/${language}.js`);
}

/** What the reader of an element wants: the language of the page around it, else the browser's. */
export const wantedAt = (element) => [
  (element.closest("[lang]") ?? document.documentElement).lang,
  ...navigator.languages,
];

/** The first language that there are words in, with its region: "fr-CA" is read in French. */
export function choose(wanted) {
  for (const tag of wanted) {
    const locale = understood(tag);
    if (LANGUAGES.includes(locale?.language)) return { tag: locale.baseName, language: locale.language };
  }
  return { tag: LANGUAGES[0], language: LANGUAGES[0] };
}

/** A page may have any text as its language. */
function understood(tag) {
  try {
    return new Intl.Locale(tag.replaceAll("_", "-"));
  } catch {
    return null;
  }
}
