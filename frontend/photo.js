// The photo: a file checked, decoded upright, and made small enough to travel.

const TRAVEL_BYTES = 200_000; // what a photo may weigh when it is sent
const TRAVEL_SIDE = 1024; // the model sees 224 pixels of a box; this is enough for a small one
const WORKING_SIDE = 2048; // a 12 MP photo takes 48 MB decoded, which a phone may not have
const LARGEST_FILE = 20 * 2 ** 20; // the server's limit, for what cannot be made smaller here
const [ROWS, MISSING] = [100, 5]; // of so many rows these may lack, as on the server
const KEPT_AS_THEY_ARE = ["image/jpeg", "image/png", "image/webp", "image/avif"];
// EXIF, XMP and IPTC, in all of these kinds; places and names are in them.
const TELLTALE = /exif|xmp|photoshop/i;
const TRIES = [
  [TRAVEL_SIDE, 0.85],
  [TRAVEL_SIDE, 0.72],
  [768, 0.75],
  [768, 0.6],
  [512, 0.6],
];

/** A file that cannot be searched with; `code` is one of the troubles in words/. */
export class PhotoError extends Error {
  constructor(code) {
    super(code);
    this.code = code;
  }
}

export class Photo {
  /** Check and decode a file. One that this browser cannot decode but the server may (HEIC) is
   * kept without a canvas, to be sent as it is. Throws PhotoError. */
  static async read(file, name = file.name ?? "") {
    const photo = new Photo(file, name);
    await photo.open();
    return photo;
  }

  /** One that was kept as it travels, as kept.js has it. */
  static kept(id, { pixels, type, name, contentId }) {
    const photo = new Photo(new Blob([pixels], { type }), name);
    return Object.assign(photo, { id, contentId, _small: photo.file });
  }

  constructor(file, name) {
    this.id = hex(crypto.getRandomValues(new Uint8Array(8))); // says nothing of the photo
    this.item = null; // that it shows, if it is the catalog's
    this.file = file;
    this.name = name;
    this.canvas = null;
    this.contentId = null;
    this.regions = null; // what a search saw in it, as the API tells it
    this.main = undefined; // the box that a search chooses by itself: null is the whole photo
  }

  /** Decode, unless it is decoded. */
  async open() {
    if (this.canvas || this.undecodable) return;
    if (this.file.size === 0) throw new PhotoError("empty_file");
    this.contentId ??= await contentId(this.file);
    try {
      this.canvas = await decoded(this.file);
    } catch {
      const kind = await promised(this.file);
      if (!kind) throw new PhotoError("not_an_image");
      if (kind === "plain") throw new PhotoError("broken_image");
      if (this.file.size > LARGEST_FILE) throw new PhotoError("too_many_bytes");
      this.undecodable = true;
    }
  }

  /** Let the pixels go; `open` brings them back. */
  close() {
    this.canvas = null;
  }

  /** The photo as it travels: pixels alone, without place, time or camera. The same bytes each time,
   * which the server knows again. */
  async travelling() {
    if (this._small) return this._small;
    await this.open();
    if (!this.canvas || (await this._travelsAsItIs())) return this.file;
    const { canvas } = this; // it may be closed meanwhile
    let small;
    for (const [side, quality] of TRIES) {
      const copy = draw(canvas, canvas.width, canvas.height, side);
      small = await new Promise((done) => copy.toBlob(done, "image/jpeg", quality));
      if (small.size <= TRAVEL_BYTES) break;
    }
    return (this._small = small);
  }

  /** A small picture of it, as a data address; null where this browser cannot decode it. */
  async thumb(side) {
    await this.open();
    const { canvas } = this;
    return canvas && draw(canvas, canvas.width, canvas.height, side).toDataURL("image/jpeg", 0.8);
  }

  async _travelsAsItIs() {
    if (this.file.size > TRAVEL_BYTES || !KEPT_AS_THEY_ARE.includes(this.file.type)) return false;
    const text = new TextDecoder("latin1").decode(await this.file.arrayBuffer());
    return !TELLTALE.test(text);
  }
}

/** A file on a canvas. One that lacks no more than its end is drawn too, as the server has it. */
async function decoded(file) {
  try {
    const bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
    const canvas = draw(bitmap, bitmap.width, bitmap.height, WORKING_SIDE);
    bitmap.close();
    return canvas;
  } catch (error) {
    if (!(await mayLackItsEnd(file))) throw error;
    return decodedInPart(file); // elements show what there is
  }
}

/** Whether to look at what there is of it: a JPEG, on our own page. A shop's policy forbids that. */
async function mayLackItsEnd(file) {
  const [first, second] = new Uint8Array(await file.slice(0, 2).arrayBuffer());
  return first === 0xff && second === 0xd8 && new URL(import.meta.url).origin === location.origin;
}

async function decodedInPart(file) {
  const image = new Image();
  image.src = URL.createObjectURL(file);
  try {
    await new Promise((done, failed) => Object.assign(image, { onload: done, onerror: failed }));
    const context = new OffscreenCanvas(1, ROWS).getContext("2d");
    context.drawImage(image, 0, 0, 1, ROWS);
    if (context.getImageData(0, ROWS - MISSING - 1, 1, 1).data[3] < 255) throw new Error("rows are missing");
    return draw(image, image.naturalWidth, image.naturalHeight, WORKING_SIDE);
  } finally {
    URL.revokeObjectURL(image.src);
  }
}

function draw(source, width, height, longest) {
  const scale = Math.min(1, longest / Math.max(width, height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.max(1, Math.round(height * scale));
  const context = canvas.getContext("2d", { alpha: false });
  context.fillStyle = "#fff"; // behind transparency, as the server has it
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingQuality = "high";
  context.drawImage(source, 0, 0, canvas.width, canvas.height);
  return canvas;
}

/** The server's name for these bytes, where the browser may hash (not over plain HTTP). */
async function contentId(file) {
  if (!globalThis.crypto?.subtle) return null;
  const digest = await crypto.subtle.digest("SHA-256", await file.arrayBuffer());
  return hex(new Uint8Array(digest).slice(0, 16));
}

const hex = (bytes) => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");

/** What a file's first bytes promise: "plain" kinds every browser decodes, "other" photos that
 * the server may decode, or null. */
async function promised(file) {
  const head = String.fromCharCode(...new Uint8Array(await file.slice(0, 32).arrayBuffer()));
  if (/^(\xff\xd8\xff|\x89PNG|GIF8|BM|RIFF....WEBP)/s.test(head)) return "plain";
  if (/^(II[*+]\0|MM\0[*+])/.test(head)) return "other"; // TIFF
  if (/^....ftyp(avi[fs]|he[iv][cmsx]|mif[123]|miaf|msf1|MA1[AB]|MiH[ABE]|1pic|tmap)/s.test(head)) return "other";
  return null;
}
