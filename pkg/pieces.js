/**
 * Large files in pieces: in the browser's cache, so that a download that broke goes on where it was, and in memory where there
 * is no cache or no room in it. A piece is read without the others, so no file is ever in memory as a whole.
 */

/** The name of the cache. */
export const PIECES = "unnoise-hub";
/** Where its files would lie on the site; nothing is ever fetched from there. */
export const SHELF = "hub/";

export class Pieces {
  /** Pieces that found no room in the cache. @type {Map<string, Blob>} */
  #memory = new Map();
  #cache;
  #room = true;
  #full;

  /** @param {Cache | undefined} cache @param {() => void} full hears, once, that the disk is full */
  constructor(cache, full) {
    this.#cache = cache;
    this.#full = full;
  }

  /** @param {{full?: () => void}} [options] */
  static async open({ full = () => {} } = {}) {
    // There is none without https, nor in some private windows.
    return new Pieces(await globalThis.caches?.open(PIECES).catch(() => undefined), full);
  }

  /** @param {string} key @returns {Promise<Blob | undefined>} */
  async get(key) {
    const held = this.#memory.get(key);
    if (held) return held;
    const kept = await this.#cache?.match(key).catch(() => undefined);
    return kept?.blob().catch(() => undefined);
  }

  /** @param {string} key @param {Uint8Array} bytes */
  async put(key, bytes) {
    const body = new Blob([bytes]);
    if (this.#cache && this.#room) {
      // The length is told without reading the body.
      const response = new Response(body, { headers: { "content-length": String(bytes.length) } });
      const kept = await this.#cache.put(key, response).then(() => true, () => false);
      if (kept) return;
      this.#room = false;
      this.#full();
    }
    this.#memory.set(key, body);
  }

  /** @param {string[]} keys */
  async delete(keys) {
    for (const key of keys) {
      this.#memory.delete(key);
      await this.#cache?.delete(key);
    }
  }
}
