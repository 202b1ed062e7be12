// The crop box: a part of the photo, chosen by touch, mouse or keyboard.

const SETTLED_MS = 300;
const STEP = 0.02; // of the photo, by one key
const LEAST = 0.1; // of the photo's width and height
const DRAG_PIXELS = 6; // less is a click

const WHOLE = { x: 0, y: 0, w: 1, h: 1 };
const short = (share) => Math.round(share * 1e4) / 1e4;
const clamp = (value, least, most) => Math.min(most, Math.max(least, value));

export class CropBox {
  /** `moved` hears every change at once, `settled` the box once it has rested for 300 ms: shares
   * of the photo's width and height, or null for the whole photo. */
  constructor(stage, { moved, settled }) {
    this._stage = stage;
    this._box = stage.querySelector("#crop");
    this._shade = stage.querySelector(".shade");
    this._moved = moved;
    this._settled = settled;
    this._timer = 0;
    this.show(null);
    stage.addEventListener("pointerdown", (event) => this._grab(event));
    this._box.addEventListener("keydown", (event) => this._key(event));
  }

  /** Show a box without telling anyone. */
  show(crop) {
    clearTimeout(this._timer);
    this._place(crop ?? WHOLE);
  }

  /** Back to the whole photo. */
  clear() {
    this._change(WHOLE);
  }

  get value() {
    const { x, y, w, h } = this._rect;
    if (w > 0.995 && h > 0.995) return null;
    return { x: short(x), y: short(y), w: short(w), h: short(h) };
  }

  _place(rect) {
    this._rect = rect;
    for (const { style } of [this._box, this._shade]) {
      style.left = `${rect.x * 100}%`;
      style.top = `${rect.y * 100}%`;
      style.width = `${rect.w * 100}%`;
      style.height = `${rect.h * 100}%`;
    }
    this._stage.classList.toggle("cropped", this.value !== null);
  }

  _change(rect) {
    const before = JSON.stringify(this.value);
    this._place(rect);
    if (JSON.stringify(this.value) === before) return;
    this._moved(this.value);
    clearTimeout(this._timer);
    this._timer = setTimeout(() => this._settled(this.value), SETTLED_MS);
  }

  _grab(event) {
    if (event.button !== 0 || !event.isPrimary) return;
    const { edge } = event.target.dataset;
    const inside = this.value && this._box.contains(event.target);
    // A finger on the photo scrolls the page unless it is on the box; a mouse draws a new box.
    if (!edge && !inside && event.pointerType === "touch") return;
    event.preventDefault();
    this._box.focus({ preventScroll: true });
    const { left, top, width, height } = this._stage.getBoundingClientRect();
    const at = ({ clientX, clientY }) => [
      clamp((clientX - left) / width, 0, 1),
      clamp((clientY - top) / height, 0, 1),
    ];
    const start = { ...this._rect };
    const [x0, y0] = at(event);
    let dragging = false;
    const move = (e) => {
      if (e.pointerId !== event.pointerId) return;
      dragging ||= Math.hypot(e.clientX - event.clientX, e.clientY - event.clientY) >= DRAG_PIXELS;
      if (!dragging) return;
      const [x, y] = at(e);
      if (edge) this._change(resized(start, edge, x - x0, y - y0));
      else if (inside) this._change(shifted(start, x - x0, y - y0));
      else this._change(spanned(x0, y0, x, y));
    };
    const end = (e) => {
      if (e.pointerId !== event.pointerId) return;
      for (const name of ["pointermove", "pointerup", "pointercancel"]) {
        this._stage.removeEventListener(name, name === "pointermove" ? move : end);
      }
    };
    this._stage.setPointerCapture(event.pointerId);
    this._stage.addEventListener("pointermove", move);
    this._stage.addEventListener("pointerup", end);
    this._stage.addEventListener("pointercancel", end);
  }

  _key(event) {
    const [dx, dy] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key] ?? [];
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape" && this.value) this.clear();
    else if (dx === undefined) return;
    else if (event.shiftKey) this._change(resized(this._rect, "se", dx * STEP, dy * STEP));
    else this._change(shifted(this._rect, dx * STEP, dy * STEP));
    event.preventDefault(); // or the page scrolls
  }
}

const shifted = ({ x, y, w, h }, dx, dy) => ({
  x: clamp(x + dx, 0, 1 - w),
  y: clamp(y + dy, 0, 1 - h),
  w,
  h,
});

/** A box as the API has it: x0, y0, x1, y1. */
export const toRegion = ({ x, y, w, h }) => [x, y, x + w, y + h].map((share) => Math.min(1, short(share)));

/** The box of a region of the API, or null for the whole photo. */
export const fromRegion = (region) =>
  region ? { x: region[0], y: region[1], w: region[2] - region[0], h: region[3] - region[1] } : null;

function resized({ x, y, w, h }, edge, dx, dy) {
  let [left, top, right, bottom] = [x, y, x + w, y + h];
  if (edge.includes("w")) left = clamp(left + dx, 0, Math.max(0, right - LEAST));
  if (edge.includes("e")) right = clamp(right + dx, Math.min(1, left + LEAST), 1);
  if (edge.includes("n")) top = clamp(top + dy, 0, Math.max(0, bottom - LEAST));
  if (edge.includes("s")) bottom = clamp(bottom + dy, Math.min(1, top + LEAST), 1);
  return { x: left, y: top, w: right - left, h: bottom - top };
}

function spanned(x0, y0, x1, y1) {
  const w = Math.max(LEAST, Math.abs(x1 - x0));
  const h = Math.max(LEAST, Math.abs(y1 - y0));
  return { x: clamp(Math.min(x0, x1), 0, 1 - w), y: clamp(Math.min(y0, y1), 0, 1 - h), w, h };
}
