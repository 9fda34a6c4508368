/** The views of the lab by keyboard and by ear, in every width, language and colour. */

import { expect, test } from "@playwright/test";
import { everywhere } from "./axe.js";
import { lab } from "./lab.js";

// Nothing plays by itself: the end is shown as soon as it is there.
test.use({ contextOptions: { reducedMotion: "reduce" } });

const SMALL = "#lab&seed=0&particles=100";
/** The states of the lab that look different. */
const VIEWS = {
  forward: `${SMALL}&data=moons&view=forward&process=curve&tour=1`,
  reverse: `${SMALL}&data=moons&pane1=ddim~5&pane2=reverse-sde~20&pane3=annealed-langevin~10&pane4=predictor-corrector~5`,
  learning: `${SMALL}&data=moons&pane1=ddim~5&pane2=ddpm~5&model=learned&objective=score&depth=1&width=16&batch=64&train-steps=60&tour=3`,
  guidance: `${SMALL}&data=four-gaussians&class=3&guidance=4&guide=classifier&pane1=ddim~5&pane2=ddpm~5`,
  cooling: `${SMALL}&data=ring&class=0&guidance=0.3&view=anneal&temperature=8_0.05_60`,
  numbers: `${SMALL}&data=four-gaussians&view=numbers&pane1=ddim~10&pane2=ddpm~10`,
  latent: `${SMALL}&data=spiral&view=latent&pane1=ddim~8&tour=11`,
  discrete: `${SMALL}&view=discrete&unmask-steps=2&tour=12`,
};

/** Formulas and lists that are cut, and a row of stops that breaks. */
const cut = (page) =>
  page.evaluate(() => {
    const seen = (element) => element.getClientRects().length > 0;
    const wide = [...document.querySelectorAll("#lab :is(math, .formula, .figures, h2)")].filter((element) => seen(element) && element.scrollWidth > element.parentElement.clientWidth + 1);
    const lists = [...document.querySelectorAll("#lab select")].filter(seen).filter((select) => {
      const context = new OffscreenCanvas(1, 1).getContext("2d");
      const style = getComputedStyle(select);
      context.font = style.font;
      return context.measureText(select.selectedOptions[0].textContent).width > select.clientWidth - parseFloat(style.paddingLeft) - 20; // the arrow
    });
    const rows = new Set([...document.querySelectorAll("#lab-stops li")].map((stop) => stop.getBoundingClientRect().top));
    return [...wide.map((element) => `${element.textContent} is cut`), ...lists.map((select) => `${select.selectedOptions[0].textContent} is cut`), ...(rows.size > 1 ? ["the stops of the tour stand in two rows"] : [])];
  });

for (const [name, link] of Object.entries(VIEWS)) {
  test(`axe-core finds nothing, and nothing is cut: ${name}`, async ({ page }) => {
    test.setTimeout(300_000);
    await lab(page, link);
    await page.evaluate(() => document.querySelectorAll("#lab details").forEach((part) => (part.open = true)));
    expect(await everywhere(page, () => cut(page))).toEqual([]);
  });
}
