import path from "node:path";
import { defineConfig } from "@playwright/test";
import { launchOptions, PORT, root, url } from "./browser.js";

export default defineConfig({
  testDir: ".",
  testIgnore: ["engines/**", "soak/**"],
  outputDir: path.join(root, "test-results"),
  // A test waits half of its time. On a busy machine one may come too late for a run that it means to interrupt: it has a second
  // chance, and is listed as flaky if it needs it.
  workers: 2,
  retries: 1,
  timeout: 120_000,
  expect: { timeout: 60_000 },
  forbidOnly: true,
  reporter: "list",
  use: { baseURL: url, launchOptions, viewport: { width: 1280, height: 800 }, locale: "en-GB" },
  webServer: process.env.UNNOISE_URL
    ? undefined
    : { command: `cargo xtask serve --port ${PORT}`, cwd: root, url, reuseExistingServer: true, timeout: 3_600_000 },
});
