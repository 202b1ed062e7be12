// Refining: the row above the results, by which they are narrowed and sorted, and what it opens.

import { AllFilters } from "./all-filters.js";
import { sizeOf } from "./answer.js";
import { cleared, drawAsked } from "./asked.js";
import { Categories } from "./categories.js";
import { Counts, FIELDS, facetOf, freed } from "./counts.js";
import { conditions, LISTS, withField } from "./filter.js";
import { say } from "./language.js";
import { icon, make, redraw } from "./make.js";

const SLIDERS = "M4 7h10M18 7h2M4 17h2M10 17h10M16 5v4M8 15v4";
const DOWN = "m8 10 4 4 4-4";

export class Refine {
  /** `changed` hears another state, and whether it is one more step of the one before. `count` resolves
   * to the facets of a state that are counted alone. */
  constructor(root, { changed, count }) {
    this._root = root;
    this._count = count;
    this._counts = new Counts();
    this._near = []; // the categories of the results, as long as none is asked for
    this._menus = root.querySelector("#refine .menus");
    this._asked = root.getElementById("asked");
    this._changed = (state) => {
      changed(state, this._all.open && this._stepped);
      this._stepped = true; // back leads to what was before the sheet was opened
    };
    this._all = new AllFilters(root.getElementById("filters"), {
      changed: (patch) => this._changed({ ...this._state, ...patch }),
      cleared: () => this._changed(cleared(this._state)),
    });
    const category = (name) => this._changed({ ...this._state, category: name });
    this.categories = new Categories(root.getElementById("filter"), category);
  }

  /** Draw what a state asks for and, where there is an answer to it, what else there is. */
  show(state, found) {
    this._state = state;
    this._found = found ?? this._found;
    const some = Boolean(found?.hits.length);
    if (some) this._counts.learn(state, found.facets);
    if (some && state.category === null) this._near = [...new Set(found.hits.map(({ category }) => category))];
    // Until something is found, what was offered before stays where it is.
    if (some || !this._offers) this._offers = Object.fromEntries(FIELDS.map((field) => [field, this._offer(field)]));
    this.categories.show(state.category, this._near);
    redraw(this._menus, () => this._menus.replaceChildren(...this._bar()));
    this._menus.hidden = !this._counts.feed;
    drawAsked(this._asked, state, this._changed);
    if (this._all.open) this._drawAll();
  }

  close() {
    this._all.close();
  }

  /** What a field offers; what is asked for is offered, too. */
  _offer(field) {
    const { counts, exact } = this._counts.of(this._state, field);
    const known = new Set(counts.map(({ value }) => value));
    const chosen = LISTS.includes(field) ? (this._state.filter?.[field] ?? []) : [];
    const category = field === "category" && this._state.category;
    const others = [...chosen, ...(category ? [category] : [])].filter((value) => !known.has(value));
    return { counts: [...counts, ...others.map((value) => ({ value, items: null }))], exact };
  }

  _drawAll() {
    this._all.draw(this._state, this._offers, sizeOf(this._found));
  }

  _bar() {
    const { filter = {}, sort } = this._state;
    const active = conditions(filter).length;
    const all = this._menu("all", [icon(SLIDERS), say.words.filters, active ? make("b", {}, say.amount(active)) : null]);
    const fields = [...LISTS, "price"].filter((field) => this._offers[field].counts.length > 1 || filter[field] || field === "price");
    return [
      all,
      this._offers.price.counts.length || sort ? this._sorting(sort) : null,
      ...fields.filter((field) => this._offers[field].counts.length).map((field) => this._facet(field, filter[field])),
      this._offers.stock.counts.length > 1 || filter.stock ? this._stock(filter) : null,
    ].filter(Boolean);
  }

  _facet(field, asked) {
    const values = asked ? conditions({ [field]: asked }).map(say.condition) : [];
    const menu = this._menu(field, [say.menu(say.FACETS[field], values), icon(DOWN)]);
    menu.classList.toggle("on", values.length > 0);
    return menu;
  }

  _menu(key, parts) {
    const menu = make("button", { type: "button", className: "menu", dataset: { key }, onclick: () => this._open(key) }, ...parts);
    menu.setAttribute("aria-haspopup", "dialog");
    return menu;
  }

  _stock(filter) {
    const act = () => this._changed({ ...this._state, filter: withField(filter, "stock", !filter.stock) });
    const pressed = Boolean(filter.stock);
    const button = { type: "button", ariaPressed: String(pressed), dataset: { key: "stock" }, onclick: act };
    return make("button", { ...button, className: pressed ? "menu on" : "menu" }, say.words.inStock);
  }

  _sorting(sort) {
    const chosen = sort ?? "similarity";
    const options = Object.entries(say.SORTS).map(([value, name]) => new Option(name, value, false, value === chosen));
    const select = make("select", { ariaLabel: say.words.sort, dataset: { key: "sort" } }, ...options);
    select.onchange = () =>
      this._changed({ ...this._state, sort: select.value === "similarity" ? null : select.value });
    return make("span", { className: sort ? "menu on" : "menu" }, select, icon(DOWN));
  }

  _open(key) {
    this._stepped = false;
    this._drawAll();
    this._all.show(key === "all" ? null : key);
    this._complete();
  }

  /** Ask for what the answers did not count: other colors than the one that is asked for, say. */
  async _complete() {
    const state = this._state;
    for (const field of this._counts.missing(state)) {
      const facets = await this._count(freed(state, field), facetOf(field)).catch(() => null);
      if (!facets) continue; // what is known is offered
      this._counts.put(state, field, facets[facetOf(field)]);
      this._offers[field] = this._offer(field);
      if (this._all.open) this._drawAll();
    }
  }
}
