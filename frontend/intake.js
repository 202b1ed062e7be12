// The ways in: choosing, taking, dropping and pasting a photo.

/** `take` hears a file, `refuse` the code of why there is none; `area` is where one may be dropped
 * and pasted: the document or the element. */
export function acceptPhotos(root, area, { take, refuse }) {
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
  acceptDrops(root.getElementById("veil"), area, take, refuse);
  area.addEventListener("paste", ({ clipboardData }) => {
    const file = picked(clipboardData.files);
    if (file) take(file);
    else refuse("nothing_pasted");
  });
}

function acceptDrops(veil, area, take, refuse) {
  let depth = 0; // entering a child comes before leaving its parent
  const hover = (change) => {
    depth = Math.max(0, depth + change);
    veil.hidden = depth === 0;
  };
  const foreign = (event) => [...event.dataTransfer.types].some((type) => /files|uri-list/i.test(type));
  area.addEventListener("dragenter", (event) => foreign(event) && hover(1));
  area.addEventListener("dragleave", (event) => foreign(event) && hover(-1));
  area.addEventListener("dragover", (event) => foreign(event) && event.preventDefault());
  area.addEventListener("drop", (event) => {
    event.preventDefault(); // a file must not replace the page
    hover(-depth);
    const file = picked(event.dataTransfer.files);
    if (file) take(file);
    else refuse("a_link");
  });
}

/** The first picture of several files, or else the first file, so that it can be refused. */
const picked = (files) => [...files].find(({ type }) => type.startsWith("image/")) ?? files[0];
