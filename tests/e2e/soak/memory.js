/** What a page holds: the memory of its process, and what its document and its scripts keep. */

import { readFileSync } from "node:fs";

/** @typedef {{process: number, heap: number, nodes: number, listeners: number}} Held megabytes, megabytes, and counts */

/**
 * What the page holds after a collection of garbage. Memory is that of its process alone (Linux), workers and WebAssembly included.
 * @param {import("@playwright/test").Page} page @returns {Promise<Held>}
 */
export async function held(page) {
  const session = await page.context().newCDPSession(page);
  const browser = await page.context().browser().newBrowserCDPSession();
  try {
    await session.send("Performance.enable");
    // Once frees what the next one finds unreachable.
    for (let i = 0; i < 3; i += 1) await session.send("HeapProfiler.collectGarbage");
    const { metrics } = await session.send("Performance.getMetrics");
    const metric = (name) => metrics.find((one) => one.name === name).value;
    const { processInfo } = await browser.send("SystemInfo.getProcessInfo");
    const renderers = processInfo.filter(({ type }) => type === "renderer");
    return { process: renderers.reduce((sum, { id }) => sum + own(id), 0), heap: metric("JSHeapUsedSize") / 2 ** 20, nodes: metric("Nodes"), listeners: metric("JSEventListeners") };
  } finally {
    await Promise.all([session.detach(), browser.detach()]);
  }
}

/** Megabytes that a process shares with no other. */
function own(pid) {
  const lines = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8").matchAll(/^Private_(?:Clean|Dirty):\s+(\d+) kB$/gm);
  return [...lines].reduce((sum, [, kilobytes]) => sum + Number(kilobytes), 0) / 1024;
}

/** A line of a table. @param {number} done @param {Held} now */
export const row = (done, now) => `| ${done} | ${now.process.toFixed(0)} | ${now.heap.toFixed(1)} | ${now.nodes} | ${now.listeners} |`;

export const HEAD = "| done | process, MB | heap, MB | nodes | listeners |\n|---:|---:|---:|---:|---:|";
