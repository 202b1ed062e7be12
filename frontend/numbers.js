// Numbers: counts, shares and prices, written as the reader's language and region write them.

let locale = "en";

/** From now on numbers are written as in this locale. */
export function writeAs(tag) {
  locale = tag;
}

export const number = (n) => n.toLocaleString(locale);
export const percent = (share) => share.toLocaleString(locale, { style: "percent" });
export const decimal = (n) => n.toLocaleString(locale, { minimumFractionDigits: 2, maximumFractionDigits: 2 });

/** "1 photo", "1,142 photos"; `more` has the forms of languages with more than two, by Intl's names for them. */
export const count = (n, one, other, more = {}) =>
  `${number(n)} ${{ one, ...more }[new Intl.PluralRules(locale).select(n)] ?? other}`;

/** A price; what is whole has no decimals. */
export function money({ amount, currency }) {
  const price = Number(amount);
  const style = currency ? { style: "currency", currency } : { minimumFractionDigits: 2 };
  const digits = price % 1 === 0 ? { minimumFractionDigits: 0, maximumFractionDigits: 0 } : {};
  return price.toLocaleString(locale, { ...style, ...digits });
}
