/**
 * A server that behaves like a model hub: lists repositories with sizes and checksums, sends to another host for large files,
 * and answers ranges. It counts what it serves, and can be slow, broken, closed and wrong.
 */

import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { listen } from "./server.js";

/** From this size on a file lies on the other host, and is listed with its checksum. */
const LARGE = 1000;
const COMMIT = "c0ffee".padEnd(40, "0");

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const sha256 = (data) => createHash("sha256").update(data).digest("hex");

/**
 * @typedef {{breaks?: number, holds?: number, slow?: number, truncate?: number, ranges?: boolean, cors?: boolean, status?: number, code?: string, gated?: boolean,
 *            listed?: (sibling: object) => void, served?: (path: string, data: Buffer) => Buffer}} Faults
 * `breaks`: answers for large files break after so many bytes, once; `holds`: they stop there, as long as it is set; `slow`: milliseconds between parts of an answer; `truncate`: large files end
 * after so many bytes; `status` and `code` of every listing; `listed` alters a row, `served` a file
 */

/** @param {Record<string, Record<string, Buffer>>} repositories files by path, by `owner/name` */
export async function serveHub(repositories) {
  /** @type {Faults} */
  const faults = {};
  const asked = [];
  let bytes = 0;

  const cors = (headers = {}) => (faults.cors === false ? headers : { "access-control-allow-origin": "*", "access-control-expose-headers": "x-error-code, content-range", ...headers });

  /** Sends in parts, so that there is a middle for it to break in. */
  async function send(response, data, from = 0, status = 200, extra = {}) {
    const rest = data.subarray(from);
    const closed = once(response, "close").catch(() => {}); // once, and not with every part
    response.writeHead(status, cors({ "content-length": rest.length, ...extra }));
    for (let at = 0; at < rest.length; at += 65536) {
      if (response.destroyed) return;
      const part = rest.subarray(at, at + 65536);
      if (faults.breaks !== undefined && data.length > LARGE && at >= faults.breaks) {
        faults.breaks = undefined;
        await pause(500); // what was written arrives first
        return response.destroy();
      }
      while (faults.holds !== undefined && data.length > LARGE && at >= faults.holds && !response.destroyed) await pause(20);
      bytes += part.length;
      if (!response.write(part)) await Promise.race([once(response, "drain").catch(() => {}), closed]);
      if (faults.slow) await pause(faults.slow);
    }
    response.end();
  }

  const host = async (request, response) => {
    asked.push(`hub ${request.method} ${request.url}`);
    if (request.method === "OPTIONS") return response.writeHead(403).end();
    const url = new URL(request.url, "http://hub");
    const [, api, revision] = /^\/api\/models\/([^/]+\/[^/]+)\/revision\/([^/]+)$/.exec(url.pathname) ?? [];
    if (api) {
      const files = repositories[api];
      if (faults.status) return response.writeHead(faults.status, cors(faults.code ? { "x-error-code": faults.code } : {})).end("{}");
      if (!files) return response.writeHead(401, cors({ "x-error-code": "RepoNotFound" })).end("{}");
      if (decodeURIComponent(revision) !== "main") return response.writeHead(404, cors({ "x-error-code": "RevisionNotFound" })).end("{}");
      const siblings = Object.entries(files).map(([rfilename, data]) => {
        const row = { rfilename, size: data.length, blobId: createHash("sha1").update(data).digest("hex") };
        if (data.length > LARGE) row.lfs = { sha256: sha256(data), size: data.length, pointerSize: 134 };
        faults.listed?.(row);
        return row;
      });
      return send(response, Buffer.from(JSON.stringify({ id: api, sha: COMMIT, gated: faults.gated ?? false, siblings })));
    }
    const [, id, path] = new RegExp(`^/([^/]+/[^/]+)/resolve/${COMMIT}/(.+)$`).exec(decodeURIComponent(url.pathname)) ?? [];
    const data = repositories[id]?.[path];
    if (!data) return response.writeHead(404, cors({ "x-error-code": "EntryNotFound" })).end();
    if (data.length <= LARGE) return send(response, data);
    return response.writeHead(302, cors({ location: `${store.url}store/${id}/${path}` })).end();
  };

  const large = (request, response) => {
    asked.push(`store ${request.method} ${request.url} ${request.headers.range ?? ""}`.trim());
    // As the hub's own does, which is why the page must not send anything that a browser asks leave for.
    if (request.method === "OPTIONS") return response.writeHead(403).end();
    const [, id, path] = /^\/store\/([^/]+\/[^/]+)\/(.+)$/.exec(decodeURIComponent(request.url));
    let data = repositories[id][path];
    data = faults.served?.(path, data) ?? data;
    if (faults.truncate !== undefined) data = data.subarray(0, faults.truncate);
    const [, from, to] = (faults.ranges ?? true ? /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "") : null) ?? [];
    if (from === undefined) return send(response, data);
    if (Number(from) >= data.length) return response.writeHead(416, cors()).end();
    const end = to ? Math.min(Number(to) + 1, data.length) : data.length;
    return send(response, data.subarray(0, end), Number(from), 206, { "content-range": `bytes ${from}-${end - 1}/${data.length}` });
  };

  const [hub, store] = await Promise.all([host, large].map((answer) => listen(createServer(answer))));
  return {
    url: hub.url.replace(/\/$/, ""),
    host: new URL(hub.url).host,
    faults,
    /** What was asked of the two hosts, in order. */
    asked,
    /** How many bytes of files and listings went out so far. */
    served: () => bytes,
    close: () => Promise.all([hub.close(), store.close()]),
  };
}
