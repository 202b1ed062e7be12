// Making: an element in a line, and an icon of one path.

const SVG = "http://www.w3.org/2000/svg";

/** An element with these properties and children; of the children, what is empty is left out. */
export function make(tag, { dataset = {}, ...properties } = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  Object.assign(element.dataset, dataset);
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
  return element;
}

/** An icon, drawn by a path in a square of 24; nothing for those who hear the page. */
export function icon(path) {
  const svg = document.createElementNS(SVG, "svg");
  const line = document.createElementNS(SVG, "path");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  line.setAttribute("d", path);
  svg.append(line);
  return svg;
}

/** Draw anew with `draw`, and leave the focus and the scrolling where they were: by `data-key` of
 * what had the focus, or else on what is now in its place. */
export function redraw(place, draw) {
  const focused = place.contains(place.getRootNode().activeElement) ? place.getRootNode().activeElement : null;
  const { scrollTop, scrollLeft } = place;
  const keyed = (root) => [...root.querySelectorAll("[data-key]")];
  const index = focused ? keyed(place).indexOf(focused) : -1;
  draw();
  Object.assign(place, { scrollTop, scrollLeft });
  if (!focused || focused.isConnected) return;
  const now = keyed(place);
  const next = now.find(({ dataset }) => dataset.key === focused.dataset.key) ?? now[Math.min(index, now.length - 1)];
  next?.focus({ preventScroll: true });
}
