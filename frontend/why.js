// Why: which parts of the shopper's photo and of a hit make the two alike, drawn over both.

import { say } from "./language.js";

const VEIL = [16, 14, 12, 190]; // over what adds nothing: red, green, blue and opacity

export class Why {
  constructor(viewer, api) {
    const [large, below, ways] = [".large", ".facts", ".ways"].map((name) => viewer.querySelector(name));
    this._api = api;
    this._image = large.querySelector("img");
    this._button = ways.appendChild(element("button", "quiet why"));
    this._button.type = "button";
    this._button.textContent = say.words.why;
    this._hitVeil = large.appendChild(element("canvas", "veil"));
    this._own = large.appendChild(element("canvas", "own"));
    this._own.role = "img";
    this._own.ariaLabel = say.words.yourPhoto;
    this._words = below.appendChild(element("p", "because"));
    this._words.role = "status";
    this._offered = null;
    this._wanted = false; // stays so for the next hit
    this._button.addEventListener("click", () => this._turn(!this._wanted));
    this._image.addEventListener("load", () => this._draw());
    new ResizeObserver(() => this._draw()).observe(large);
    this.offer(null);
  }

  /** Offer to tell for {hit, photo, region}; nothing where it cannot be told. */
  offer(asked) {
    const name = asked && [asked.hit.photo_id, asked.photo.id, asked.region].join();
    if (name === this._name) return;
    this._name = name;
    this._running?.abort();
    this._offered = asked || null;
    this._told = null;
    this._button.hidden = !asked;
    this._turn(Boolean(asked) && this._wanted, this._wanted);
  }

  _turn(on, wanted = on) {
    this._wanted = wanted;
    this._button.ariaPressed = String(on);
    this._words.textContent = "";
    if (on && !this._told) this._find();
    else this._show();
  }

  async _find() {
    this._running?.abort();
    const { hit, photo, region } = this._offered;
    const { signal } = (this._running = new AbortController());
    this._words.textContent = say.words.whyAsked;
    this._draw();
    try {
      const told = await this._api.why(await photo.travelling(), hit.photo_id, region, signal);
      await photo.open();
      if (signal.aborted) return;
      this._told = told;
      this._show();
    } catch {
      if (!signal.aborted) this._words.textContent = say.words.whyFailed;
    }
  }

  _show() {
    const on = this._wanted && this._told;
    if (on) this._words.textContent = on.query || on.hit ? say.words.because : say.words.noPart;
    this._draw();
  }

  _draw() {
    const { query, hit } = (this._wanted && this._told) || {};
    this._hitVeil.hidden = !hit;
    if (hit) this._drawHit(hit);
    const canvas = this._offered?.photo.canvas; // none where the browser cannot decode the photo
    this._own.hidden = !query || !canvas;
    if (this._own.hidden) return;
    const scale = 360 / Math.max(canvas.width, canvas.height);
    this._own.width = Math.round(canvas.width * scale);
    this._own.height = Math.round(canvas.height * scale);
    this._own.getContext("2d").drawImage(canvas, 0, 0, this._own.width, this._own.height);
    veil(this._own, query);
  }

  /** The veil lies where the image's picture is, which is fit into it. */
  _drawHit(part) {
    const { naturalWidth: width, naturalHeight: height, offsetWidth, offsetHeight } = this._image;
    const scale = Math.min(offsetWidth / width, offsetHeight / height);
    const shown = { width: Math.round(width * scale), height: Math.round(height * scale) };
    if (!shown.width || !shown.height) return; // not loaded
    Object.assign(this._hitVeil, shown);
    this._hitVeil.style.left = `${this._image.offsetLeft + (offsetWidth - shown.width) / 2}px`;
    this._hitVeil.style.top = `${this._image.offsetTop + (offsetHeight - shown.height) / 2}px`;
    veil(this._hitVeil, part);
  }
}

/** Draw over a photo what dims it: the less, the more a place counts. */
function veil(canvas, { box: [x0, y0, x1, y1], places }) {
  const [red, green, blue, most] = VEIL;
  const [rows, columns] = [places.length, places[0].length];
  // With a rim, so that what is outside of the box is dimmed to the edge of the photo.
  const pixels = new ImageData(columns + 2, rows + 2);
  for (let row = 0; row < rows + 2; row++) {
    for (let column = 0; column < columns + 2; column++) {
      const share = places[row - 1]?.[column - 1] ?? 0;
      pixels.data.set([red, green, blue, most * (1 - share)], 4 * (row * (columns + 2) + column));
    }
  }
  const small = element("canvas");
  Object.assign(small, { width: columns + 2, height: rows + 2 });
  small.getContext("2d").putImageData(pixels, 0, 0);
  const { width, height } = canvas;
  const [across, down] = [((x1 - x0) * width) / columns, ((y1 - y0) * height) / rows];
  // Whole pixels, or a seam would show.
  const left = Math.round(x0 * width - across / 2);
  const top = Math.round(y0 * height - down / 2);
  const inside = [left, top, Math.round(across * (columns + 1)), Math.round(down * (rows + 1))];
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(small, 0.5, 0.5, columns + 1, rows + 1, ...inside);
  const around = new Path2D();
  around.rect(0, 0, width, height);
  around.rect(...inside);
  context.fillStyle = `rgb(${red} ${green} ${blue} / ${most / 255})`;
  context.clip(new Path2D(`M0 0H${width}V${height}H0Z`));
  context.fill(around, "evenodd");
}

function element(name, className = "") {
  const made = document.createElement(name);
  made.className = className;
  return made;
}
