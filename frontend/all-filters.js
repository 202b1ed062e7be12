// All filters in one dialog, whose results follow behind it.

import { asks, LISTS, priceRange, toggled, withField } from "./filter.js";
import { say } from "./language.js";
import { make, redraw } from "./make.js";
import { categoryName } from "./product.js";
import { bySize, swatch } from "./variants.js";

const SHORT = 10; // values of a facet that are shown at first

export class AllFilters {
  /** `changed` hears what of the state is another: {filter}, {category} or {sort}; `cleared` that all is
   * to be taken off. */
  constructor(dialog, { changed, cleared }) {
    this._dialog = dialog;
    this._changed = changed;
    this._whole = new Set(); // facets of which all values are shown
    this._part = (selector) => dialog.querySelector(selector);
    this._prices = { low: amountField("low"), high: amountField("high") };
    for (const field of Object.values(this._prices)) field.onchange = () => this._priced();
    for (const selector of [".round", ".done"]) this._part(selector).onclick = () => this.close();
    this._part(".clear").onclick = cleared;
    dialog.addEventListener("click", (event) => event.target === dialog && this.close());
  }

  get open() {
    return this._dialog.open;
  }

  /** Open, at a facet where one is named. */
  show(field) {
    this._dialog.showModal();
    const group = field && this._part(`[data-group="${field}"]`);
    group?.scrollIntoView({ block: "start" });
    (group?.querySelector("h3") ?? this._part("h2")).focus({ preventScroll: true });
  }

  close() {
    if (this._dialog.open) this._dialog.close();
  }

  /** Draw what a state asks for, and what there is: {field: {counts, exact}} and how many are found. */
  draw(state, offers, { items, more }) {
    this._state = state;
    this._offers = offers;
    this._part(".done").textContent = say.showFound(items, more);
    const groups = this._part(".groups");
    redraw(groups, () => groups.replaceChildren(...this._groups()));
  }

  _groups() {
    const { filter = {}, category, sort } = this._state;
    const offers = this._offers;
    const sorts = Object.entries(say.SORTS).map(([value, name]) => {
      const ticked = value === (sort ?? "similarity");
      return this._option("sort", "radio", { value, name, ticked }, { sort: value === "similarity" ? null : value });
    });
    const categories = [{ value: null }, ...offers.category.counts].map(({ value, items }) =>
      this._option(
        "category",
        "radio",
        { value: value ?? "", name: value ? categoryName(value) : say.words.all, items, ticked: value === category },
        { category: value },
      ),
    );
    const lists = LISTS.map((field) => {
      const values = field === "size" ? sorted(offers[field].counts) : offers[field].counts;
      const options = values.map(({ value, items }) =>
        this._option(
          field,
          "checkbox",
          { value, name: value, items: offers[field].exact ? items : null, ticked: asks(filter, field, value) },
          { filter: toggled(filter, field, value) },
        ),
      );
      return options.length && this._group(field, this._shortened(field, options));
    });
    return [
      offers.price.counts.length && this._group("sort", sorts),
      categories.length > 2 && this._group("category", this._shortened("category", categories)),
      ...lists,
      offers.price.counts.length && this._group("price", [this._priceRange()]),
      offers.stock.counts.length > 0 && this._group("stock", [this._stock()]),
    ].filter(Boolean);
  }

  _group(field, options) {
    const title = make("h3", { tabIndex: -1, id: `filters-${field}` }, say.FACETS[field]);
    const box = make("div", { className: "options", role: "group" }, ...options);
    box.setAttribute("aria-labelledby", title.id);
    return make("section", { dataset: { group: field } }, title, box);
  }

  _option(field, type, { value, name, items, ticked }, patch) {
    const key = `${field} ${value}`;
    const input = make("input", { type, name: `filters-${field}`, value, checked: ticked, dataset: { key } });
    input.onchange = () => this._changed(patch);
    const count = items ? make("span", { className: "count" }, say.amount(items)) : null;
    return make("label", { className: "option" }, input, field === "color" ? swatch(name) : null, name, count);
  }

  /** The first ones and those that are chosen, until all are asked for. */
  _shortened(field, options) {
    if (this._whole.has(field) || options.length <= SHORT + 2) return options;
    const shown = options.filter((option, n) => n < SHORT || option.querySelector("input").checked);
    const all = () => {
      this._whole.add(field);
      const groups = this._part(".groups");
      redraw(groups, () => groups.replaceChildren(...this._groups()));
    };
    const key = `${field} ${options[SHORT].querySelector("input").value}`; // what comes in its place
    const text = say.moreOptions(options.length);
    return [...shown, make("button", { type: "button", className: "plain", dataset: { key }, onclick: all }, text)];
  }

  _priceRange() {
    const { low, high } = this._offers.price.counts[0];
    const { price } = this._state.filter ?? {};
    this._currency = low.currency;
    const { activeElement } = this._dialog.getRootNode();
    const labels = [
      ["low", say.words.lowest, low],
      ["high", say.words.highest, high],
    ].map(([end, name, { amount }]) => {
      const field = this._prices[end];
      field.placeholder = end === "low" ? Math.floor(amount) : Math.ceil(amount);
      if (field !== activeElement) field.value = price?.[end] ?? "";
      return make("label", {}, make("span", {}, name), field);
    });
    return make("div", { className: "range" }, ...labels, make("span", {}, this._currency));
  }

  _priced() {
    const range = priceRange(this._prices.low.value, this._prices.high.value, this._currency);
    this._changed({ filter: withField(this._state.filter ?? {}, "price", range) });
  }

  _stock() {
    const { filter = {} } = this._state;
    const items = this._offers.stock.exact && this._offers.stock.counts.find(({ value }) => value === "in_stock")?.items;
    const shown = { value: "in_stock", name: say.words.inStock, items, ticked: Boolean(filter.stock) };
    return this._option("stock", "checkbox", shown, { filter: withField(filter, "stock", !filter.stock) });
  }
}

const amountField = (key) =>
  make("input", { type: "number", min: 0, step: "any", inputMode: "decimal", dataset: { key } });

function sorted(counts) {
  const order = bySize(counts.map(({ value }) => value));
  return counts.toSorted((one, other) => order.indexOf(one.value) - order.indexOf(other.value));
}
