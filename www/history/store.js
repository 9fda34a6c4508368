/**
 * Finished runs in the browser's database: a record of each, and apart from it what is large, so that the list is short to read.
 * Where there is no database, as in some private windows, they are kept as long as the page is open.
 */

import { openDB } from "../vendor/idb.js";

/** What is kept at most. The oldest leave first; pinned ones stay, and may be half of it. */
export const MOST = { runs: 60, bytes: 64e6 };
/** A database belongs to a host, on which there may be several sites. */
const NAME = `unnoise ${new URL(".", document.baseURI).pathname}`;
const STORES = ["runs", "pictures"];

/**
 * @typedef {object} Kept a run as the list has it
 * @property {string} id
 * @property {number} time when it ended, in milliseconds since 1970
 * @property {number} [order] above that of all runs before it
 * @property {string} link with all that decides its pictures
 * @property {import("../../pkg/index.js").Settings} settings
 * @property {import("../models.js").Text} name of its model
 * @property {number} seconds
 * @property {boolean} pinned
 * @property {ArrayBuffer} thumbnail a PNG
 * @property {number} bytes of all that is kept of it
 */
/** @typedef {{id: string, frame: import("../timeline.js").Frame, begun: import("../shown.js").Begun}} Large */

/** What hears that the list is another, also by another tab. */
let heard = () => {};
/** @type {Promise<import("idb").IDBPDatabase | undefined> | undefined} */
let opening;
/** Where there is no database. @type {{runs: Map<string, Kept>, pictures: Map<string, Large>} | undefined} */
let memory;
const tabs = globalThis.BroadcastChannel && new BroadcastChannel(NAME);

/** @param {() => void} changed */
export function listen(changed) {
  heard = changed;
  tabs?.addEventListener("message", changed);
}

function tell() {
  tabs?.postMessage("changed");
  heard();
}

/** Whether what is kept outlives the page. */
export const lasts = () => !memory;

function open() {
  const upgrade = (database) => STORES.forEach((name) => database.createObjectStore(name, { keyPath: "id" }));
  // Another tab with a later version of the page, or one that clears the storage, must not wait for this one.
  const close = () => {
    opening?.then((database) => database?.close());
    opening = undefined;
  };
  return openDB(NAME, 1, { upgrade, blocking: close, terminated: close });
}

/**
 * Does something with the database, in one transaction, or with what stands for it.
 * @template T @param {IDBTransactionMode} mode @param {(stores: {runs: any, pictures: any}) => Promise<T>} act
 * @returns {Promise<T>}
 */
async function within(mode, act) {
  // A connection that was closed for another tab is opened anew.
  for (let attempt = 0; !memory; attempt++) {
    try {
      opening ??= open();
      const transaction = (await opening).transaction(STORES, mode);
      const stores = Object.fromEntries(STORES.map((name) => [name, transaction.objectStore(name)]));
      const [result] = await Promise.all([act(stores), transaction.done]);
      return result;
    } catch (thrown) {
      // A full disk aborts a transaction, and is no reason to forget what is kept.
      if (["QuotaExceededError", "AbortError"].includes(thrown?.name)) throw thrown;
      opening = undefined;
      if (attempt) memory ??= { runs: new Map(), pictures: new Map() };
    }
  }
  return act({ runs: inMemory(memory.runs), pictures: inMemory(memory.pictures) });
}

/** A map in the words of an object store. @param {Map<string, any>} map */
const inMemory = (map) => ({
  getAll: async () => [...map.values()],
  get: async (id) => map.get(id),
  put: async (value) => void map.set(value.id, value),
  delete: async (id) => void map.delete(id),
  clear: async () => map.clear(),
});

const sum = (runs) => runs.reduce((all, { bytes }) => all + bytes, 0);
/** The place of a run in their order: that of its end, unless the clock was set back since the one before. @param {Kept} run */
const place = ({ order, time }) => order ?? time;
const newest = (one, other) => place(other) - place(one);

/** All runs, the newest first. @returns {Promise<Kept[]>} */
export const list = () => within("readonly", async ({ runs }) => (await runs.getAll()).sort(newest));

/** What is kept of a run besides its record. @param {string} id @returns {Promise<Large | undefined>} */
export const large = (id) => within("readonly", ({ pictures }) => pictures.get(id));

/**
 * Keeps a run, for which the oldest make room.
 * @param {Omit<Kept, "id" | "order" | "pinned">} run @param {Omit<Large, "id">} content
 * @returns {Promise<string | undefined>} its id; nothing where it is too large, or the disk is full
 */
export async function add(run, content) {
  if (run.bytes > MOST.bytes / 2) return undefined;
  const id = crypto.randomUUID?.() ?? `${run.time}-${Math.random()}`; // plain http has no such function
  const put = (room) =>
    within("readwrite", async (stores) => {
      const others = (await stores.runs.getAll()).sort(newest);
      const order = others.length ? Math.max(run.time, place(others[0]) + 1) : run.time;
      const kept = { ...run, id, order, pinned: false };
      for (const gone of surplus(others, kept, room)) {
        await stores.runs.delete(gone.id);
        await stores.pictures.delete(gone.id);
      }
      await stores.runs.put(kept);
      await stores.pictures.put({ ...content, id });
    });
  try {
    // A disk that is full of other things has room for what half of the runs take.
    await put(MOST).catch(() => put({ runs: MOST.runs / 2, bytes: MOST.bytes / 2 }));
  } catch {
    return undefined;
  }
  tell();
  return id;
}

/** The runs that have to leave for another one, the oldest first. @param {Kept[]} runs the newest first */
function surplus(runs, another, room) {
  const left = [...runs];
  const gone = [];
  const full = () => left.length + 1 > room.runs || sum(left) + another.bytes > room.bytes;
  for (const run of runs.toReversed()) {
    if (!full()) break;
    if (run.pinned) continue;
    left.splice(left.indexOf(run), 1);
    gone.push(run);
  }
  return gone;
}

/** Pins a run, or lets it go. @returns {Promise<boolean>} whether there was room for a pinned one more */
export async function pin(id, pinned) {
  const done = await within("readwrite", async ({ runs }) => {
    const run = await runs.get(id);
    if (!run) return true; // another tab has deleted it
    const others = (await runs.getAll()).filter((other) => other.pinned && other.id !== id);
    if (pinned && (others.length + 1 > MOST.runs / 2 || sum(others) + run.bytes > MOST.bytes / 2)) return false;
    await runs.put({ ...run, pinned });
    return true;
  });
  tell();
  return done;
}

/** Deletes a run. */
export async function remove(id) {
  await within("readwrite", async ({ runs, pictures }) => {
    await runs.delete(id);
    await pictures.delete(id);
  });
  tell();
}

/** Deletes all, pinned ones too. */
export async function clear() {
  await within("readwrite", async ({ runs, pictures }) => {
    await runs.clear();
    await pictures.clear();
  });
  tell();
}
