/** Sites of the tests' own, made of the site under test: other paths, other contents, other releases. */

import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join } from "node:path";

const KINDS = { ".html": "text/html", ".js": "text/javascript", ".json": "application/json", ".wasm": "application/wasm", ".css": "text/css", ".svg": "image/svg+xml" };

/**
 * @typedef {{body: string} | {at: string} | {folder: string} | null} Route contents, a path of the site under test, a
 * folder on this machine, or nothing
 */

/**
 * Serves another site on a free port.
 * @param {string} base the site under test, from which everything comes that `routes` say nothing of
 * @param {Record<string, Route>} routes by path, or by the start of one if it ends in a slash; the longest that fits counts. They may change while the site is up.
 */
export async function serve(base, routes) {
  const server = createServer(async (request, response) => {
    const { status, type = "text/plain", body } = await find(decodeURIComponent(new URL(request.url, base).pathname).replace(/\/$/, "/index.html"));
    response.writeHead(status, { "content-type": type, "cache-control": "max-age=600" }).end(body);
  });
  async function find(path) {
    const fits = (key) => path === key || (key.endsWith("/") && path.startsWith(key));
    const [key] = Object.keys(routes).filter(fits).sort((a, b) => b.length - a.length);
    const route = key === undefined ? { at: "/" } : routes[key];
    const rest = key === undefined ? path.slice(1) : path.slice(key.length);
    if (route === null) return { status: 404, body: "There is nothing here." };
    if ("body" in route) return { status: 200, type: KINDS[extname(path)], body: route.body };
    if ("folder" in route) return { status: 200, type: KINDS[extname(path)] ?? "application/octet-stream", body: await readFile(join(route.folder, rest)) };
    const inner = await fetch(new URL(`.${route.at}${rest}`, base));
    return { status: inner.status, type: inner.headers.get("content-type") ?? "", body: Buffer.from(await inner.arrayBuffer()) };
  }
  return listen(server);
}

/** Puts a server on a free port. @param {import("node:http").Server} server */
export async function listen(server) {
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}/`,
    close: () => new Promise((resolve) => {
      server.closeAllConnections();
      server.close(resolve);
    }),
  };
}
