/** PNG files: the texts in them, and the same with a text more. */

import { crc32 } from "node:zlib";

const HEAD = 8;
/** Length, type and checksum of a chunk. */
const FRAME = 12;

/** The chunks of a PNG: their types with their data. @returns {[string, Buffer][]} */
export function chunks(png) {
  const found = [];
  for (let at = HEAD; at < png.length; ) {
    const length = png.readUInt32BE(at);
    found.push([png.toString("latin1", at + 4, at + 8), png.subarray(at + 8, at + 8 + length)]);
    at += FRAME + length;
  }
  return found;
}

/** The international texts of a PNG, by keyword; none of ours is compressed or in a language. */
export function texts(png) {
  const own = chunks(png).filter(([type]) => type === "iTXt");
  return Object.fromEntries(own.map(([, data]) => [data.toString("latin1", 0, data.indexOf(0)), data.toString("utf8", data.indexOf(0) + 5)]));
}

/** The PNG without its text chunks. */
export function withoutTexts(png) {
  const kept = [png.subarray(0, HEAD)];
  let at = HEAD;
  for (const [type, data] of chunks(png)) {
    const next = at + FRAME + data.length;
    if (!["iTXt", "tEXt", "zTXt"].includes(type)) kept.push(png.subarray(at, next));
    at = next;
  }
  return Buffer.concat(kept);
}

/** The PNG with a text as other programs write it. */
export function withText(png, keyword, text) {
  const named = Buffer.concat([Buffer.from("tEXt"), Buffer.from(`${keyword}\0`, "latin1"), Buffer.from(text)]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(named.length - 4);
  sum.writeUInt32BE(crc32(named));
  const at = HEAD + FRAME + png.readUInt32BE(HEAD); // after the header
  return Buffer.concat([png.subarray(0, at), length, named, sum, png.subarray(at)]);
}
