// What the files of words export, as JSON: for each language and name its kind, how many arguments it
// takes, what it says, and which of the arguments it says again.

import { LANGUAGES } from "../../frontend/language.js";

const MARKS = ["3", "5", "7", "9"]; // texts, and numbers too; no word has these digits

const said = (texts) => texts.flat(Infinity).filter((text) => typeof text === "string");

/** What a function says of marks, and of nothing; it may want other arguments. */
function tried(make) {
  const texts = [MARKS, []].map((given) => {
    try {
      return make(...given);
    } catch {
      return [];
    }
  });
  return said(texts);
}

function* described(value, name) {
  if (typeof value === "string") yield [name, { kind: "text", says: [value] }];
  else if (Array.isArray(value)) yield [name, { kind: `list of ${value.length}`, says: said(value) }];
  else if (typeof value === "function") {
    const says = tried(value);
    const marks = MARKS.filter((mark) => says.some((text) => text.includes(mark)));
    yield [name, { kind: `function of ${value.length}`, says, marks, source: value.toString() }];
  } else for (const [key, one] of Object.entries(value)) yield* described(one, name ? `${name}.${key}` : key);
}

const told = {};
for (const language of LANGUAGES) {
  const words = await import(`../../frontend/words/${language}.js`);
  told[language] = Object.fromEntries(described({ ...words }, ""));
}
console.log(JSON.stringify(told));
