// The trail: the states that were shown, to go back to. A page's are the browser's history, each with its
// address; a widget's are its own, so that it leaves no step in the history of the page around it.

import { addressOf, stateAt } from "./address.js";
import { say } from "./language.js";

export class PageTrail {
  constructor() {
    this._enter();
  }

  get state() {
    return history.state;
  }

  push(state) {
    history.pushState(state, "", addressOf(state));
  }

  replace(state) {
    history.replaceState(state, "", addressOf(state));
  }

  /** Replace the state by what was found for it. */
  settle(state) {
    const twice = this._entered && state.view;
    this._entered = false;
    // Closing the viewer is a step back, which must not lead out of the page.
    this.replace(twice ? { ...state, view: null, viewed: null } : state);
    if (twice) this.push(state);
  }

  /** Name the step, for the browser's history and bookmarks. */
  name(text) {
    document.title = [text, say.words.name].filter(Boolean).join(" · ");
  }

  back() {
    history.back();
  }

  /** `changed` hears that somebody went back or forward, or typed another address. */
  follow(changed, signal) {
    const moved = () => {
      this._enter();
      changed();
    };
    addEventListener("popstate", moved, { signal });
  }

  /** An entry of the history without a state was entered by its address. `odd` is whether that was not
   * understood, or not all of it. */
  _enter() {
    if (history.state) return;
    const { state, odd } = stateAt(location);
    this.odd = odd;
    this._entered = state !== null;
    if (state) this.replace(state);
  }
}

export class OwnTrail {
  _states = [null];
  _changed = () => {};

  get state() {
    return this._states.at(-1);
  }

  push(state) {
    this._states.push(state);
  }

  replace(state) {
    this._states[this._states.length - 1] = state;
  }

  settle(state) {
    this.replace(state);
  }

  name() {}

  back() {
    if (this._states.length > 1) this._states.pop();
    this._changed();
  }

  follow(changed) {
    this._changed = changed;
  }
}
