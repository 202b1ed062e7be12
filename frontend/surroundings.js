// The surroundings: what the app hears of the document around it. All of it belongs to a page; a widget
// hears what is meant for it, because the pointer or the focus is in it.

import { acceptDrops, acceptPastes } from "./intake.js";

/** Listen until the signal. `take` hears a photo's file, `refuse` the code of why there is none,
 * `escape` the key. */
export function listen(root, page, { take, refuse, escape, signal }) {
  const area = page ? document : root;
  const inside = () => root.activeElement !== null || root.host.matches(":hover");
  acceptDrops(area, root.getElementById("veil"), { take, refuse, signal });
  acceptPastes(page ? () => true : inside, { take, refuse, signal });
  area.addEventListener("keydown", ({ key }) => key === "Escape" && escape(), { signal });
}

/** Show the top of the app, where the page has been scrolled past it. */
export function showTop({ host }) {
  if (host.getBoundingClientRect().top < 0) host.scrollIntoView();
}
