// The trail: the states that were shown, to go back to. A page's are the browser's history, each with its
// address; a widget's are its own, so that it leaves no step in the history of the page around it.

import { addressOf, stateAt } from "./address.js";

/** `changed` hears that the state is another one because somebody went back or forward. */
export class PageTrail {
  constructor(changed) {
    this._enter();
    addEventListener("popstate", () => {
      this._enter();
      changed();
    });
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

  back() {
    history.back();
  }

  /** An entry of the history without a state was entered by its address. `odd` is whether that was not
   * understood, or not all of it. */
  _enter() {
    if (history.state) return;
    const { state, odd } = stateAt(location);
    this.odd = odd;
    if (!state) return;
    // Closing the viewer is a step back, which must not lead out of the page.
    this.replace({ ...state, view: null, viewed: null });
    if (state.view) this.push(state);
  }
}

export class OwnTrail {
  constructor(changed) {
    this._changed = changed;
    this._states = [null];
  }

  get state() {
    return this._states.at(-1);
  }

  push(state) {
    this._states.push(state);
  }

  replace(state) {
    this._states[this._states.length - 1] = state;
  }

  back() {
    if (this._states.length > 1) this._states.pop();
    this._changed();
  }
}
