// The widget: <image-lens>, an element that holds the app in a shadow root of its own. The page is one
// with the attribute `page`; `api` is the server's address, by default where this file comes from.

import { sheets } from "./sheets.js";

// Not awaited one after the other: the sheets are on their way meanwhile.
const parts = Promise.all([import("./app.js"), import("./markup.js")]);

class ImageLens extends HTMLElement {
  async connectedCallback() {
    const { signal } = (this._inside = new AbortController());
    const app = await (this._ready ??= this._build());
    if (!signal.aborted) app.enter(signal);
  }

  disconnectedCallback() {
    this._inside.abort();
  }

  async _build() {
    const address = addressOf(this.getAttribute("api"));
    const root = this.attachShadow({ mode: "open" });
    const [[{ App }, { markup }], styles] = await Promise.all([parts, sheets(root)]);
    root.adoptedStyleSheets = styles; // nothing is shown without its style
    root.append(markup());
    return new App(root, { address, page: this.hasAttribute("page") });
  }
}

function addressOf(api) {
  if (api === null) return new URL(import.meta.url).origin;
  if (URL.canParse(api)) return new URL(api).origin;
  throw new Error(`<image-lens api="${api}">: write the server's whole address, like https://lens.example`);
}

if (!customElements.get("image-lens")) customElements.define("image-lens", ImageLens);
