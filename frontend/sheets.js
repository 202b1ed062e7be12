// The sheets: the app's styles, built once for all elements of a document.
//
// Sheets that are built from text need no permission to style in the policy (CSP) of the page around.

const NAMES = ["base", "start", "recent", "stage", "results", "refine", "all-filters", "cards", "viewer", "why"];

const texts = Promise.all(
  NAMES.map(async (name) => (await fetch(new URL(`./${name}.css`, import.meta.url))).text()),
);
let built;

/** The sheets, for a shadow root of the document. */
export const sheets = (root) => (built ??= build(readersSize(root)));

/** One rem is as large as the reader's own text; many shops' pages set it to 10 pixels. */
async function build(rem) {
  return (await texts).map((text) => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(text.replace(/([\d.]+)rem\b/g, (_, size) => `${size * rem}px`));
    return sheet;
  });
}

/** The text's size that the reader chose in the browser, in pixels. */
function readersSize(root) {
  const probe = root.appendChild(document.createElement("span"));
  probe.style.fontSize = "medium";
  const size = Number.parseFloat(getComputedStyle(probe).fontSize);
  probe.remove();
  return size;
}
