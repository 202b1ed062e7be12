// The ways in: choosing, taking, dropping and pasting a photo.

/** `take` hears a file, `refuse` the code of why there is none. */
export function acceptPhotos({ take, refuse }) {
  for (const button of document.querySelectorAll("[data-pick]")) {
    button.addEventListener("click", () => document.getElementById(button.dataset.pick).click());
  }
  for (const input of document.querySelectorAll("input[type=file]")) {
    input.addEventListener("change", () => {
      const [file] = input.files;
      input.value = ""; // so that choosing the same photo again is a change, too
      if (file) take(file);
    });
  }
  acceptDrops(take, refuse);
  document.addEventListener("paste", ({ clipboardData }) => {
    const file = picked(clipboardData.files);
    if (file) take(file);
    else refuse("nothing_pasted");
  });
}

function acceptDrops(take, refuse) {
  const veil = document.getElementById("veil");
  let depth = 0; // entering a child comes before leaving its parent
  const hover = (change) => {
    depth = Math.max(0, depth + change);
    veil.hidden = depth === 0;
  };
  const foreign = (event) => [...event.dataTransfer.types].some((type) => /files|uri-list/i.test(type));
  document.addEventListener("dragenter", (event) => foreign(event) && hover(1));
  document.addEventListener("dragleave", (event) => foreign(event) && hover(-1));
  document.addEventListener("dragover", (event) => foreign(event) && event.preventDefault());
  document.addEventListener("drop", (event) => {
    event.preventDefault(); // a file must not replace the page
    hover(-depth);
    const file = picked(event.dataTransfer.files);
    if (file) take(file);
    else refuse("a_link");
  });
}

/** The first picture of several files, or else the first file, so that it can be refused. */
const picked = (files) => [...files].find(({ type }) => type.startsWith("image/")) ?? files[0];
