// What the catalog holds: its size, its categories, and photos of them to start from.

import * as say from "./strings.js";

const MOST = 8;

/** Ask for it and show it. `known` hears the categories, `chosen` a photo to search with. */
export async function showCatalog(root, api, { known, chosen }) {
  let categories;
  try {
    categories = await api.categories();
  } catch {
    return; // the app works without; a search will say what is wrong
  }
  known(categories);
  const total = categories.reduce((sum, { photos }) => sum + photos, 0);
  if (!total) return;
  root.getElementById("gallery").textContent = say.gallerySize(total);
  showExamples(root.getElementById("examples"), categories, chosen);
}

/** Photos evenly spread over the categories. */
function showExamples(section, categories, chosen) {
  const list = section.querySelector("ul");
  list.replaceChildren(...spread(categories, MOST).map((one) => example(one, chosen)));
  section.hidden = false;
}

/** Some of a list, evenly spread. */
const spread = (list, most) =>
  list.length <= most ? list : Array.from({ length: most }, (_, n) => list[Math.floor((n * list.length) / most)]);

function example({ category, photo }, chosen) {
  const entry = document.createElement("li");
  const button = document.createElement("button");
  const image = document.createElement("img");
  const name = document.createElement("span");
  button.type = "button";
  image.alt = "";
  image.decoding = "async";
  image.src = photo.thumb_url;
  name.textContent = category ? say.categoryName(category) : say.itemName(photo).title;
  button.append(image, name);
  button.addEventListener("click", () => chosen(photo));
  entry.append(button);
  return entry;
}
