/** Large networks, made of a small one when a test wants them, and a host that serves them as hosts do. */

import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import path from "node:path";
import { root, url } from "./browser.js";

const SMALL = path.join(root, "models/selftest");
export const WEIGHTS = "unet/diffusion_pytorch_model.safetensors";

/**
 * The self-test's network with so many times as many channels, its weights all zero.
 * @param {number} times @param {"F32" | "F16"} dtype
 * @returns {Record<string, Buffer>} the files of its folder
 */
export function widened(times, dtype = "F32") {
  const read = (name) => readFileSync(path.join(SMALL, name));
  const config = JSON.parse(read("unet/config.json"));
  config.block_out_channels = config.block_out_channels.map((channels) => channels * times);
  const small = read(WEIGHTS);
  const { __metadata__: _, ...tensors } = JSON.parse(small.subarray(8, 8 + Number(small.readBigUInt64LE())));
  let end = 0;
  const header = {};
  for (const [name, { shape }] of Object.entries(tensors)) {
    // Channels are multiples of 4; kernels, classes and the channels of pictures are not.
    const wide = shape.map((side) => (side % 4 ? side : side * times));
    const bytes = wide.reduce((product, side) => product * side, dtype === "F32" ? 4 : 2);
    header[name] = { dtype, shape: wide, data_offsets: [end, (end += bytes)] };
  }
  const text = Buffer.from(JSON.stringify(header));
  const weights = Buffer.alloc(8 + text.length + end);
  weights.writeBigUInt64LE(BigInt(text.length));
  text.copy(weights, 8);
  return {
    "unet/config.json": Buffer.from(JSON.stringify(config)),
    "scheduler/scheduler_config.json": read("scheduler/scheduler_config.json"),
    [WEIGHTS]: weights,
  };
}

/**
 * The site under test with a folder `wide` in it, which counts what it is asked for, and an empty page `blank.html`.
 * @param {Record<string, Buffer>} files
 * @param {{ranges?: boolean, cut?: number}} [how] `ranges`: whether it answers them; `cut`: after how many bytes the first answer of the weights breaks off
 */
export async function host(files, { ranges = true, cut } = {}) {
  const asked = [];
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, url);
    if (pathname === "/blank.html") return response.writeHead(200, { "content-type": "text/html" }).end("<!doctype html><title>blank</title>");
    if (!pathname.startsWith("/wide/")) {
      const inner = await fetch(new URL(`.${pathname}`, url));
      return response.writeHead(inner.status, { "content-type": inner.headers.get("content-type") ?? "" }).end(Buffer.from(await inner.arrayBuffer()));
    }
    const name = decodeURIComponent(pathname.slice("/wide/".length));
    const file = files[name];
    if (!file) return response.writeHead(404).end();
    const { range } = request.headers;
    asked.push({ name, range });
    const from = ranges && range ? Number(/bytes=(\d+)-/.exec(range)[1]) : 0;
    const head = { "content-length": file.length - from };
    if (from) head["content-range"] = `bytes ${from}-${file.length - 1}/${file.length}`;
    response.writeHead(from ? 206 : 200, head);
    if (name !== WEIGHTS || cut === undefined) return response.end(file.subarray(from));
    response.write(file.subarray(from, from + cut), () => setTimeout(() => response.destroy(), 50));
    cut = undefined;
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}/`,
    /** What was asked for: names, and ranges. */
    asked,
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}
