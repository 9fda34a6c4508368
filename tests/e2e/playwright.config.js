import path from "node:path";
import { defineConfig } from "@playwright/test";
import { launchOptions, PORT, root, url } from "./browser.js";

/** Tests that interrupt a run, lose a device or measure: beside another browser they could come too late. `npm test` runs them after the others. */
const ALONE = ["backend", "bench", "direct", "film", "history", "lost", "race", "reliability", "run", "standing", "text"].map((name) => `${name}.spec.js`);

export default defineConfig({
  testDir: ".",
  workers: 2,
  projects: [
    { name: "parallel", testIgnore: ["engines/**", "soak/**", ...ALONE] },
    { name: "alone", testMatch: ALONE, workers: 1 },
  ],
  outputDir: path.join(root, "test-results"),
  timeout: 120_000,
  expect: { timeout: 60_000 },
  forbidOnly: true,
  reporter: "list",
  use: { baseURL: url, launchOptions, viewport: { width: 1280, height: 800 }, locale: "en-GB" },
  webServer: process.env.UNNOISE_URL
    ? undefined
    : { command: `cargo xtask serve --port ${PORT}`, cwd: root, url, reuseExistingServer: true, timeout: 3_600_000 },
});
