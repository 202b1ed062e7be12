// The crop box: the part of the photo that is searched for, chosen by touch, mouse or keyboard.

import { area, around, contains, pinched, resized, shifted, spanned, tidy, WHOLE } from "./boxes.js";
import { followPointers } from "./pointing.js";
import { Regions } from "./regions.js";

const SETTLED_MS = 300;
const STEP = 0.02; // of the photo, by one key
const NARROWER = 0.6; // of the box: a tap on it takes a part that is smaller than this

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class CropBox {
  /** `moved` hears every change at once, `settled` the box once it has rested for 300 ms, and at
   * once where it was tapped: shares of the photo's width and height, or null for the whole photo,
   * and the region whose box it is, if it is one's. */
  constructor(stage, { moved, settled }) {
    this._stage = stage;
    this._box = stage.querySelector("#crop");
    this._shade = stage.querySelector(".shade");
    this._regions = new Regions(stage, ({ box }) => this._change(box, 0));
    this._moved = moved;
    this._settled = settled;
    this._timer = 0;
    this.region = undefined; // the one whose box it is, if it is one's
    this.show(null);
    followPointers(stage, {
      tap: (point, event) => this._tap(point, event),
      drag: (point, event) => this._drag(point, event),
      pinch: () => this._pinch(),
      handle: (element) => Boolean(element.dataset.edge),
    });
    stage.addEventListener("keydown", (event) => this._key(event));
  }

  /** Show a box without telling anyone. */
  show(crop) {
    clearTimeout(this._timer);
    this._place(crop ?? WHOLE);
  }

  /** Show what a search saw in the photo. */
  see(regions) {
    this._regions.show(regions);
    this._place(this._rect);
  }

  /** Back to the whole photo. */
  clear() {
    this._change(WHOLE, 0);
  }

  get value() {
    return tidy(this._rect);
  }

  _place(rect) {
    this._rect = rect;
    for (const { style } of [this._box, this._shade]) {
      style.left = `${rect.x * 100}%`;
      style.top = `${rect.y * 100}%`;
      style.width = `${rect.w * 100}%`;
      style.height = `${rect.h * 100}%`;
    }
    this.region = this._regions.mark(this.value);
    this._stage.classList.toggle("cropped", this.value !== null);
    this._stage.classList.toggle("own", this.value !== null && !this.region);
  }

  _change(rect, settledAfter = SETTLED_MS) {
    const before = JSON.stringify(this.value);
    this._place(rect);
    if (JSON.stringify(this.value) === before) return;
    this._moved(this.value);
    clearTimeout(this._timer);
    this._timer = setTimeout(() => this._settled(this.value, this.region), settledAfter);
  }

  /** What is at the point is meant: a garment that was seen, or else what lies around it. */
  _tap(point, { target }) {
    if (target.closest("button")) return; // it has its click
    const nearby = around(point, this._shape);
    const box = this._regions.at(point, this.value, area(nearby)) ?? nearby;
    const on = this.value && contains(this._rect, point);
    // A tap on the box is often one that missed a handle: only a smaller thing there is meant.
    if (on && area(box) > NARROWER * area(this._rect)) return;
    this._change(box, 0);
  }

  /** A handle is pulled, and the shopper's own box is moved; anywhere else a new one is drawn. */
  _drag(from, event) {
    const edge = this._edgeAt(event);
    const start = { ...this._rect };
    const own = this._stage.classList.contains("own") && contains(start, from);
    this._box.focus({ preventScroll: true });
    return ([x, y]) => {
      if (edge) this._change(resized(start, edge, x - from[0], y - from[1]));
      else if (own) this._change(shifted(start, x - from[0], y - from[1]));
      else this._change(spanned(from, [x, y]));
    };
  }

  /** The handle at a point, also below a region's dot. */
  _edgeAt({ clientX, clientY }) {
    const there = this._stage.getRootNode().elementsFromPoint(clientX, clientY);
    return there.find((element) => this._box.contains(element) && element.dataset.edge)?.dataset.edge;
  }

  _pinch() {
    const start = { ...this._rect };
    return (scale, from, to) => this._change(pinched(start, scale, from, to));
  }

  get _shape() {
    const { width, height } = this._stage.getBoundingClientRect();
    return width / height;
  }

  _key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const arrow = event.target === this._box && ARROWS[event.key];
    if (event.key === "Escape" && this.value) this.clear();
    else if (!arrow) return;
    else if (event.shiftKey) this._change(resized(this._rect, "se", arrow[0] * STEP, arrow[1] * STEP));
    else this._change(shifted(this._rect, arrow[0] * STEP, arrow[1] * STEP));
    event.preventDefault(); // or the page scrolls
  }
}
