// The examples: photos of the catalog to start from, evenly spread over its categories.

import { categoryName, itemName } from "./product.js";

const MOST = 8;

/** Show them in their section; `chosen` hears the photo to search with. */
export function showExamples(section, categories, chosen) {
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
  name.textContent = category ? categoryName(category) : itemName(photo).title;
  button.append(image, name);
  button.addEventListener("click", () => chosen(photo));
  entry.append(button);
  return entry;
}
