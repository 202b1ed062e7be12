// The progress: whether something is under way, how far it is, and whether it can be canceled.

import { tell } from "./notice.js";
import * as say from "./strings.js";

const $ = (id) => document.getElementById(id);

/** Something begins: `text` says what. */
export function busy(text) {
  document.body.classList.add("busy");
  $("results").ariaBusy = "true";
  $("results-title").textContent = text;
  $("progress").removeAttribute("value");
  $("cancel").hidden = false;
  tell(text);
}

/** This share of the photo is sent, or null while the answer is awaited. */
export function advance(share) {
  if (share === null || share === 1) {
    $("progress").removeAttribute("value");
    $("results-title").textContent = say.words.searching;
  } else {
    $("progress").value = share;
    $("results-title").textContent = say.sending(share);
  }
}

/** Nothing is under way. */
export function idle() {
  document.body.classList.remove("busy");
  $("results").ariaBusy = "false";
  $("cancel").hidden = true;
}
