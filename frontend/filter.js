// The filter: what a product must be like, as a state of the history has it and as the API reads it.
//
// A filter is {color, size, brand: lists of values, price: {low, high, currency}, stock: true}, each
// only where it is asked for; amounts are texts, empty for no end. docs/api.md has the API's language.

export const LISTS = ["color", "size", "brand"];

// Upper and lower case are alike to the API.
const folded = (value) => value.trim().replace(/\s+/g, " ").toLocaleLowerCase();
const same = (one, other) => folded(one) === folded(other);

/** A filter as the API reads it; empty for none. Every value stands in quotes, in which only a quote
 * is more than itself. */
export function filterText(filter = {}) {
  const lists = LISTS.filter((field) => filter[field]?.length).map(
    (field) => `${field}=${filter[field].map(quoted).join("|")}`,
  );
  const { price, stock } = filter;
  return [...lists, price && priceText(price), stock && "availability=in_stock"].filter(Boolean).join(";");
}

const quoted = (value) => `"${value.replaceAll('"', '""')}"`;

const priceText = ({ low, high, currency }) =>
  `price=${[low, high].map((amount) => amount && `${amount} ${currency}`.trim()).join("..")}`;

/** Whether a value is asked for. */
export const asks = (filter, field, value) => Boolean(filter[field]?.some((each) => same(each, value)));

/** With a value more, or less where it was asked for. */
export function toggled(filter, field, value) {
  const values = filter[field] ?? [];
  const others = values.filter((each) => !same(each, value));
  return withField(filter, field, others.length < values.length ? others : [...values, value]);
}

/** With a field's value, or without the field where it asks for nothing. */
export function withField(filter, field, value) {
  const { [field]: _, ...others } = filter;
  const nothing = !value || value.length === 0 || (field === "price" && !value.low && !value.high);
  return nothing ? others : { ...others, [field]: value };
}

/** A price range of what was typed, the lower amount first; null where nothing is asked for. */
export function priceRange(low, high, currency) {
  const [from, to] = [low, high].map(amount);
  if (!from && !to) return null;
  const turned = from && to && Number(from) > Number(to);
  return turned ? { low: to, high: from, currency } : { low: from, high: to, currency };
}

/** At most two decimals: three digits after a point are thousands to the API. */
function amount(text) {
  const number = Math.round(100 * Number(text)) / 100;
  return text.trim() && number >= 0 && number < 1e12 ? String(number) : "";
}

/** Each thing that is asked for, by itself: {field, value}, in the order it was asked for. */
export const conditions = (filter = {}) =>
  Object.entries(filter).flatMap(([field, value]) =>
    LISTS.includes(field) ? value.map((each) => ({ field, value: each })) : [{ field, value }],
  );

/** Without one of its conditions. */
export const without = (filter, { field, value }) =>
  LISTS.includes(field) ? toggled(filter, field, value) : withField(filter, field, null);
