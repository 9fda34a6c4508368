/** Curves and bars in the page's colours, drawn by uPlot, with a legend of our own that speaks both languages. */

import "./locale.js";
import uPlot from "../vendor/uPlot.esm.js";
import { el, label } from "../strings.js";
import { css, onTheme } from "../colours.js";

const HEIGHT = 190;
/** From this many points on, a curve is drawn without its points. */
const CROWD = 30;

/** @typedef {{colour: string, key: string, id?: string, values?: Record<string, import("../strings.js").Value>, dash?: number[]}} Series a custom property and a text; `id` tells texts apart that are functions; `dash` is a line and a gap, in pixels */

export class Chart {
  /**
   * @param {HTMLElement} box
   * @param {{logX?: boolean, logY?: boolean, bars?: boolean, across: string, up: string}} style `across` and `up`: what the axes measure
   */
  constructor(box, style) {
    Object.assign(this, { style, series: [], data: [[]] });
    this.legend = el("ul", "", {}, { className: "legend" });
    this.frame = el("div", "", {}, { className: "chart", role: "img" });
    label(this.frame, style.up);
    box.replaceChildren(el("p", style.up, {}, { className: "hint" }), this.frame, el("p", style.across, {}, { className: "hint across" }), this.legend);
    onTheme(() => this.build());
    new ResizeObserver(() => this.frame.clientWidth > 0 && this.plot?.setSize(this.size())).observe(this.frame);
  }

  size = () => ({ width: this.frame.clientWidth || 300, height: HEIGHT });

  /**
   * @param {Series[]} series
   * @param {(number | null)[][]} data the places across, then one row a series
   * @param {Series & {from: number, to: number}} [band] what lies between two heights, behind the series
   */
  show(series, data, band) {
    const same = JSON.stringify([series, band]) === JSON.stringify([this.series, this.band]);
    if (band) data = [...data, data[0].map(() => band.from), data[0].map(() => band.to)];
    Object.assign(this, { series, data, band });
    if (this.plot && same) this.plot.setData(data);
    else this.build();
  }

  build() {
    this.plot?.destroy();
    const { band, series, style: { logX, logY, bars } } = this;
    const axis = { stroke: css("--soft"), grid: { stroke: css("--line"), width: 1 }, ticks: { stroke: css("--line"), width: 1 }, font: "11px system-ui" };
    const line = ({ colour, dash }) => ({
      stroke: css(colour),
      width: 2,
      spanGaps: true,
      points: { show: () => !bars && !dash && this.data[0].length < CROWD, size: 6, fill: css(colour) },
      ...(dash ? { dash } : {}),
      ...(bars ? { fill: css(colour, 0.6), width: 1, paths: uPlot.paths.bars({ size: [0.8, 60] }) } : {}),
    });
    // A scale without numbers yet has to say what it would show.
    const scale = (log) => (log ? { distr: 3 } : { range: (_, low, high) => (bars ? [Math.min(low, 0), high] : low === high ? [low - 1, high + 1] : [low, high]) });
    const options = {
      ...this.size(),
      cursor: { show: false },
      legend: { show: false },
      scales: { x: { time: false, ...(logX ? { distr: 3 } : bars ? { range: (_, low, high) => [low - 0.6, high + 0.6] } : {}) }, y: scale(logY) },
      axes: [{ ...axis }, { ...axis, size: 52 }],
      series: [{}, ...series.map(line), ...(band ? Array.from({ length: 2 }, () => ({ width: 0, points: { show: false } })) : [])],
      bands: band ? [{ series: [series.length + 2, series.length + 1], fill: css(band.colour, 0.25) }] : [],
    };
    this.plot = new uPlot(options, this.data, this.frame);
    this.legend.replaceChildren(...[...series, ...(band ? [band] : [])].map(({ colour, key, values, dash: [long, gap] = [1, 0] }) => {
      const item = el("li", "", {}, {});
      item.append(el("i", "", {}, { style: `background: repeating-linear-gradient(90deg, var(${colour}) 0 ${long}px, transparent ${long}px ${long + gap}px)` }), el("span", key, values));
      return item;
    }));
  }
}
