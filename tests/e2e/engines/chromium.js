/** Chromium, by Playwright: what the other engines are compared with. */

import { chromium } from "@playwright/test";
import { launchOptions } from "../browser.js";

/** @returns {Promise<import("./journey.js").Tab>} */
export async function open() {
  const browser = await chromium.launch(launchOptions);
  const page = await browser.newPage();
  return {
    go: (address) => page.goto(address),
    run: (work, ...given) => page.evaluate(`(${work})(...${JSON.stringify(given)})`),
    close: () => browser.close(),
  };
}
