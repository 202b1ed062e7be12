// The categories to choose from: those of the results first, the others in a list.

import { say } from "./language.js";
import { make } from "./make.js";
import { categoryName } from "./product.js";

const NEAR = 5;

export class Categories {
  /** `chosen` hears a category, or null for everything. */
  constructor(form, chosen) {
    this._form = form;
    this._chips = form.querySelector(".chips");
    this._select = form.querySelector("select");
    this._known = [];
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("change", ({ target }) => {
      if (target.value !== "…") chosen(target.value || null);
    });
  }

  /** Learn the catalog's categories: their names and numbers of photos. */
  know(categories) {
    this._known = categories;
  }

  /** Show the choice; `near` are the names of those that the results have, the nearest first. */
  show(category, near) {
    const offered = [...new Set([null, ...near.filter(Boolean).slice(0, NEAR), category])];
    const { activeElement } = this._form.getRootNode();
    const focused = this._chips.contains(activeElement);
    this._chips.replaceChildren(...offered.map((name) => chip(name, name === category)));
    if (focused) this._chips.querySelector(":checked").focus({ preventScroll: true });
    const others = this._known.filter(({ category: name }) => name && !offered.includes(name));
    const invitation = new Option(say.words.otherCategoriesShort, "…", true, true);
    this._select.replaceChildren(
      invitation,
      ...others.map(({ category: name, photos }) => new Option(say.chip(categoryName(name), photos), name)),
    );
    this._select.parentElement.hidden = others.length === 0;
    this._form.hidden = offered.length + others.length < 3;
  }
}

function chip(name, checked) {
  const input = make("input", { type: "radio", name: "category", value: name ?? "", checked });
  return make("label", { className: "chip" }, input, name ? categoryName(name) : say.words.all);
}
