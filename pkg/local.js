/** Files of a person's own as a source: a folder that was chosen or dropped, or its files. Nothing is copied, and nothing leaves the device. */

import { hidden } from "./layout.js";

/** What lies at the root of a model's folder, by one of which it is found in a larger one. */
const ROOTS = ["model_index.json", "unnoise.json", "unet/config.json", "transformer/config.json", "config.json"];

/** @param {{path: string, file: File}[]} chosen paths with `/` between folders; hidden files are left out */
function local(chosen) {
  const all = chosen.filter(({ path }) => !hidden(path));
  const root = rootOf(all.map(({ path }) => path));
  const files = new Map(all.filter(({ path }) => path.startsWith(root)).map(({ path, file }) => [path.slice(root.length), file]));
  return {
    // Of files without a folder there is no name.
    name: root.split("/").at(-2) ?? "",
    list: () => [...files].map(([path, { size }]) => ({ path, bytes: size })),
    size: (path) => files.get(path)?.size ?? null,
    read: (path) => files.get(path),
    range: async (path, from, to) => new Uint8Array(await files.get(path).slice(from, to).arrayBuffer()),
  };
}

/** The folder of the model among these files, with a slash at its end: the first that has what such a folder has, nearest to the top. */
function rootOf(paths) {
  const depth = (path) => path.split("/").length;
  const ends = (name) => paths.filter((path) => path === name || path.endsWith(`/${name}`));
  for (const name of ROOTS) {
    const [found] = ends(name).sort((a, b) => depth(a) - depth(b));
    if (found !== undefined) return found.slice(0, found.length - name.length);
  }
  // No model at all: then it is the folder that was chosen, and the engine says what is missing.
  const [first = ""] = paths;
  const folder = first.slice(0, first.indexOf("/") + 1);
  return paths.every((path) => path.startsWith(folder)) ? folder : "";
}

/**
 * Files of a person's own as a source. What was dropped has to be given within the event: it is gone afterwards.
 * @param {FileSystemDirectoryHandle | DataTransfer | Iterable<File>} given a folder's handle, what was dropped, or the files of an input
 */
export async function own_files(given) {
  if (given.kind === "directory") return local(await ofHandle(given, `${given.name}/`));
  return local(given.items ? await ofDrop(given) : ofInput(given));
}

const ofInput = (files) => Array.from(files, (file) => ({ path: file.webkitRelativePath || file.name, file }));

async function ofHandle(folder, at) {
  const found = [];
  for await (const [name, handle] of folder) {
    if (hidden(name)) continue;
    if (handle.kind === "directory") found.push(...(await ofHandle(handle, `${at}${name}/`)));
    else found.push({ path: `${at}${name}`, file: await handle.getFile() });
  }
  return found;
}

async function ofDrop({ items, files }) {
  const entries = [...items].filter(({ kind }) => kind === "file").map((item) => item.webkitGetAsEntry?.());
  if (!entries.length || !entries.every(Boolean)) return ofInput(files);
  return (await Promise.all(entries.map(ofEntry))).flat();
}

async function ofEntry(entry) {
  if (!entry.isDirectory) return [{ path: entry.fullPath.slice(1), file: await new Promise((resolve, reject) => entry.file(resolve, reject)) }];
  const reader = entry.createReader();
  const found = [];
  for (;;) {
    // A reader gives some of the entries each time, and none in the end.
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) return found;
    found.push(...(await Promise.all(some.map(ofEntry))).flat());
  }
}
