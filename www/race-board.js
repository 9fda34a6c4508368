/** The board of a race: its curves, its ranking, and the pictures that its samplers have come to. */

import { race_table } from "../pkg/index.js";
import { DOTS } from "./colours.js";
import { Chart } from "./lab/chart.js";
import { Sheet } from "./paint.js";
import { el, label, say } from "./strings.js";

/** Orders whose slopes are drawn beside the curves, each dashed in its own way. */
const ORDERS = { 1: [2, 3], 2: [5, 3], 3: [9, 3] };

/** @typedef {import("../pkg/index.js").RaceNews} RaceNews */

/** Three digits and a power of ten, as the command line prints it. @param {number | null} distance */
export const power = (distance) => (distance === null || distance === undefined ? "" : distance.toExponential(2));

export class Board {
  constructor() {
    /** @type {RaceNews[]} */
    this.points = [];
    /** The limits: that of the ODE by the empty name. @type {Map<string, RaceNews>} */
    this.limits = new Map();
    this.box = el("div", "", {}, { className: "board" });
    const plot = el("div", "", {}, { id: "race-plot" });
    this.chart = new Chart(plot, { logX: true, logY: true, across: "race.across", up: "race.up" });
    this.table = el("table", "", {}, { className: "ranking", id: "race-table" });
    const scroll = el("div", "", {}, { className: "scroll", tabIndex: 0, role: "region" });
    label(scroll, "race.ranking");
    scroll.append(this.table);
    this.at = el("select", "", {}, { id: "race-at", onchange: () => this.paint() });
    const which = el("div", "", {}, { className: "row which" });
    which.append(el("label", "race.at", {}, { htmlFor: "race-at" }), this.at);
    this.gallery = el("div", "", {}, { className: "finishers", id: "race-pictures" });
    this.pictures = el("div");
    this.pictures.append(which, this.gallery);
    this.box.append(plot, scroll, this.pictures);
  }

  /** @param {import("../pkg/index.js").RacePlan} plan @param {Record<string, string>} names of samplers */
  plan(plan, names, settings) {
    Object.assign(this, { plan0: plan, names, settings });
    const option = (most) => el("option", "race.most", { most }, { value: String(most) });
    this.at.replaceChildren(el("option", "race.newest", {}, { value: "" }), ...plan.evaluations.map(option));
    /** @type {Record<string, {box: HTMLElement, caption: HTMLElement, canvas: HTMLCanvasElement, sheet: Sheet}>} */
    this.figures = Object.fromEntries(["", ...plan.samplers].map((id) => [id, this.figure(id)]));
    this.gallery.replaceChildren(...Object.values(this.figures).map(({ box }) => box));
    this.clear();
  }

  figure(id) {
    const canvas = el("canvas", "", {}, { width: 8, height: 8, role: "img" });
    label(canvas, id ? "plain" : "race.limit", { text: this.names[id] });
    const caption = el("figcaption");
    const box = el("figure", "", {}, { hidden: true });
    box.append(canvas, caption);
    return { box, caption, canvas, sheet: new Sheet(canvas) };
  }

  clear() {
    this.points = [];
    this.limits.clear();
    this.show();
  }

  /** @param {RaceNews} news */
  add(news) {
    if (news.limit) this.limits.set(news.sampler ?? "", news);
    else if (news.distance !== null) this.points.push(news);
    this.show();
  }

  show() {
    const points = this.points.map(({ sampler, most, taken, distance }) => ({ sampler, most, taken, distance }));
    this.result = race_table(this.settings, points);
    this.curves();
    this.rank();
    this.paint();
  }

  /** The custom property that has the colour of a sampler. */
  colour = (id) => DOTS[this.plan0.samplers.indexOf(id) % DOTS.length];

  curves() {
    const { samplers } = this.plan0;
    const drawn = this.points.filter(({ distance }) => distance > 0 && Number.isFinite(distance));
    const counts = [...new Set(drawn.length ? drawn.map(({ taken }) => taken) : this.plan0.evaluations)].sort((a, b) => a - b);
    const series = samplers.map((id) => ({ colour: this.colour(id), key: "plain", values: { text: this.names[id] } }));
    const rows = samplers.map((id) => counts.map((n) => drawn.findLast(({ sampler, taken }) => sampler === id && taken === n)?.distance ?? null));
    // Slopes from the worst of the first distances, as far down as the curves go.
    const [first] = counts;
    const least = Math.min(...drawn.map(({ distance }) => distance));
    const worst = Math.max(...drawn.map(({ distance }) => distance));
    for (const [order, dash] of drawn.length ? Object.entries(ORDERS) : []) {
      series.push({ colour: "--soft", dash, key: "race.order", values: { order } });
      rows.push(counts.map((n) => worst * (n / first) ** -order).map((v) => (v >= least / 2 ? v : null)));
    }
    this.chart.show(series, [counts, ...rows]);
  }

  rank() {
    const head = el("tr");
    head.append(
      el("th", "race.rank", {}, { scope: "col" }),
      el("th", "race.sampler", {}, { scope: "col" }),
      ...this.plan0.evaluations.map((most) => el("th", "plain", { text: String(most) }, { scope: "col" })),
      el("th", "race.measured", {}, { scope: "col" }),
    );
    const rows = this.result.rows.map(({ sampler, distances, order }, i) => {
      const row = el("tr");
      row.append(
        el("td", "plain", { text: String(i + 1) }),
        el("th", "plain", { text: this.names[sampler] }, { scope: "row" }),
        ...distances.map((distance) => el("td", "plain", { text: power(distance) })),
        el("td", "plain", { text: order === null ? "" : order.toFixed(1) }),
      );
      return row;
    });
    this.table.replaceChildren(el("caption", "race.ranking"), head, ...rows);
  }

  /** The pictures after the chosen number of evaluations, or the newest. */
  paint() {
    const most = Number(this.at.value);
    this.pictures.hidden = !this.limits.size;
    for (const [id, figure] of Object.entries(this.figures)) {
      const own = this.points.filter((point) => point.sampler === id && (!most || point.most === most));
      const news = id ? own.at(-1) : (this.limits.get("") ?? [...this.limits.values()][0]);
      figure.box.hidden = !news;
      if (!news) continue;
      figure.sheet.layout(news);
      figure.sheet.draw(news.x);
      if (id) say(figure.caption, "race.caption", { name: this.names[id], taken: news.taken, distance: power(news.distance) });
      else say(figure.caption, "race.limit");
    }
  }
}
