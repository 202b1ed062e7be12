// The API: searches with progress and cancel, and what else the page asks the server.

/** What the server, or the way to it, refused; `code` is one of strings.js's troubles. */
export class ApiError extends Error {
  constructor(code, message) {
    super(message ?? code);
    this.code = code;
  }
}

/**
 * Search with a photo. `progress` hears the share sent, then null while the answer is awaited.
 * XMLHttpRequest, because fetch does not tell how much of a body has been sent.
 */
export function search(photo, { topK, category, signal, progress }) {
  return new Promise((resolve, reject) => {
    const aborted = () => reject(new DOMException("canceled", "AbortError"));
    if (signal.aborted) return aborted();
    const request = new XMLHttpRequest();
    request.open("POST", "/api/search-image");
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
    request.send(body);
  });
}

/** The bytes of a catalog photo. */
export async function catalogPhoto(url, signal) {
  const reply = await ask(url, { signal });
  if (!reply.ok) throw new ApiError(reply.status === 404 ? "not_found" : "internal_error");
  return reply.blob();
}

/** An item with all its photos. */
export const item = (itemId, signal) =>
  json(`/api/items/${itemId.split("/").map(encodeURIComponent).join("/")}`, signal);

/** The catalog's categories, each with its number of photos and one of them. */
export const categories = async () => (await json("/api/categories")).categories;

async function json(url, signal) {
  const reply = await ask(url, { signal });
  if (!reply.ok) throw new ApiError("internal_error");
  return reply.json();
}

async function ask(url, options) {
  try {
    return await fetch(url, options);
  } catch (error) {
    throw options.signal?.aborted ? error : unreachable();
  }
}

const unreachable = () => new ApiError(navigator.onLine ? "unreachable" : "offline");

function refusal({ response, status }) {
  const { code, message } = response?.error ?? {};
  return new ApiError(code ?? (status === 413 ? "too_many_bytes" : "internal_error"), message);
}
