import { defineConfig } from "@playwright/test";
import config from "./playwright.config.js";

/** The page in other engines than Playwright's; `cargo xtask test` says where they are. */
export default defineConfig({ ...config, testDir: "engines", projects: undefined, timeout: 600_000 });
