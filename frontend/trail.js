// The trail: the states that were shown, to go back to. A page's are the browser's history; a widget's
// are its own, so that it leaves no step in the history of the page around it.

export class PageTrail {
  get state() {
    return history.state;
  }

  push(state) {
    history.pushState(state, "");
  }

  replace(state) {
    history.replaceState(state, "");
  }

  back() {
    history.back();
  }

  /** `changed` hears that somebody went back or forward. */
  follow(changed, signal) {
    addEventListener("popstate", changed, { signal });
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

  back() {
    if (this._states.length > 1) this._states.pop();
    this._changed();
  }

  follow(changed) {
    this._changed = changed;
  }
}
