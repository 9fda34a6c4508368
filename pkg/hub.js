/** Repositories of a model hub as sources: what they hold is listed first, and nothing is downloaded before it is asked for. */

import { absolute } from "./download.js";
import { UnnoiseError } from "./error.js";
import { hidden } from "./layout.js";
import { Pieces, SHELF } from "./pieces.js";
import { LargeFile } from "./resume.js";

/** The hub that is meant where no other is named. */
export const HUB = "https://huggingface.co";

/** Its branch where none is named. */
const MAIN = "main";

/** What a hub says of a refusal, where it lets a page read that. A repository that there is not looks like one that is private. */
const REFUSALS = { RevisionNotFound: "hub-revision", GatedRepo: "hub-gated", RepoNotFound: "hub-closed", EntryNotFound: "missing" };
const STATUSES = { 401: "hub-closed", 403: "hub-gated", 429: "hub-busy" };
/** The same where nothing is there, of a listing and of a file. */
const ABSENT = { listing: "hub-repository", file: "missing" };

/**
 * Lists a repository.
 * @param {string} id `owner/name`
 * @param {{revision?: string | null, host?: string, fetch?: typeof fetch, signal?: AbortSignal, full?: () => void}} [options] `fetch` in
 * place of the page's own; `full` hears that the files find no room in the cache
 * @returns {Promise<Repository>}
 */
export async function hub(id, { revision, host = HUB, fetch = globalThis.fetch, signal, full } = {}) {
  const named = { id, revision: revision ?? MAIN, host: new URL(host).host };
  const address = `${host}/api/models/${id}/revision/${encodeURIComponent(named.revision)}?blobs=true`;
  const answer = await asker({ ...named, absent: ABSENT.listing }, fetch)(address, { signal });
  const { siblings, sha: commit = named.revision, gated } = await answer.json().catch(() => ({}));
  if (gated) throw new UnnoiseError("hub-gated", named);
  const files = Array.isArray(siblings) ? siblings.map(({ rfilename: path, size, blobId = commit, lfs }) => ({ path, bytes: lfs?.size ?? size, blob: blobId, sha256: lfs?.sha256 })) : [];
  // Without the sizes nobody could say how much a download is.
  if (!files.length || files.some(({ bytes }) => !Number.isInteger(bytes))) throw new UnnoiseError("hub-strange", named);
  return new Repository({ ...named, commit, files }, await Pieces.open({ full }), host, fetch);
}

/**
 * The same as it was listed when it was last downloaded, without asking anybody: a source whose files are all kept.
 * @param {string} id @param {string | null} [revision] @returns {Promise<Repository | undefined>} nothing where there is none
 */
export async function kept_hub(id, revision) {
  const pieces = await Pieces.open();
  const listing = await pieces.get(shelf(id, "", { revision: revision ?? MAIN }));
  const nobody = () => Promise.reject(new TypeError("not kept"));
  return listing && new Repository(JSON.parse(await listing.text()), pieces, HUB, nobody);
}

/** What a file of a repository is kept under. */
function shelf(id, path, search) {
  const key = new URL(`${SHELF}${id}/${path}`, absolute("./"));
  key.search = new URLSearchParams(search);
  return key.href;
}

/** A repository that was listed: a source, as `Engine.load` takes one. */
class Repository {
  /** @type {Map<string, LargeFile>} */
  #files = new Map();
  #read = new Set();
  #listing;
  #pieces;

  constructor(listing, pieces, host, fetch) {
    const { id, revision, commit, files } = listing;
    this.id = id;
    this.#listing = listing;
    this.#pieces = pieces;
    for (const { path, bytes, blob, sha256 } of files) {
      // A file is kept under what it contains: a mirror's is the hub's, and a later revision's an earlier one's.
      const facts = { name: `${id}/${path}`, key: shelf(id, path, sha256 ? { sha256 } : { blob }), bytes, sha256 };
      const url = `${host}/${id}/resolve/${encodeURIComponent(commit)}/${path.split("/").map(encodeURIComponent).join("/")}`;
      const ask = asker({ id, revision, host: new URL(host).host, file: facts.name, absent: ABSENT.file }, fetch);
      this.#files.set(path, new LargeFile(facts, pieces, (from, signal, to) => part(ask, url, from, to, signal)));
    }
  }

  /** Its files, hidden ones left out. */
  list() {
    return [...this.#files].filter(([path]) => !hidden(path)).map(([path, { bytes }]) => ({ path, bytes }));
  }

  size = (path) => this.#files.get(path)?.bytes ?? null;

  /** What the hub says of these files, of those that it knows the SHA-256 of. @param {string[]} paths @returns {Record<string, {bytes: number, sha256: string}>} */
  facts(paths) {
    const known = this.#listing.files.filter(({ path, sha256 }) => sha256 && paths.includes(path));
    return Object.fromEntries(known.map(({ path, bytes, sha256 }) => [path, { bytes, sha256 }]));
  }

  /** @returns {Promise<Uint8Array | undefined>} */
  async read(path, { signal } = {}) {
    const file = this.#files.get(path);
    if (!file) return undefined;
    await file.fetch({ signal });
    this.#read.add(path);
    return file.range(0, file.bytes);
  }

  async range(path, from, to, { signal } = {}) {
    const file = this.#files.get(path);
    if (!file) throw new UnnoiseError("missing", { file: `${this.id}/${path}`, status: "404" });
    return file.range(from, to, signal);
  }

  /** The files that were read as a whole so far: configurations and the like. @returns {string[]} */
  get small() {
    return [...this.#read];
  }

  /** How many bytes of these files have yet to be downloaded. @param {string[]} paths */
  async missing(paths) {
    let sum = 0;
    for (const path of paths) sum += await this.#files.get(path).missing();
    return sum;
  }

  /**
   * Downloads files, one after the other.
   * @param {string[]} paths
   * @param {{signal?: AbortSignal, progress?: (at: {file: string, loaded: number, total: number}) => void}} [options] `progress` is of one file
   */
  async download(paths, { signal, progress = () => {} } = {}) {
    for (const path of paths) {
      const file = this.#files.get(path);
      await file.fetch({ signal, progress: (loaded) => progress({ file: path, loaded, total: file.bytes }) });
    }
    const { id, revision } = this.#listing;
    await this.#pieces.put(shelf(id, "", { revision }), new TextEncoder().encode(JSON.stringify(this.#listing)));
  }
}

/**
 * Asks for a part of a file. A host need not know of ranges, and where it refuses one the file is read from its beginning.
 * @param {(url: string, options: RequestInit) => Promise<Response>} ask @returns {Promise<{response: Response, at: number}>}
 */
async function part(ask, url, from, to, signal) {
  const headers = { range: `bytes=${from}-${to === undefined ? "" : to - 1}` };
  const partial = from > 0 || to !== undefined;
  const ranged = partial && (await ask(url, { signal, headers }).catch((thrown) => signal?.aborted && Promise.reject(thrown)));
  if (ranged) return { response: ranged, at: ranged.status === 206 ? from : 0 };
  return { response: await ask(url, { signal }), at: 0 };
}

/** Requests to a hub, whose refusals become sentences. */
function asker({ absent, ...named }, fetch) {
  return async (url, options) => {
    const answer = await fetch(url, options).catch(async () => {
      if (options.signal?.aborted) throw new UnnoiseError("aborted");
      if (globalThis.navigator?.onLine === false) throw new UnnoiseError("offline", { file: named.host, ...named });
      // A host that answers, but not to pages of other sites, can be told from one that does not answer.
      const answers = await fetch(url, { mode: "no-cors", method: "HEAD", signal: options.signal }).then(() => true, () => false);
      throw new UnnoiseError(answers ? "hub-cors" : "hub-unreachable", named);
    });
    if (answer.ok) return answer;
    const status = STATUSES[answer.status] ?? (answer.status === 404 ? absent : "hub-failed");
    throw new UnnoiseError(REFUSALS[answer.headers.get("x-error-code")] ?? status, { ...named, status: String(answer.status) });
  };
}
