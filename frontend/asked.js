// What is asked beside the photo: products liked and not liked, and the filter, each to be taken off.

import { conditions, without } from "./filter.js";
import { say } from "./language.js";
import { icon, make, redraw } from "./make.js";

const CROSS = "m7 7 10 10M17 7 7 17";

/** A state that asks for the photo alone, or without one for what is liked. */
export const cleared = (state) => ({
  ...state,
  category: null,
  filter: {},
  sort: null,
  like: state.photo ? [] : state.like,
  unlike: [],
  view: null,
});

/** Draw a chip for each thing that is asked for; `changed` hears the state without it. */
export function drawAsked(list, state, changed) {
  const { filter = {}, like = [], unlike = [] } = state;
  const chips = [
    ...like.map((one) => exampleChip(one, "like", state, changed)),
    ...unlike.map((one) => exampleChip(one, "unlike", state, changed)),
    ...conditions(filter).map((one) => {
      const text = say.condition(one);
      const off = () => changed({ ...state, filter: without(filter, one) });
      return chip(`${one.field} ${text}`, say.takeOff(text), [text], off);
    }),
  ];
  list.hidden = chips.length === 0;
  redraw(list, () => list.replaceChildren(...chips, chips.length > 1 ? clearAll(state, changed) : ""));
}

function exampleChip(example, kind, state, changed) {
  const { title, thumb } = example;
  const liked = kind === "like";
  const image = make("img", { src: `${thumb}?size=64`, alt: "", width: 32, height: 40 });
  const label = make("small", {}, liked ? say.words.moreLike : say.words.lessLike);
  const text = make("span", {}, label, title);
  const off = () => changed({ ...state, [kind]: state[kind].filter((one) => one !== example) });
  const made = chip(`${kind} ${example.same}`, say.exampleLabel(liked, title), [image, text], off);
  made.classList.add(kind);
  return made;
}

function chip(key, label, parts, off) {
  const button = { type: "button", ariaLabel: label, dataset: { key }, onclick: off };
  return make("li", {}, make("button", button, ...parts, icon(CROSS)));
}

function clearAll(state, changed) {
  const button = { type: "button", className: "plain", dataset: { key: "all" }, onclick: () => changed(cleared(state)) };
  return make("li", {}, make("button", button, say.words.clearAll));
}
