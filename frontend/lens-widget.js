// The widget: <image-lens>, an element that holds the app in a shadow root of its own. The page is one
// with the attribute `page`; `api` is the server's address, by default where this file comes from.

import { App } from "./app.js";
import { markup } from "./markup.js";

const SHEETS = ["base", "start", "stage", "results", "cards", "viewer", "why"];

// Sheets that are built from text need no permission to style in the policy (CSP) of the page around.
const sheets = Promise.all(
  SHEETS.map(async (name) => {
    const sheet = new CSSStyleSheet();
    const reply = await fetch(new URL(`./${name}.css`, import.meta.url));
    sheet.replaceSync(await reply.text());
    return sheet;
  }),
);

class ImageLens extends HTMLElement {
  async connectedCallback() {
    if (this.shadowRoot) return; // moved to another place in the page
    const root = this.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = await sheets; // nothing is shown without its style
    root.append(markup());
    const address = new URL(this.getAttribute("api") ?? import.meta.url, document.baseURI);
    new App(root, { address: address.href, page: this.hasAttribute("page") });
  }
}

if (!customElements.get("image-lens")) customElements.define("image-lens", ImageLens);
