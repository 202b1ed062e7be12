// The region: what of a photo is searched, as a state of the app has it and as the API does.

import { toRegion } from "./boxes.js";

export const WHOLE = "whole"; // in both

/** Whether a part is asked for: neither all of the photo nor what the search chooses. */
export const isPart = (crop) => crop !== null && crop !== WHOLE;

/** What the API is asked for: a box as its text, WHOLE, or null for what it chooses. */
export const regionOf = (crop) => (isPart(crop) ? String(toRegion(crop)) : crop);
