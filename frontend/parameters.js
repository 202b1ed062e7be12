// The parameters: plain JSON as a query that people can read, and back.
//
// {sort: "price", filter: {color: ["Blue"], stock: true}} is sort=price&filter.color.=Blue&filter.stock=~true.
// A name goes into an object by dots and ends in one for a value of a list; what begins with ~ is JSON.

/** Plain JSON as a query, without the ?. */
export const toQuery = (fields) =>
  Object.entries(fields)
    .flatMap(([name, value]) => pairs(name, value))
    .map((pair) => pair.map(readable).join("="))
    .join("&");

/** A query's plain JSON; a name or value that is none of ours stands for itself, as a text. */
export function fromQuery(query) {
  const fields = {};
  for (const [name, value] of new URLSearchParams(query)) put(fields, name.split("."), scalar(value));
  return fields;
}

function pairs(name, value) {
  const keys = isObject(value) ? Object.keys(value) : [];
  if (keys.length && !keys.some((key) => key === "" || key.includes("."))) {
    return keys.flatMap((key) => pairs(`${name}.${key}`, value[key]));
  }
  if (Array.isArray(value) && value.length) return value.map((each) => [`${name}.`, written(each)]);
  return [[name, written(value)]];
}

const written = (value) => (typeof value === "string" && !value.startsWith("~") ? value : `~${JSON.stringify(value)}`);

function scalar(value) {
  if (!value.startsWith("~")) return value;
  try {
    return JSON.parse(value.slice(1));
  } catch {
    return value;
  }
}

/** Only own fields are read and set, so that no name reaches what all objects share. */
function put(fields, [name, ...path], value) {
  const own = Object.hasOwn(fields, name) ? fields[name] : undefined;
  const plain = { enumerable: true, configurable: true, writable: true };
  const set = (made) => Object.defineProperty(fields, name, { ...plain, value: made });
  if (!path.length) set(value);
  else if (path.length === 1 && path[0] === "") set([...(Array.isArray(own) ? own : []), value]);
  else put(isObject(own) ? own : set({})[name], path, value);
}

const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);

// These need no escaping in a query, and are read more easily without.
const LEGIBLE = { "%2F": "/", "%2C": ",", "%3A": ":", "%20": "+" };
const readable = (text) => encodeURIComponent(text).replace(/%2F|%2C|%3A|%20/g, (code) => LEGIBLE[code]);
