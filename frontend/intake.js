// The ways in: choosing, taking, dropping and pasting a photo.

/** Choosing and taking one with the app's own buttons; `take` hears a file. */
export function acceptChoices(root, take) {
  for (const button of root.querySelectorAll("[data-pick]")) {
    button.addEventListener("click", () => root.getElementById(button.dataset.pick).click());
  }
  for (const input of root.querySelectorAll("input[type=file]")) {
    input.addEventListener("change", () => {
      const [file] = input.files;
      input.value = ""; // so that choosing the same photo again is a change, too
      if (file) take(file);
    });
  }
}

/** Dropping one on the area. `take` hears a file, `refuse` the code of why there is none; `veil`
 * covers the area meanwhile. */
export function acceptDrops(area, veil, { take, refuse, signal }) {
  let depth = 0; // entering a child comes before leaving its parent
  const hover = (change) => {
    depth = Math.max(0, depth + change);
    veil.hidden = depth === 0;
  };
  const foreign = (event) => [...event.dataTransfer.types].some((type) => /files|uri-list/i.test(type));
  const on = (name, heard) => area.addEventListener(name, heard, { signal });
  on("dragenter", (event) => foreign(event) && hover(1));
  on("dragleave", (event) => foreign(event) && hover(-1));
  on("dragover", (event) => foreign(event) && event.preventDefault());
  on("drop", (event) => {
    event.preventDefault(); // a file must not replace the page
    hover(-depth);
    const file = picked(event.dataTransfer.files);
    if (file) take(file);
    else refuse("a_link");
  });
}

/** Pasting one while `wanted` says so; a field that can be written in has its own use for it. */
export function acceptPastes(wanted, { take, refuse, signal }) {
  const heard = (event) => {
    if (event.composedPath()[0].closest?.("input, textarea, select, [contenteditable]") || !wanted()) return;
    const file = picked(event.clipboardData.files);
    if (file) take(file);
    else refuse("nothing_pasted");
  };
  document.addEventListener("paste", heard, { signal });
}

/** The first picture of several files, or else the first file, so that it can be refused. */
const picked = (files) => [...files].find(({ type }) => type.startsWith("image/")) ?? files[0];
