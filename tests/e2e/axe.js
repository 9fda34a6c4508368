/** What axe-core finds on a page. */

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { expect } from "@playwright/test";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core"), "utf8");

/** What is wrong, each with where. */
async function violations(page) {
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(axe); // no script tag: the page's policy forbids it
  const { violations: found } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  return found.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => `${id}: ${target} ${failureSummary}`));
}

/** The states that axe looks at: pairwise coverage of theme, width and language, in half the time of all. */
const SEEN = ["light 1280 en", "light 820 zh", "light 390 en", "dark 1280 zh", "dark 820 en", "dark 390 zh"];

/**
 * What is wrong in light and dark, at three widths, in both languages.
 * @param {import("@playwright/test").Page} page @param {() => Promise<string[]>} [also] looks for more, at each
 */
export async function everywhere(page, also = async () => []) {
  const wrong = [];
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    for (const width of [1280, 820, 390]) {
      await page.setViewportSize({ width, height: 800 });
      for (const tongue of ["en", "zh"]) {
        await page.evaluate((tongue) => document.querySelector(`[data-language=${tongue}]`).click(), tongue);
        await expect(page.locator(`[data-language=${tongue}]`)).toHaveAttribute("aria-pressed", "true");
        const state = `${colorScheme} ${width} ${tongue}`;
        const found = [...(SEEN.includes(state) ? await violations(page) : []), ...(await also())];
        const sideways = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        if (sideways > 0) found.push(`the page scrolls sideways by ${sideways}`);
        wrong.push(...found.map((line) => `${state}: ${line}`));
      }
    }
  }
  return wrong;
}
