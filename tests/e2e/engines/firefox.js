/** Firefox as it is installed, by WebDriver BiDi, which it speaks itself. */

import puppeteer from "puppeteer-core";

/** @param {string} program @returns {Promise<import("./journey.js").Tab>} */
export async function open(program) {
  const browser = await puppeteer.launch({ browser: "firefox", executablePath: program, headless: true });
  const page = await browser.newPage();
  return {
    go: (address) => page.goto(address),
    run: (work, ...given) => page.evaluate(`(${work})(...${JSON.stringify(given)})`),
    close: () => browser.close(),
  };
}
