// The viewer: one photo of an item, large, with its other views and what can be done with it.

import { say } from "./language.js";
import { redraw } from "./make.js";
import { itemName } from "./product.js";
import { drawMatch, drawPrice, drawShop, viewButton } from "./results.js";
import { Share } from "./share.js";
import { drawChoice } from "./variants.js";

export class Viewer {
  /** `ask` resolves to an item with all its photos. `look` hears another view to look at, `like` and
   * `unlike` a hit that is, or is not, what is wanted, `anew` one to search with, `shop` one whose product
   * was asked for at the shop, `closed` that it was. `addressOf` knows where the catalog can be searched
   * with a hit, or null. */
  constructor(dialog, { ask, look, like, unlike, anew, shop, addressOf, closed }) {
    this._dialog = dialog;
    this._ask = ask;
    this._look = look;
    this._shared = () => this._sold?.link || addressOf(this._hit); // the variant that was chosen
    this._hit = null;
    const part = (this._part = (selector) => dialog.querySelector(selector));
    part("#close").addEventListener("click", closed);
    part(".more").addEventListener("click", () => like(this._hit));
    part(".less").addEventListener("click", () => unlike(this._hit));
    part(".anew").addEventListener("click", () => anew(this._hit));
    this._shop = () => shop(this._hit);
    new Share(part(".share"), () => ({ title: itemName(this._hit).title, url: this._shared() }));
    dialog.addEventListener("cancel", (event) => {
      event.preventDefault();
      closed();
    });
    dialog.addEventListener("click", (event) => event.target === dialog && closed());
    dialog.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (step) this._step(step);
    });
  }

  /** Show a hit, and `views` of the same item until the server has named all. */
  show(hit, views) {
    const sameItem = this._dialog.open && this._hit?.item_id === hit.item_id;
    // A view that the search did not find is known by its photo alone.
    const product = hit.product ?? (sameItem ? this._hit.product : null);
    this._hit = { ...hit, product };
    const { title, below } = itemName(this._hit);
    const image = this._part(".large img");
    // A browser that cannot decode the catalog's photo (HEIC) shows its thumbnail.
    image.onerror = () => {
      image.onerror = null;
      image.src = hit.thumb_url;
    };
    image.src = hit.image_url;
    image.alt = `${title}, ${below}`;
    this._part("h2").textContent = title;
    this._part(".category").textContent = below;
    drawMatch(this._part(".match"), hit);
    this._sell(product);
    this._part(".fine").textContent =
      hit.similarity === undefined ? "" : say.similarityExactly(hit.similarity);
    this._part(".original").href = hit.image_url;
    if (sameItem) this._mark();
    else this._list(views);
    if (!this._dialog.open) {
      this._dialog.showModal();
      this._part("h2").focus();
    }
    if (!sameItem) this._complete(hit, views);
  }

  /** Show what a product costs, what it comes in, and the way to it at the shop. */
  _sell(product) {
    this._sold = product;
    this._part(".sharing").hidden = !this._shared();
    drawPrice(this._part(".price"), product);
    drawShop(this._part(".shop"), product, this._shop);
    const choice = this._part(".choice");
    redraw(choice, () => drawChoice(choice, product, (variant) => this._sell({ ...product, ...variant })));
  }

  close() {
    if (this._dialog.open) this._dialog.close();
    this._hit = null;
  }

  async _complete(hit, views) {
    try {
      const known = new Map(views.map((view) => [view.key, view]));
      const { photos } = await this._ask(hit.item_id);
      const rest = photos.filter(({ key }) => !known.has(key));
      if (this._hit?.item_id === hit.item_id && rest.length) this._list([...views, ...rest]);
    } catch {
      // The views that the search found are enough.
    }
  }

  _list(views) {
    this._views = views;
    const { title, below } = itemName(this._hit);
    const buttons = views.map((view, n) =>
      viewButton(view, say.viewLabel(`${title}, ${below}`, n + 1), () => this._look(view)),
    );
    this._part(".views").hidden = views.length < 2;
    this._part(".views").replaceChildren(...buttons);
    this._mark();
  }

  _mark() {
    [...this._part(".views").children].forEach((entry, n) => {
      const shown = this._views[n].key === this._hit.key;
      entry.firstChild.ariaPressed = String(shown);
    });
  }

  _step(step) {
    const place = this._views.findIndex(({ key }) => key === this._hit.key);
    const next = this._views[place + step];
    if (next) this._look(next);
  }
}
