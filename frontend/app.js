// The page: sends the chosen photo to the API and shows what it finds.

const $ = (id) => document.getElementById(id);
const drop = $("drop");
const file = $("file");
const preview = $("preview");
const status = $("status");
const hits = $("hits");

let searching = new AbortController();

file.addEventListener("change", () => {
  if (file.files.length) search(file.files[0]);
  file.value = ""; // so that choosing the same photo again is a change, too
});

// A photo dropped beside the zone must not replace the page.
for (const name of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(name, (event) => {
    event.preventDefault();
    drop.classList.toggle("over", name === "dragover");
    const photo = name === "drop" && event.dataTransfer.files[0];
    if (photo) search(photo);
  });
}

async function search(photo) {
  searching.abort(); // only the last chosen photo's answer is shown
  const { signal } = (searching = new AbortController());
  show(photo);
  hits.replaceChildren();
  status.className = "";
  status.textContent = "Searching…";
  try {
    const body = new FormData();
    body.append("file", photo);
    const reply = await fetch("/api/search-image", { method: "POST", body, signal });
    const answer = await reply.json().catch(() => ({}));
    if (!reply.ok) throw new Error(answer.error?.message ?? `The server answered ${reply.status}.`);
    status.textContent = found(answer);
    hits.replaceChildren(...answer.hits.map(card));
    showGallery();
  } catch (error) {
    if (signal.aborted) return;
    status.className = "error";
    const offline = error instanceof TypeError;
    status.textContent = offline ? "The server cannot be reached; try again." : sentence(error.message);
  }
}

function found({ hits, commit }) {
  if (hits.length) return `The ${hits.length} most similar photos`;
  return commit === null
    ? "The gallery is empty: no photos have been indexed yet."
    : "The gallery is empty: add photos to the catalog.";
}

function show(photo) {
  URL.revokeObjectURL(preview.src);
  preview.src = URL.createObjectURL(photo);
  preview.hidden = false;
}

preview.addEventListener("error", () => (preview.hidden = true));

function card(hit) {
  const item = $("hit").content.firstElementChild.cloneNode(true);
  const image = item.querySelector("img");
  image.src = hit.thumb_url;
  image.alt = hit.key;
  item.querySelector("a").href = hit.image_url;
  item.querySelector("strong").textContent = hit.item_id;
  item.querySelector(".category").textContent = hit.category;
  item.querySelector(".similarity").textContent = hit.similarity.toFixed(3);
  return item;
}

function sentence(text) {
  return text.charAt(0).toUpperCase() + text.slice(1).replace(/\.?$/, ".");
}

async function showGallery() {
  const reply = await fetch("/api/health").catch(() => null);
  if (!reply?.ok) return;
  const { status: state, trouble, model_id, gallery } = await reply.json();
  const parts = gallery
    ? [`${gallery.photos.toLocaleString("en")} photos`, model_id, `commit ${gallery.commit}`]
    : ["no gallery yet"];
  if (state === "degraded") parts.push(`degraded: ${trouble}`);
  $("gallery").textContent = parts.join(" · ");
}

showGallery();
