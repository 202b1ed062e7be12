// Which language readers get, and numbers as each of them reads them, as JSON.

import { choose } from "../../frontend/language.js";
import { count, decimal, money, number, percent, writeAs } from "../../frontend/numbers.js";

const READERS = [["de-CH", "en"], ["ja", "fr-CA", "de"], ["ja"], [], ["", "not a language", "x-fr"], ["fr_FR"], ["DE"]];
const WORDS = { "en-US": ["photo", "photos"], "de-DE": ["Foto", "Fotos"], "fr-FR": ["photo", "photos", { many: "de photos" }] };
const FORMS = ["jeden", "wiele", { few: "kilka" }]; // a language with more forms

const numbers = {};
for (const locale of ["en-US", "de-DE", "de-CH", "fr-FR", "fr-CA"]) {
  writeAs(locale);
  const words = WORDS[locale] ?? [];
  numbers[locale] = {
    number: number.format(1142),
    percent: percent.format(0.45),
    decimal: decimal.format(0.8),
    whole: money({ amount: "1249.00", currency: "EUR" }),
    price: money({ amount: "49.90", currency: "EUR" }),
    plain: money({ amount: "49.90" }),
    counts: words.length ? [0, 1, 2, 1_000_000].map((n) => count(n, ...words)) : [],
  };
}
writeAs("pl");
const odd = money({ amount: "49.90", currency: "taler" });
const polish = [1, 3, 5].map((n) => count(n, ...FORMS));
console.log(JSON.stringify({ chosen: READERS.map(choose), numbers, odd, polish }));
