/** Bench: what the kernels reach on this machine's graphics card, by layers of networks, beside the most that it computes. */

import { Engine, UnnoiseError } from "../pkg/index.js";
import { Dialog } from "./dialog.js";
import { sentence } from "./notices.js";
import { el, hush, knows, label, say, t } from "./strings.js";

/** @type {import("./beyond.js").Page} */
let page;
/** @type {Dialog} */
let dialog;
/** @type {AbortController | undefined} */
let running;
/** The engine that was opened for this, where the page's own is not on a graphics card. @type {Engine | undefined} */
let own;
/** Of what the rows were measured on. */
let adapter = "";

/** @type {Record<string, HTMLButtonElement>} */
let buttons;
/** @type {HTMLProgressElement} */
let bar;
const said = el("p", "", {}, { className: "hint", role: "status", id: "bench-said" });
const refusal = el("p", "", {}, { className: "hint bad", role: "alert", id: "bench-refused" });
const rows = el("tbody", "", {}, { id: "bench-rows" });

/** @param {import("./beyond.js").Page} given */
export function open(given) {
  page = given;
  if (!dialog) build();
  dialog.show();
  page.controls.set("bench", "1");
  idle();
}

/** A link asks for the view; what takes so long waits for a person. */
export const begin = open;

function build() {
  dialog = new Dialog("bench", { closed });
  const table = el("table", "", {}, { className: "ranking rates", id: "bench-table" });
  const head = el("tr");
  head.append(...["layer", "rate", "share"].map((key) => el("th", `bench.${key}`, {}, { scope: "col" })));
  const top = el("thead");
  top.append(head);
  table.append(top, rows);
  const scroll = el("div", "", {}, { className: "scroll", tabIndex: 0, role: "region" });
  label(scroll, "bench.title");
  scroll.append(table);
  let row;
  ({ buttons, row, bar } = dialog.actions({ run: { text: "bench.run", act: run }, stop: { text: "compare.stop", act: stop }, copy: { text: "bench.copy", act: copy } }));
  dialog.fill(refusal, said, row, bar, scroll);
}

/** An engine on the graphics card, and what loads the page's model there; or why there is none. */
async function engine(signal) {
  const given = page.engine();
  if (given.backend === "webgpu") return { engine: given, model: async () => page.model() };
  if (!own) {
    const opened = await Engine.open({ device: "webgpu", signal });
    if (opened.backend !== "webgpu") {
      opened.close();
      return { nowhere: opened.reason };
    }
    own = opened;
  }
  return { engine: own, model: () => page.load(page.controls.settings.model, signal, own) };
}

async function run() {
  stop();
  const mine = new AbortController();
  const { signal } = mine;
  running = mine;
  hush(refusal);
  rows.replaceChildren();
  idle();
  buttons.stop.focus();
  try {
    say(said, "bench.opening");
    const there = await engine(signal);
    if (running !== mine) return;
    if (there.nowhere) return nowhere(there.nowhere);
    ({ adapter } = there.engine);
    for await (const rate of there.engine.bench({ signal })) {
      if (running !== mine) return;
      bar.value = rate.done / (rate.total + 1);
      say(said, "bench.progress", { done: rate.done, total: rate.total, adapter });
      add(...named(rate), (rate.rate / 1e9).toFixed(1), rate.kind === "peak" ? "" : `${Math.round(100 * rate.share)} %`);
    }
    const { settings, model } = page.controls;
    say(said, "bench.stepping", { name: model.name });
    const ms = await (await there.model()).pace({ ...settings, bench: undefined }, { signal });
    if (running !== mine) return;
    add("bench.step", { name: model.name, images: Number(settings.images) }, `${ms.toFixed(1)} ms`, "");
    say(said, "bench.done", { adapter });
  } catch (thrown) {
    const error = UnnoiseError.from(thrown);
    if (error.code === "aborted") return;
    hush(said);
    say(refusal, "bench.failed", { message: error.message });
    if (!own) return await page.failed(thrown);
    own.close(); // another is opened for the next measurement
    own = undefined;
  } finally {
    if (running === mine) running = undefined;
    idle();
  }
}

/** What a row is called. @param {import("../pkg/index.js").KernelRate} rate */
function named({ kind, network, shape }) {
  const [batch, ...rest] = shape;
  if (kind === "convolution") {
    const [inputs, outputs, height, width, kernel] = rest;
    return ["bench.convolution", { network, batch, inputs, outputs, height, width, kernel }];
  }
  const [positions, sources, heads, width] = rest;
  return [`bench.${kind}`, { network, batch, positions, sources, heads, width }];
}

function add(key, values, rate, share) {
  const row = el("tr");
  row.append(el("th", key, values, { scope: "row" }), el("td", "plain", { text: rate }), el("td", "plain", { text: share }));
  rows.append(row);
}

/** There is no graphics card to measure. @param {import("../pkg/index.js").Engine["reason"]} reason */
function nowhere({ code, values }) {
  hush(said);
  const known = knows(`bench.nowhere.${code}`);
  say(refusal, known ? `bench.nowhere.${code}` : "bench.nowhere", known ? values : { sentence: () => t(...sentence(code, values)) });
}

function stop() {
  if (!running) return;
  running.abort();
  running = undefined;
  say(said, "bench.stopped");
  idle();
}

function idle() {
  buttons.run.disabled = Boolean(running);
  buttons.stop.disabled = !running;
  buttons.copy.disabled = !rows.children.length;
  if (!running) bar.value = 0;
}

/** The table as Markdown, with the machine above it. */
async function copy() {
  const cells = (row) => `| ${[...row.cells].map(({ textContent }) => textContent).join(" | ")} |`;
  const head = [...dialog.element.querySelectorAll("thead tr")].map(cells);
  const text = [`${adapter}, ${navigator.userAgent}, ${new Date().toISOString().slice(0, 10)}`, "", ...head, "|---|---:|---:|", ...[...rows.children].map(cells), ""].join("\n");
  try {
    await navigator.clipboard.writeText(text);
    say(said, "bench.copied");
  } catch (thrown) {
    say(refusal, "bench.not-copied", { message: String(thrown?.message ?? thrown) });
  }
}

/** The settings without the view, which is closed. */
function closed() {
  stop();
  own?.close();
  own = undefined;
  page.controls.drop("bench");
}
