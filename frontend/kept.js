// What is kept: the shopper's photos as they travel, and what was last searched for in each, in this
// browser's IndexedDB and nowhere else. A browser that refuses one keeps nothing, in silence.

const NAME = "image-lens";
const STORES = ["photos", "searches"]; // apart, so that a list of all does not read their pixels
const MOST = 30; // photos, each small enough to travel: a few megabytes
const THUMB_SIDE = 256;

export class Kept {
  constructor() {
    this._database = null; // a promise, while there is a connection
    this._queue = Promise.resolve(); // this tab's work, in the order in which it was asked for
  }

  /** Keep a photo and what is searched for in it. One that this browser cannot decode is not kept:
   * only pixels are, and its file may tell where it was taken. */
  keep(photo, search) {
    return this._inTurn(async () => {
      const thumb = await photo.thumb(THUMB_SIDE);
      if (!thumb) return;
      const { id, name, contentId } = photo;
      const pixels = await photo.travelling();
      // An array, because Safari keeps no Blob in private windows.
      const kept = { name, contentId, type: pixels.type, pixels: await pixels.arrayBuffer() };
      await this._work("readwrite", (photos, searches) => {
        photos.put(kept, id);
        searches.put({ id, thumb, search, time: Date.now() });
        dropOldest(photos, searches);
      });
    });
  }

  /** Note what is searched for in a photo now, unless it was forgotten, in another tab perhaps. */
  note(id, search) {
    return this._inTurn(() =>
      this._work("readwrite", (_, searches) => {
        searches.get(id).onsuccess = ({ target: { result } }) =>
          result && searches.put({ ...result, search, time: Date.now() });
      }),
    );
  }

  /** The photo with this id, {pixels, type, name, contentId}; nothing where it is not kept. */
  photo(id) {
    return this._inTurn(() => this._work("readonly", (photos) => photos.get(id)));
  }

  /** What is kept, {id, thumb, search, time} of each photo, the latest first. */
  async list() {
    const all = await this._inTurn(() => this._work("readonly", (_, searches) => searches.index("time").getAll()));
    return all?.reverse() ?? [];
  }

  /** Forget one photo, or all. */
  forget(id) {
    const end = (store) => (id === undefined ? store.clear() : store.delete(id));
    return this._inTurn(() => this._work("readwrite", (...stores) => void stores.forEach(end)));
  }

  /** Resolves to nothing where the browser refuses, or has no room. */
  _inTurn(act) {
    this._queue = this._queue.then(act).catch(() => undefined);
    return this._queue;
  }

  /** Do all of `act` in one transaction, or nothing of it, so that two tabs cannot leave half of each
   * other's work. Resolves to what the request that it returns has found. */
  async _work(mode, act) {
    this._database ??= connection(() => (this._database = null));
    const transaction = (await this._database).transaction(STORES, mode);
    const request = act(...STORES.map((name) => transaction.objectStore(name)));
    await new Promise((resolve, reject) => {
      transaction.oncomplete = resolve;
      transaction.onabort = () => reject(transaction.error);
    });
    return request?.result;
  }
}

function dropOldest(photos, searches) {
  let count = 0;
  searches.index("time").openCursor(null, "prev").onsuccess = ({ target: { result: cursor } }) => {
    if (!cursor) return;
    if (++count > MOST) {
      photos.delete(cursor.primaryKey);
      cursor.delete();
    }
    cursor.continue();
  };
}

/** A connection to the database; `lost` hears that there is none, or none any more. */
function connection(lost) {
  const opening = new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore("photos");
      request.result.createObjectStore("searches", { keyPath: "id" }).createIndex("time", "time");
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = request.onblocked = () => reject(request.error);
  });
  opening.then((database) => {
    database.onclose = lost;
    database.onversionchange = () => {
      database.close(); // a tab with a newer page must not wait for this one
      lost();
    };
  }, lost);
  return opening;
}
