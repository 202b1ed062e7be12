// The memory: the photos that the trail's states name, and the answers to what was asked.

const KEPT_PHOTOS = 30;
const KEPT_ANSWERS = 60;

/** What a state asks, as the key of its answer. */
export const question = ({ photo, crop, category, filter = {}, sort = null, like = [], unlike = [] }) =>
  JSON.stringify([photo, crop, category, filter, sort, ids(like), ids(unlike)]);

const ids = (examples) => examples.map(({ photo }) => photo);

export class Memory {
  photos = new Map(); // by id, the oldest first
  answers = new Map(); // by what was asked

  /** Keep a photo. */
  keep(photo) {
    this.photos.set(photo.id, photo);
    if (this.photos.size > KEPT_PHOTOS) this.photos.delete(this.photos.keys().next().value);
  }

  /** Keep an answer. */
  remember(asked, found) {
    this.answers.set(asked, found);
    if (this.answers.size > KEPT_ANSWERS) this.answers.delete(this.answers.keys().next().value);
  }
}
