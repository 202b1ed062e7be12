// The API: searches with progress and cancel, and what else the page asks the server.

const LONGEST_PAUSE = 8; // seconds that a busy server is given before it is asked once more

/** What the server, or the way to it, refused; `code` is one of strings.js's troubles. A busy
 * server says after how many seconds to ask again. */
export class ApiError extends Error {
  constructor(code, message, retryAfter = 1) {
    super(message ?? code);
    this.code = code;
    this.retryAfter = retryAfter;
  }
}

export class Api {
  /** `home` is the server's address; paths in its replies begin there. */
  constructor(home) {
    this._at = (path) => new URL(path, home).href;
  }

  /**
   * Search with a photo; a busy server is asked a second time, when it said. `region` is a box, "whole"
   * or null for what the server chooses. `progress` hears the share sent, then null while the answer is
   * awaited.
   */
  async search(photo, options) {
    const address = this._at("/api/search-image");
    try {
      return await send(address, photo, options);
    } catch (error) {
      if (error.code !== "busy") throw error;
      await pause(Math.min(error.retryAfter, LONGEST_PAUSE), options.signal);
      return send(address, photo, options);
    }
  }

  /** Tell that a product which a search found was asked for at the shop. Nothing waits for it, and it
   * is sent even if the page is left. */
  clicked(searchId, itemId, rank) {
    const click = JSON.stringify({ search_id: searchId, item_id: itemId, rank });
    navigator.sendBeacon(this._at("/api/clicks"), new Blob([click], { type: "application/json" }));
  }

  /** Which parts make a photo, searched with this region, and a hit alike. */
  async why(photo, photoId, region, signal) {
    const body = new FormData();
    body.append("file", photo, photo.name ?? "photo.jpg");
    body.append("photo_id", photoId);
    if (region) body.append("region", region);
    const reply = await ask(this._at("/api/why"), { method: "POST", body, signal });
    if (!reply.ok) throw new ApiError("internal_error");
    return reply.json();
  }

  /** The bytes of a catalog photo. */
  async catalogPhoto(url, signal) {
    const reply = await ask(this._at(url), { signal });
    if (!reply.ok) throw new ApiError(reply.status === 404 ? "not_found" : "internal_error");
    return reply.blob();
  }

  /** An item with all its photos. */
  item(itemId, signal) {
    return this._json(`/api/items/${itemId.split("/").map(encodeURIComponent).join("/")}`, signal);
  }

  /** The catalog's categories, each with its number of photos and one of them. */
  async categories() {
    return (await this._json("/api/categories")).categories;
  }

  async _json(path, signal) {
    const reply = await ask(this._at(path), { signal });
    if (!reply.ok) throw new ApiError("internal_error");
    return reply.json();
  }
}

/** XMLHttpRequest, because fetch does not tell how much of a body has been sent. */
function send(address, photo, { topK, category, region, signal, progress }) {
  return new Promise((resolve, reject) => {
    const aborted = () => reject(new DOMException("canceled", "AbortError"));
    if (signal.aborted) return aborted();
    const request = new XMLHttpRequest();
    request.open("POST", address);
    request.responseType = "json";
    request.timeout = 60_000;
    request.upload.onprogress = (event) => event.lengthComputable && progress(event.loaded / event.total);
    request.upload.onload = () => progress(null);
    request.onload = () =>
      request.status === 200 && request.response ? resolve(request.response) : reject(refusal(request));
    request.onerror = request.ontimeout = () => reject(unreachable());
    request.onabort = aborted;
    signal.addEventListener("abort", () => request.abort());
    const body = new FormData();
    body.append("file", photo, photo.name ?? "photo.jpg");
    body.append("top_k", topK);
    if (category) body.append("category", category);
    if (region) body.append("region", region);
    request.send(body);
  });
}

async function ask(url, options) {
  try {
    return await fetch(url, options);
  } catch (error) {
    throw options.signal?.aborted ? error : unreachable();
  }
}

/** Resolves after so many seconds, or rejects as soon as the search is canceled. */
function pause(seconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, 1_000 * seconds);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(new DOMException("canceled", "AbortError"));
    });
  });
}

const unreachable = () => new ApiError(navigator.onLine ? "unreachable" : "offline");

function refusal(request) {
  const { code, message } = request.response?.error ?? {};
  const retryAfter = Number(request.getResponseHeader("Retry-After")) || 1;
  return new ApiError(code ?? (request.status === 413 ? "too_many_bytes" : "internal_error"), message, retryAfter);
}
