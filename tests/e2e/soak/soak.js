/**
 * A tab that is used for hours: `npm run soak`, with the site of `UNNOISE_URL`. Prints what it holds as Markdown, and fails if that grows.
 * docs/reliability.md has the tables.
 */

import { url } from "../browser.js";
import { Tab } from "./tab.js";

/** Of the level after the first runs. */
const GROWTH = 1.2;
const RUNS = Number(process.env.SOAK_RUNS ?? 1000);
const SWITCHES = Number(process.env.SOAK_SWITCHES ?? 300);
const CYCLES = Number(process.env.SOAK_CYCLES ?? 200);
/** Runs on a model before the next one is loaded, so that all have been after `SETTLED`. */
const EACH = 5;
const SETTLED = 50;

const HEAD = "| done | process, MB | heap, MB | nodes | listeners |\n|---:|---:|---:|---:|---:|";

/** Repeats something, and says what the tab holds after the first times and every so often. @param {Tab} tab @param {number} times @param {number} every @param {(i: number) => Promise<void>} act */
async function watched(tab, times, every, act) {
  console.log(HEAD);
  let settled;
  let now;
  for (let done = 1; done <= times; done += 1) {
    await act(done);
    const settles = done === Math.min(SETTLED, times);
    if (!settles && done % every !== 0 && done !== times) continue;
    now = await tab.held();
    if (settles) settled = now;
    console.log(`| ${done} | ${now.process.toFixed(0)} | ${now.heap.toFixed(1)} | ${now.nodes} | ${now.listeners} |`);
  }
  for (const what of ["process", "nodes", "listeners"]) {
    if (now[what] <= GROWTH * settled[what]) continue;
    console.log(`\nThe ${what} grew from ${settled[what].toFixed(0)} to ${now[what].toFixed(0)}.`);
    process.exitCode = 1;
  }
}

async function runs() {
  console.log(`\n${RUNS} runs over all models and ${SWITCHES} switches of the view:\n`);
  const models = (await (await fetch(`${url}models/index.json`)).json()).map(({ id }) => id);
  const tab = await Tab.open();
  const drawn = () => tab.until('document.getElementById("status")?.dataset.i18n === "done"');
  const shown = (view) => `!document.getElementById("${view}").hidden`;
  await tab.send("Page.navigate", { url: `${url}#model=${models[0]}&steps=1&seed=1&images=1&backend=cpu` });
  await drawn();
  await tab.evaluate('(globalThis.faults = []), addEventListener("error", ({ message }) => faults.push(message))');
  let switched = 0;
  await watched(tab, RUNS, 100, async (run) => {
    const model = models[Math.floor(run / EACH) % models.length];
    const hash = `#model=${model}&steps=${1 + (run % 2)}&seed=${run}&images=${1 + (run % 3 === 0)}&backend=cpu&sampler=ddim&guidance=1`;
    // As a bookmark does.
    await tab.evaluate(`(document.getElementById("status").dataset.i18n = "before"), (location.hash = ${JSON.stringify(hash)})`);
    await drawn();
    for (; switched < Math.floor((run * SWITCHES) / RUNS); switched += 1) {
      const view = switched % 2 ? "pictures" : "lab";
      await tab.evaluate(`document.getElementById("to-${view}").click()`);
      await tab.until(shown(view));
    }
    if (switched % 2) {
      // The next link is one of pictures.
      await tab.evaluate('document.getElementById("to-pictures").click()');
      await tab.until(shown("pictures"));
      switched += 1;
    }
  });
  const faults = await tab.evaluate("faults");
  if (faults.length) {
    console.log(`\nThe page threw: ${faults.join("; ")}`);
    process.exitCode = 1;
  }
  await tab.close();
}

async function engines() {
  console.log(`\n${CYCLES} engines that are opened with a model and closed:\n`);
  const tab = await Tab.open();
  await tab.send("Page.navigate", { url: `${url}nothing` }); // whatever is said there, it is a page of the site
  await tab.until(`location.href.startsWith(${JSON.stringify(url)}) && document.readyState === "complete"`);
  await watched(tab, CYCLES, 50, () =>
    tab.evaluate(`(async () => {
      const { Engine } = await import("${url}pkg/index.js");
      const engine = await Engine.open({ device: "cpu" });
      const model = await engine.load("${url}models/mnist");
      for await (const frame of model.run({ sampler: "ddim", steps: 1, images: 2, seed: 1 })) if (frame.done === 1) break;
      engine.close();
    })()`),
  );
  await tab.close();
}

if (RUNS) await runs();
if (CYCLES) await engines();
