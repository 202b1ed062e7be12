// The stage: the photo that is searched with, drawn at the size that the layout gives it.

import * as say from "./strings.js";

export class Stage {
  constructor(root) {
    this._part = (id) => root.getElementById(id);
    this._shown = null; // the photo on the stage
  }

  /** Show a photo, or null for none. */
  async show(photo) {
    if (this._shown === photo) return;
    this._shown?.close();
    this._shown = photo;
    if (!photo) return;
    await photo.open();
    if (this._shown !== photo) return photo.close();
    const { canvas } = photo;
    const [stage, preview, instead] = ["stage", "preview", "no-preview"].map(this._part);
    stage.hidden = !canvas;
    this._part("crop-hint").hidden = !canvas;
    instead.hidden = Boolean(canvas);
    instead.textContent = say.noPreview(photo.name);
    if (!canvas) return;
    preview.width = canvas.width;
    preview.height = canvas.height;
    preview.ariaLabel = say.photoAlt(photo.name);
    preview.getContext("2d").drawImage(canvas, 0, 0);
    // The stage keeps the photo's shape at whatever size the layout gives it.
    stage.style.setProperty("--shape", canvas.width / canvas.height);
  }
}
