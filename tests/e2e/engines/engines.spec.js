/** The same short journey in three engines. */

import { expect, test } from "@playwright/test";
import { url } from "../browser.js";
import * as chromium from "./chromium.js";
import * as firefox from "./firefox.js";
import { journey } from "./journey.js";
import * as webkit from "./webkit.js";

const { FIREFOX, WEBKIT_DRIVER, WEBKIT_BROWSER } = process.env;
const OTHERS = [
  ["Firefox", FIREFOX, () => firefox.open(FIREFOX)],
  ["WebKit", WEBKIT_DRIVER && WEBKIT_BROWSER, () => webkit.open(WEBKIT_DRIVER, WEBKIT_BROWSER)],
].filter(([, program]) => program);

/** @param {() => Promise<import("./journey.js").Tab>} open */
async function travel(open) {
  const tab = await open();
  try {
    return await journey(tab, url);
  } finally {
    await tab.close();
  }
}

let expected;
test.beforeAll(async () => {
  expected = await travel(chromium.open);
});

test("Chromium runs the link, marks a change, shares the run on show, and has numbers in the lab", () => {
  expect(expected.done).toMatch(/^Done: 2 images/);
  expect(new Set(expected.sheets).size).toBe(3); // at the end the sample is the estimate
  expect(expected.mark).toBe("Settings changed: press Run");
  expect(expected.hash).toContain("seed=8");
  expect(expected.shared).toContain("seed=7");
  expect(expected.numbers.length).toBeGreaterThan(3);
});

for (const [name, , open] of OTHERS) {
  test(`${name} sees the same, pixel for pixel and digit for digit`, async () => {
    const seen = await travel(open);
    expect(seen.done).toMatch(/^Done: 2 images/);
    for (const part of ["sheets", "mark", "hash", "shared", "numbers"]) expect(seen[part], part).toEqual(expected[part]);
  });
}
