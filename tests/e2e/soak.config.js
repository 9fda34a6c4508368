import { defineConfig } from "@playwright/test";
import config from "./playwright.config.js";

/** Long runs, which find what grows; docs/reliability.md has what they found. */
export default defineConfig({ ...config, testDir: "soak", testIgnore: [], timeout: 7_200_000 });
