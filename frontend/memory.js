// The memory: the answers to what was asked.

const MOST = 60;

/** What a state asks, as the key of its answer. */
export const question = ({ photo, crop, category, filter = {}, sort = null, like = [], unlike = [] }) =>
  JSON.stringify([photo, crop, category, filter, sort, ids(like), ids(unlike)]);

const ids = (examples) => examples.map(({ photo }) => photo);

export class Memory {
  answers = new Map(); // by what was asked

  /** Keep an answer. */
  remember(asked, found) {
    this.answers.set(asked, found);
    if (this.answers.size > MOST) this.answers.delete(this.answers.keys().next().value);
  }
}
