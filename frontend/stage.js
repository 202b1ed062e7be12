// The stage: the photo that is searched with, drawn at the size that the layout gives it.

import * as say from "./strings.js";

const $ = (id) => document.getElementById(id);
let shown = null; // the photo on the stage

/** Show a photo, or null for none. */
export async function show(photo) {
  if (shown === photo) return;
  shown?.close();
  shown = photo;
  if (!photo) return;
  await photo.open();
  if (shown !== photo) return photo.close();
  const { canvas } = photo;
  $("stage").hidden = !canvas;
  $("crop-hint").hidden = !canvas;
  $("no-preview").hidden = Boolean(canvas);
  $("no-preview").textContent = say.noPreview(photo.name);
  if (!canvas) return;
  const preview = $("preview");
  preview.width = canvas.width;
  preview.height = canvas.height;
  preview.ariaLabel = say.photoAlt(photo.name);
  preview.getContext("2d").drawImage(canvas, 0, 0);
  // The stage keeps the photo's shape at whatever size the layout gives it.
  $("stage").style.setProperty("--shape", canvas.width / canvas.height);
}
