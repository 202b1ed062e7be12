// The regions: the garments that the search saw in the photo, as buttons on it.

import { area, contains, fromRegion, same } from "./boxes.js";
import { say } from "./language.js";

const SURE = 0.3; // confidence from which the server itself may search for one
const APART = 44; // pixels between two dots that a fingertip tells apart
// Where on its garment a dot may lie, the best first: a long coat's middle may be a skirt's.
const SPOTS = [
  [0.5, 0.5],
  [0.5, 0.28],
  [0.5, 0.72],
  [0.25, 0.5],
  [0.75, 0.5],
];

export class Regions {
  /** `chosen` hears the region whose button was pressed, {box, kind, name}. */
  constructor(stage, chosen) {
    const list = (this._list = stage.querySelector("#regions"));
    this._frame = stage.querySelector(".frame");
    this._chosen = chosen;
    this._told = null;
    this._seen = [];
    this._shown = []; // those that have a button
    new ResizeObserver(([{ contentRect }]) => this._place(contentRect)).observe(stage);
    for (const [type, shown] of Object.entries({ pointerover: true, pointerout: false, focusin: true, focusout: false })) {
      list.addEventListener(type, ({ target }) => this._outline(shown ? this._of(target) : null));
    }
  }

  /** Show the sure ones of those that a search told, from top to bottom; null: it has not told yet. */
  show(told) {
    if (told === this._told) return; // the button that has the focus keeps it
    this._told = told;
    this._seen = (told ?? []).map((region) => ({ ...region, box: fromRegion(region.box) })).filter(({ box }) => box);
    const shown = this._seen.filter(({ confidence }) => confidence >= SURE);
    shown.sort((one, other) => middle(one.box) - middle(other.box));
    shown.forEach((region, n) => (region.name = say.regionName(region.kind, n + 1, shown.length)));
    this._shown = shown;
    this._list.replaceChildren(...shown.map((region) => this._button(region)));
    this._list.hidden = shown.length === 0;
    this._outline(null);
    this._place(this._list.getBoundingClientRect());
  }

  /** Mark the one that has this box, if one does; it is returned. */
  mark(box) {
    const marked = this._shown.find((region) => same(region.box, box));
    this._shown.forEach((region, n) => (this._list.children[n].ariaPressed = String(region === marked)));
    return marked;
  }

  /** The box of the garment at a point, other than this one: the smallest of the sure ones, or else the
   * surest of the small ones, of at most `most` of the photo; undefined where there is none. */
  at(point, box, most) {
    const there = this._seen.filter((region) => contains(region.box, point) && !same(region.box, box));
    const sure = there.filter((region) => this._shown.includes(region));
    if (sure.length) return sure.sort((one, other) => area(one.box) - area(other.box))[0].box;
    return there.find((region) => area(region.box) <= most)?.box; // the surest come first
  }

  _button(region) {
    const button = document.createElement("button");
    button.type = "button";
    button.ariaLabel = region.name;
    button.addEventListener("click", () => this._chosen(region));
    return button;
  }

  /** Lay the dots on a stage of this size, so that none covers another. */
  _place({ width, height }) {
    const dots = [];
    this._shown.forEach(({ box }, n) => {
      const dot = spot(box, dots, width, height);
      dots.push(dot);
      const { style } = this._list.children[n];
      style.left = `${dot[0] * 100}%`;
      style.top = `${dot[1] * 100}%`;
    });
  }

  _of(target) {
    return this._shown[[...this._list.children].indexOf(target)];
  }

  /** Show what a button would choose. */
  _outline(region) {
    this._frame.hidden = !region;
    if (!region) return;
    const { x, y, w, h } = region.box;
    const sides = { left: x, top: y, width: w, height: h };
    for (const [side, value] of Object.entries(sides)) this._frame.style[side] = `${value * 100}%`;
  }
}

const middle = ({ y, h }) => y + h / 2;

/** A place on a box that is not on another's dot; its middle, where there is none. */
function spot({ x, y, w, h }, taken, width, height) {
  const spots = SPOTS.map(([across, down]) => [x + w * across, y + h * down]);
  const free = ([px, py]) => taken.every(([qx, qy]) => Math.hypot((px - qx) * width, (py - qy) * height) >= APART);
  return spots.find(free) ?? spots[0];
}
