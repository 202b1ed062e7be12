// The photos: those that the trail's states name, found in the memory, in what is kept on this device,
// or in the catalog.

import { FRESH, isAlone, isOfCatalog, photoAt } from "./address.js";
import { ApiError } from "./api.js";
import { exampleOf } from "./compared.js";
import { itemName } from "./product.js";

const MOST = 30;

/** What a state asks of its photo. */
const searchOf = ({ item: _, photo: __, view: ___, viewed: ____, ...search }) => search;

/** What reads photos: most who see a widget never choose one. */
const reading = () =>
  import("./photo.js").then(
    ({ Photo }) => Photo,
    () => {
      throw new ApiError("unreachable", { passing: true });
    },
  );

const examplesOf = ({ like = [], unlike = [] }) => [...like, ...unlike];

export class Photos {
  /** `keeping` is whether the shopper's are kept on this device. */
  constructor(api, keeping) {
    this._api = api;
    // A widget's database would be that of the site around it.
    this._kept = keeping ? import("./kept.js").then(({ Kept }) => new Kept()) : null;
    this._known = new Map(); // by id, the oldest first
  }

  /** The photo of a state, if it is in the memory. */
  known(state) {
    return state ? this._known.get(state.photo) : undefined;
  }

  /** Add a photo with its first state. */
  add(photo, state) {
    this._remember(photo);
    if (!photo.item) this._keep((kept) => kept.keep(photo, searchOf(state)));
  }

  /** A file as a photo. Throws PhotoError, and ApiError where what reads it cannot be had. */
  async read(file, name) {
    return (await reading()).read(file, name);
  }

  /** Note that a state is shown. */
  note(state) {
    if (!isOfCatalog(state)) this._keep((kept) => kept.note(state.photo, searchOf(state)));
  }

  /** Whether all that a state names is here: its photo, and its examples as products. */
  ready(state) {
    return (isAlone(state) || this._known.has(state.photo)) && examplesOf(state).every(({ same }) => same);
  }

  /** A state with all that it names; `asking` as in the Api. Throws ApiError, with the code of why it is gone. */
  async complete(state, asking) {
    const photo = isAlone(state) ? null : (this.known(state) ?? (await this._find(state, asking)));
    const [like, unlike] = await Promise.all([state.like, state.unlike].map((all) => this._examples(all, asking.signal)));
    if (!photo && !like.length) throw new ApiError("item_gone");
    return { ...state, photo: photo?.id ?? null, like, unlike };
  }

  async _find(state, asking) {
    if (state.item) return this.ofHit(await this.hit(state.item, state.photo, asking.signal), asking);
    const kept = await this._keep((kept) => kept.photo(state.photo));
    if (!kept) throw new ApiError("photo_gone");
    return this._remember((await reading()).kept(state.photo, kept));
  }

  /** Examples as products, where an address named their items and photos; without what is gone. */
  async _examples(all = [], signal) {
    const found = all.map(async (example) => {
      if (example.same) return example;
      return exampleOf(await this.hit(example.item, example.photo, signal));
    });
    const gone = (error) => {
      if (error.code !== "item_gone") throw error;
      return null;
    };
    return (await Promise.all(found.map((one) => one.catch(gone)))).filter(Boolean);
  }

  /** The catalog photo of a hit, which a search can start from. */
  async ofHit(hit, asking) {
    const known = this._known.get(hit.key);
    if (known) return known;
    const blob = await this._api.catalogPhoto(hit.image_url, asking);
    const photo = await this.read(blob, itemName(hit).title);
    return this._remember(Object.assign(photo, { id: hit.key, item: hit.item_id }));
  }

  /** A photo of an item, by its key, the end of it or its id, as a hit. */
  async hit(item, key, signal) {
    const found = await this._api.item(item, signal).catch((error) => {
      throw error.code === "not_found" ? new ApiError("item_gone") : error;
    });
    // An address may say anything, and a path of it lead elsewhere.
    if (found.item_id !== item || !found.photos?.length) throw new ApiError("item_gone");
    return { ...photoAt(found.photos, key), item_id: item, category: found.category, product: found.product };
  }

  /** What is kept, the latest first: {thumb, time, state} of each photo. */
  async recent() {
    const all = (await this._keep((kept) => kept.list())) ?? [];
    return all.map(({ id, search, ...one }) => ({ ...one, state: { ...FRESH, ...search, photo: id } }));
  }

  /** Forget one of the shopper's photos, or all: what is kept, and what is in the memory. */
  forget(id) {
    for (const photo of [...this._known.values()]) {
      if (!photo.item && (id === undefined || photo.id === id)) this._known.delete(photo.id);
    }
    return this._keep((kept) => kept.forget(id));
  }

  /** What is kept, for `act`; nothing where nothing is. */
  async _keep(act) {
    const kept = await this._kept;
    return kept && act(kept);
  }

  _remember(photo) {
    this._known.set(photo.id, photo);
    if (this._known.size > MOST) this._known.delete(this._known.keys().next().value);
    return photo;
  }
}
