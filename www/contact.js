/**
 * Requests to a hub. The page's own policy lets it contact no host but the site's, and a policy cannot be widened later; so a
 * hub is contacted by a frame with a policy of its own, which is made when a person has chosen the hub, and not before.
 */

import { HUB, UnnoiseError } from "../pkg/index.js";

/** Where Hugging Face keeps large files. A mirror's hosts are not known: the frame may contact any for it. */
const STORES = ["https://*.huggingface.co", "https://*.hf.co"];

/** Frames by their hubs. @type {Map<string, Promise<HTMLIFrameElement>>} */
const frames = new Map();

/** @param {string} hub its address @returns {Promise<typeof fetch>} */
export async function contact(hub) {
  if (!frames.has(hub)) frames.set(hub, open(hub));
  const frame = await frames.get(hub).catch((thrown) => {
    frames.delete(hub); // to be tried anew
    throw thrown;
  });
  return (url, options) => frame.contentWindow.fetch(url, options);
}

async function open(hub) {
  const frame = Object.assign(document.createElement("iframe"), { hidden: true, src: new URL("./hub.html", import.meta.url).href });
  const arrived = new Promise((resolve) => frame.addEventListener("load", resolve, { once: true }));
  document.body.append(frame);
  await arrived;
  // A host that forbids frames of its pages leaves none to read.
  if (!frame.contentDocument?.head) throw new UnnoiseError("hub-frame");
  if (hub === HUB) {
    const policy = Object.assign(frame.contentDocument.createElement("meta"), { httpEquiv: "Content-Security-Policy", content: `connect-src ${HUB} ${STORES.join(" ")}` });
    frame.contentDocument.head.append(policy);
  }
  return frame;
}
