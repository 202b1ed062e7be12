// The events: what the page around the element is told, for its own statistics.

export class Events {
  /** `element` is where they come from. */
  constructor(element) {
    this._element = element;
  }

  /** A photo was searched with; so many products were found. The photo itself is not told. */
  searched(match, products) {
    this._tell("lens-search", { match, products });
  }

  /** A product is looked at more closely. */
  opened({ item_id, rank }) {
    this._tell("lens-open", { item_id, rank });
  }

  /** A product was asked for at the shop. */
  shopped({ item_id, rank }, link) {
    this._tell("lens-shop", { item_id, rank, link });
  }

  /** Something went wrong, by its code. */
  failed(code) {
    this._tell("lens-error", { code });
  }

  _tell(name, detail) {
    this._element.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }
}
