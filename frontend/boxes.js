// Boxes: parts of a photo, {x, y, w, h} as shares of its width and height, and what is made of them.

export const WHOLE = { x: 0, y: 0, w: 1, h: 1 };

const LEAST = 0.1; // of the photo's width and height
const TAPPED = 0.45; // of the photo's shorter side: what is taken around a point

const short = (share) => Math.round(share * 1e4) / 1e4; // as the API rounds
const clamp = (value, least, most) => Math.min(most, Math.max(least, value));

/** Rounded as the API has it; null where it is the whole photo. */
export function tidy({ x, y, w, h }) {
  if (w > 0.995 && h > 0.995) return null;
  return { x: short(x), y: short(y), w: short(w), h: short(h) };
}

/** A box as the API has it: x0, y0, x1, y1. */
export const toRegion = ({ x, y, w, h }) => [x, y, x + w, y + h].map((share) => Math.min(1, short(share)));

/** The box of a region of the API, or null for the whole photo. */
export const fromRegion = (region) =>
  region ? tidy({ x: region[0], y: region[1], w: region[2] - region[0], h: region[3] - region[1] }) : null;

/** Whether two boxes, or nulls, are one to the API. */
export const same = (one, other) => String(one && toRegion(one)) === String(other && toRegion(other));

export const area = ({ w, h }) => w * h;
export const contains = ({ x, y, w, h }, [px, py]) => px >= x && px <= x + w && py >= y && py <= y + h;

export const shifted = ({ x, y, w, h }, dx, dy) => ({ x: clamp(x + dx, 0, 1 - w), y: clamp(y + dy, 0, 1 - h), w, h });

/** With an edge or a corner pulled: "n", "se" … */
export function resized({ x, y, w, h }, edge, dx, dy) {
  let [left, top, right, bottom] = [x, y, x + w, y + h];
  if (edge.includes("w")) left = clamp(left + dx, 0, Math.max(0, right - LEAST));
  if (edge.includes("e")) right = clamp(right + dx, Math.min(1, left + LEAST), 1);
  if (edge.includes("n")) top = clamp(top + dy, 0, Math.max(0, bottom - LEAST));
  if (edge.includes("s")) bottom = clamp(bottom + dy, Math.min(1, top + LEAST), 1);
  return { x: left, y: top, w: right - left, h: bottom - top };
}

/** Between two points. */
export const spanned = ([x0, y0], [x1, y1]) =>
  within({ x: Math.min(x0, x1), y: Math.min(y0, y1), w: Math.abs(x1 - x0), h: Math.abs(y1 - y0) });

/** Around a point of a photo that is `shape` times as wide as high: a square of the photo's pixels. */
export function around([x, y], shape) {
  const [w, h] = shape > 1 ? [TAPPED / shape, TAPPED] : [TAPPED, TAPPED * shape];
  return within({ x: x - w / 2, y: y - h / 2, w, h });
}

/** Grown or shrunk by two fingers: what lay between them at `from` lies between them at `to`. */
export function pinched({ x, y, w, h }, scale, from, to) {
  const size = { w: clamp(w * scale, LEAST, 1), h: clamp(h * scale, LEAST, 1) };
  const middle = [to[0] + (x + w / 2 - from[0]) * scale, to[1] + (y + h / 2 - from[1]) * scale];
  return within({ x: middle[0] - size.w / 2, y: middle[1] - size.h / 2, ...size });
}

/** Not smaller than the least, and inside the photo. */
function within({ x, y, w, h }) {
  const [width, height] = [Math.max(LEAST, w), Math.max(LEAST, h)];
  return { x: clamp(x, 0, 1 - width), y: clamp(y, 0, 1 - height), w: width, h: height };
}
