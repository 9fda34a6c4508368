/**
 * A tab of a browser of its own, spoken to by the DevTools protocol alone. Playwright has the network watched, and Chromium then keeps what was
 * downloaded in the page's process: hundreds of megabytes that no visitor has.
 */

import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { launchOptions } from "../browser.js";

/** @typedef {{process: number, heap: number, nodes: number, listeners: number}} Held megabytes, megabytes, and counts */

export class Tab {
  #browser;
  #profile;
  #session;
  #last = 0;
  /** Who waits for an answer, by its number. */
  #waiting = new Map();

  static async open() {
    const tab = new Tab();
    const { targetId } = await tab.#ask("Target.createTarget", { url: "about:blank" });
    tab.#session = (await tab.#ask("Target.attachToTarget", { targetId, flatten: true })).sessionId;
    await tab.send("Performance.enable");
    return tab;
  }

  constructor() {
    const { executablePath, args } = launchOptions;
    this.#profile = mkdtempSync(path.join(tmpdir(), "unnoise-soak-"));
    const own = ["--headless", "--remote-debugging-pipe", `--user-data-dir=${this.#profile}`];
    this.#browser = spawn(executablePath, [...args, ...own], { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] });
    let rest = "";
    this.#browser.stdio[4].on("data", (bytes) => {
      const messages = (rest + bytes).split("\0");
      rest = messages.pop();
      for (const message of messages) this.#heard(JSON.parse(message));
    });
  }

  #heard({ id, result, error }) {
    const { resolve, reject } = this.#waiting.get(id) ?? {};
    this.#waiting.delete(id);
    if (error) reject?.(new Error(error.message));
    else resolve?.(result);
  }

  #ask(method, params = {}, sessionId = undefined) {
    const id = (this.#last += 1);
    this.#browser.stdio[3].write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
  }

  /** A command of the protocol to the page. */
  send(method, params = {}) {
    return this.#ask(method, params, this.#session);
  }

  /** The value of an expression in the page, a promise's too. @param {string} expression */
  async evaluate(expression) {
    const { result, exceptionDetails } = await this.send("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true });
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  }

  /** Waits until an expression is true in the page. @param {string} expression */
  async until(expression) {
    for (const begun = Date.now(); Date.now() - begun < 120_000; ) {
      if (await this.evaluate(expression)) return;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    throw new Error(`not within two minutes: ${expression}`);
  }

  /** What the page holds after a collection of garbage. Memory is that of its process alone (Linux), workers and WebAssembly included. @returns {Promise<Held>} */
  async held() {
    // Once frees what the next one finds unreachable.
    for (let i = 0; i < 3; i += 1) await this.send("HeapProfiler.collectGarbage");
    const { metrics } = await this.send("Performance.getMetrics");
    const metric = (name) => metrics.find((one) => one.name === name).value;
    const { processInfo } = await this.#ask("SystemInfo.getProcessInfo");
    const renderers = processInfo.filter(({ type }) => type === "renderer");
    return { process: renderers.reduce((sum, { id }) => sum + own(id), 0), heap: metric("JSHeapUsedSize") / 2 ** 20, nodes: metric("Nodes"), listeners: metric("JSEventListeners") };
  }

  async close() {
    const gone = new Promise((resolve) => this.#browser.once("exit", resolve));
    await this.#ask("Browser.close").catch(() => {});
    await gone;
    rmSync(this.#profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Megabytes that a process shares with no other. */
function own(pid) {
  const lines = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8").matchAll(/^Private_(?:Clean|Dirty):\s+(\d+) kB$/gm);
  return [...lines].reduce((sum, [, kilobytes]) => sum + Number(kilobytes), 0) / 1024;
}
