// The memory: the photos that the history's states name, and the answers to what was asked.

const KEPT_PHOTOS = 30;
const KEPT_ANSWERS = 60;

export const photos = new Map(); // by id, the oldest first
export const answers = new Map(); // by what was asked

/** What a state asks, as the key of its answer. */
export const question = ({ photo, crop, category }) => JSON.stringify([photo, crop, category]);

/** Keep a photo. */
export function keep(photo) {
  photos.set(photo.id, photo);
  if (photos.size > KEPT_PHOTOS) photos.delete(photos.keys().next().value);
}

/** Keep an answer. */
export function remember(asked, found) {
  answers.set(asked, found);
  if (answers.size > KEPT_ANSWERS) answers.delete(answers.keys().next().value);
}
