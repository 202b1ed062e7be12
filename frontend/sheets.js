// The sheets: the app's styles, built once for all elements of a document.
//
// Sheets that are built from text need no permission to style in the policy (CSP) of the page around.

const START = ["base", "start", "recent"];
const SEARCH = ["stage", "results", "refine", "all-filters", "cards", "viewer", "why"];

const startTexts = textsOf(START);
let start, search;

/** The sheets that the start needs, for a shadow root of the document. */
export const sheets = (root) => (start ??= build(startTexts, readersSize(root)));

/** Add those that the search view needs. */
export async function addSearchSheets(root) {
  search ??= build(textsOf(SEARCH), readersSize(root)).catch((error) => {
    search = undefined; // to be asked for again
    throw error;
  });
  const added = (await search).filter((sheet) => !root.adoptedStyleSheets.includes(sheet));
  root.adoptedStyleSheets = [...root.adoptedStyleSheets, ...added];
}

function textsOf(names) {
  return Promise.all(names.map(async (name) => (await fetch(new URL(`./${name}.css`, import.meta.url))).text()));
}

/** One rem is as large as the reader's own text; many shops' pages set it to 10 pixels. */
async function build(texts, rem) {
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
