// Patience: how often what is refused for now is asked again, and after how long.

const TRIES = 4;
const FIRST_PAUSE = 1; // seconds; each next is twice as long
const LONGEST_PAUSE = 30; // seconds: whoever is told to wait longer decides for himself

/**
 * What `ask` resolves to. While it throws what is `passing`, it is asked again: offline as soon as the
 * connection is back, otherwise after `retryAfter` seconds where the error has them, at most TRIES
 * times. `waiting` hears the error before each wait; `signal` ends it.
 */
export async function patiently(ask, { signal, waiting } = {}) {
  for (let tries = 1; ; ) {
    try {
      return await ask();
    } catch (error) {
      if (signal?.aborted || !error.passing) throw error;
      const offline = error.code === "offline";
      if (!offline && (tries === TRIES || error.retryAfter > LONGEST_PAUSE)) throw error;
      waiting?.(error);
      if (offline) await happens(window, "online", signal);
      else await pause(1_000 * seconds(error, tries++), signal);
    }
  }
}

/** Not all that were refused at one moment may come back at one moment. */
const seconds = ({ retryAfter }, tries) =>
  retryAfter === null ? FIRST_PAUSE * 2 ** (tries - 1) * (0.5 + Math.random()) : retryAfter + Math.random();

/** Resolves after so many milliseconds, or rejects as soon as the signal says so. */
const pause = (milliseconds, signal) =>
  until(signal, (done) => {
    const timer = setTimeout(done, milliseconds);
    return () => clearTimeout(timer);
  });

const happens = (target, event, signal) =>
  until(signal, (done) => {
    target.addEventListener(event, done);
    return () => target.removeEventListener(event, done);
  });

function until(signal, begin) {
  return new Promise((resolve, reject) => {
    const canceled = () => {
      end();
      reject(new DOMException("canceled", "AbortError"));
    };
    const end = begin(() => {
      end();
      signal?.removeEventListener("abort", canceled);
      resolve();
    });
    signal?.addEventListener("abort", canceled, { once: true });
  });
}
