// Numbers: counts, shares, prices and times, written as the reader's language and region write them.

export let number, percent, decimal; // formatters of Intl
let locale, plurals, relative;

/** From now on numbers are written as in this locale. */
export function writeAs(tag) {
  locale = tag;
  number = new Intl.NumberFormat(locale);
  percent = new Intl.NumberFormat(locale, { style: "percent" });
  decimal = new Intl.NumberFormat(locale, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
  plurals = new Intl.PluralRules(locale);
  relative = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });
}

writeAs("en");

/** "1 photo", "1,142 photos"; `more` has the forms of languages with more than two, by Intl's names for them. */
export const count = (n, one, many, more = {}) => `${number.format(n)} ${{ one, ...more }[plurals.select(n)] ?? many}`;

/** A price, whose amount is an exact text; what is whole has no decimals. */
export function money({ amount, currency }) {
  const style = currency ? { style: "currency", currency } : { minimumFractionDigits: 2 };
  try {
    return new Intl.NumberFormat(locale, { trailingZeroDisplay: "stripIfInteger", ...style }).format(amount);
  } catch {
    return `${amount} ${currency}`; // no currency's code
  }
}

/** How long something takes, roughly: "40 seconds", "3 minutes", "2 hours". */
export function duration(seconds) {
  const [unit, length] = seconds < 90 ? ["second", 1] : seconds < 5_400 ? ["minute", 60] : ["hour", 3_600];
  const amount = unit === "second" ? 10 * Math.ceil(seconds / 10) : Math.round(seconds / length);
  return new Intl.NumberFormat(locale, { style: "unit", unit, unitDisplay: "long" }).format(amount);
}

const PACES = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];

/** How long ago a time was, in milliseconds since 1970. */
export function ago(time) {
  const seconds = Math.max(0, (Date.now() - time) / 1_000);
  const [unit, length] = PACES.find(([, least]) => seconds >= least) ?? ["second", Infinity];
  return relative.format(-Math.floor(seconds / length), unit);
}
