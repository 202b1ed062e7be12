// The API: searches with progress and cancel, and what else the page asks the server.

import { patiently } from "./patience.js";

const LONGEST_SEARCH = 60_000; // milliseconds; API Gateway gives up after half of it
const FORBIDDEN = 403; // no word of ours: a firewall's, to an address that asks too often
// Busy, or too often; what a proxy says of a server that is down, starting or too slow.
const PASSING = [429, 502, 503, 504, FORBIDDEN];

/** What the server, or the way to it, refused; `code` is one of the troubles in words/. What is `passing`
 * may be asked again, after `retryAfter` seconds where the server said so. Of what is not the shopper's
 * own doing there is the `reference` by which the server's log has it, if it reached the server. */
export class ApiError extends Error {
  constructor(code, { message = code, passing = false, retryAfter = null, reference = null } = {}) {
    super(message);
    Object.assign(this, { code, passing, retryAfter, reference });
  }
}

export class Api {
  /** `home` is the server's address; paths in its replies begin there. */
  constructor(home) {
    this._at = (path) => new URL(path, home).href;
  }

  /**
   * Search with a photo, or with what `fields` name alone. `fields` are the API's, those that are empty
   * left out, of a list each. `progress` hears the share sent, then null while the answer is awaited;
   * `waiting` why it is sent once more.
   */
  search(photo, options) {
    return patiently(() => send(this._at("/api/search-image"), photo, options), options);
  }

  /** Tell that a product which a search found was asked for at the shop. Nothing waits for it, and it
   * is sent even if the page is left. */
  clicked(searchId, itemId, rank) {
    const click = JSON.stringify({ search_id: searchId, item_id: itemId, rank });
    const headers = { "Content-Type": "application/json" };
    // Not a beacon, which brings cookies: a server that lets any site call it may not have those.
    fetch(this._at("/api/clicks"), { method: "POST", headers, body: click, keepalive: true }).catch(() => {});
  }

  /** Which parts make a photo, searched with this region, and a hit alike. */
  async why(photo, photoId, region, signal) {
    const body = new FormData();
    body.append("file", photo, photo.name ?? "photo.jpg");
    body.append("photo_id", photoId);
    if (region) body.append("region", region);
    return (await this._get("/api/why", { method: "POST", body, signal })).json();
  }

  /** The bytes of a catalog photo; `waiting` hears why it is asked for once more. */
  async catalogPhoto(url, { signal, waiting }) {
    return (await this._get(url, { signal, waiting })).blob();
  }

  /** An item with all its photos. */
  item(itemId, signal) {
    return this._json(`/api/items/${itemId.split("/").map(encodeURIComponent).join("/")}`, signal);
  }

  /** The catalog's categories, each with its number of photos and one of them. */
  async categories() {
    return (await this._json("/api/categories")).categories;
  }

  /** What answers, and how far it is with reading the catalog. */
  health() {
    return this._json("/api/health");
  }

  async _json(path, signal) {
    return (await this._get(path, { signal })).json();
  }

  _get(path, { waiting, ...request }) {
    return patiently(() => get(this._at(path), request), { waiting, signal: request.signal });
  }
}

/** XMLHttpRequest, because fetch does not tell how much of a body has been sent. */
function send(address, photo, { fields, signal, progress }) {
  return new Promise((resolve, reject) => {
    const aborted = () => reject(new DOMException("canceled", "AbortError"));
    if (signal.aborted) return aborted();
    const request = new XMLHttpRequest();
    request.open("POST", address);
    request.responseType = "json";
    request.timeout = LONGEST_SEARCH;
    request.upload.onprogress = (event) => event.lengthComputable && progress(event.loaded / event.total);
    request.upload.onload = () => progress(null);
    request.onload = () => {
      if (request.status === 200 && request.response) resolve(request.response);
      else reject(refusal(request.status, request.response, (name) => request.getResponseHeader(name)));
    };
    request.onerror = () => reject(unreachable());
    request.ontimeout = () => reject(new ApiError("busy", { passing: true }));
    request.onabort = aborted;
    signal.addEventListener("abort", () => request.abort());
    const body = new FormData();
    if (photo) body.append("file", photo, photo.name ?? "photo.jpg");
    for (const [name, value] of Object.entries(fields)) {
      for (const each of [value].flat()) if (each) body.append(name, each);
    }
    request.send(body);
  });
}

async function get(url, request) {
  let reply;
  try {
    reply = await fetch(url, request);
  } catch (error) {
    throw request.signal?.aborted ? error : unreachable();
  }
  if (reply.ok) return reply;
  const body = await reply.json().catch(() => null);
  throw refusal(reply.status, body, (name) => reply.headers.get(name));
}

const unreachable = () => new ApiError(navigator.onLine ? "unreachable" : "offline", { passing: true });

/** Not every refusal is the server's own: a proxy's has no code, and maybe no JSON; a network that wants a
 * login first answers 200 itself. */
function refusal(status, body, header) {
  const { code = codeOf(status), message, request_id: reference } = body?.error ?? {};
  const passing = PASSING.includes(status);
  return new ApiError(code, {
    message,
    passing,
    retryAfter: secondsOf(header("Retry-After")),
    reference: passing || status >= 500 ? reference ?? null : null,
  });
}

const codeOf = (status) =>
  PASSING.includes(status) ? "busy" : ({ 200: "unreachable", 404: "not_found", 413: "too_many_bytes" }[status] ?? "internal_error");

/** Retry-After is a number of seconds or a date. */
function secondsOf(retryAfter) {
  if (!retryAfter) return null;
  const seconds = Number.isNaN(Number(retryAfter)) ? (Date.parse(retryAfter) - Date.now()) / 1_000 : Number(retryAfter);
  return Number.isNaN(seconds) ? null : Math.max(0, seconds);
}
