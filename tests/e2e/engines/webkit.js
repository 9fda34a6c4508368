/** WebKitGTK's MiniBrowser, by WebDriver, on a screen that nobody sees. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";

/** Longest time that a script of the page may take (milliseconds). */
const LIMIT = 300_000;

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  return port;
}

/** Starts a screen. @returns {Promise<{display: string, stop: () => void}>} */
async function screen() {
  const xvfb = spawn("Xvfb", ["-displayfd", "3", "-screen", "0", "1280x800x24", "-nolisten", "tcp"], { stdio: ["ignore", "ignore", "ignore", "pipe"] });
  const [number] = await once(xvfb.stdio[3], "data");
  return { display: `:${String(number).trim()}`, stop: () => xvfb.kill() };
}

/** The answer to a command of WebDriver. */
async function ask(method, address, body) {
  const response = await fetch(address, { method, body: body && JSON.stringify(body), headers: { "content-type": "application/json" } });
  const { value } = await response.json();
  if (!response.ok) throw new Error(`WebKit: ${value.error}: ${value.message}`);
  return value;
}

/** Asks until the driver is there. */
async function ready(driver) {
  for (let i = 0; i < 100; i += 1) {
    if ((await ask("GET", `${driver}/status`).catch(() => ({}))).ready) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error("WebKitWebDriver did not start");
}

/** @param {string} program the driver @param {string} browser MiniBrowser @returns {Promise<import("./journey.js").Tab>} */
export async function open(program, browser) {
  const { display, stop } = await screen();
  const port = await freePort();
  const env = { ...process.env, DISPLAY: display, WEBKIT_DISABLE_COMPOSITING_MODE: "1", WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: "1" };
  const process_ = spawn(program, [`--port=${port}`], { env, stdio: "ignore" });
  const driver = `http://127.0.0.1:${port}`;
  await ready(driver);
  const options = { binary: browser, args: ["--automation"] };
  const { sessionId } = await ask("POST", `${driver}/session`, { capabilities: { alwaysMatch: { "webkitgtk:browserOptions": options, timeouts: { script: LIMIT } } } });
  const session = `${driver}/session/${sessionId}`;
  // The function stands in the script itself: the page's policy forbids to evaluate a string.
  const script = (work) => `const [given, done] = arguments; (${work})(...given).then((value) => done({ value }), (thrown) => done({ thrown: String(thrown) }));`;
  return {
    go: (address) => ask("POST", `${session}/url`, { url: address }),
    async run(work, ...given) {
      const { value, thrown } = await ask("POST", `${session}/execute/async`, { script: script(work), args: [given] });
      if (thrown) throw new Error(`WebKit: ${thrown}`);
      return value;
    },
    async close() {
      await ask("DELETE", session).catch(() => {});
      process_.kill();
      stop();
    },
  };
}
