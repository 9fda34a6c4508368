/** Curves over steps in an SVG, with a line at the step on show. */

const SVG = "http://www.w3.org/2000/svg";
/** What the drawing is stretched from. */
const [WIDTH, HEIGHT] = [1000, 100];

/** @typedef {{name: string, values: (number | null)[]}} Curve its class, and a value a step; what has none is left out */
/** @typedef {{curves: Curve[], log?: boolean}} Scale curves that share a scale */

export class Plot {
  /** @param {SVGElement} svg */
  constructor(svg) {
    this.svg = svg;
    svg.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
    svg.setAttribute("preserveAspectRatio", "none");
  }

  /**
   * @param {Scale[]} scales @param {{steps: number, at: number}} along the number of the last step, and the one on show
   * @returns {([number, number] | undefined)[]} the least and the largest value of each scale that has any
   */
  show(scales, { steps, at }) {
    const across = (step) => (WIDTH * step) / Math.max(steps, 1);
    const line = this.path("at", `M${across(at).toFixed(1)} 0V${HEIGHT}`);
    const paths = [];
    const ranges = scales.map(({ curves, log = false }) => {
      const drawn = (value) => Number.isFinite(value) && value !== null && (!log || value > 0);
      const values = curves.flatMap(({ values }) => values.filter(drawn));
      if (!values.length) return undefined;
      const [low, high] = [Math.min(...values), Math.max(...values)];
      const place = log ? Math.log : Number;
      const up = (value) => HEIGHT - (HEIGHT * (place(value) - place(low))) / (place(high) - place(low) || 1);
      for (const { name, values } of curves) {
        let pen = "M";
        const points = values.map((value, step) => {
          if (!drawn(value)) return (pen = "M"), "";
          const point = `${pen}${across(step).toFixed(1)} ${up(value).toFixed(1)}`;
          pen = "L";
          return point;
        });
        paths.push(this.path(name, points.join("")));
      }
      return [low, high];
    });
    this.svg.replaceChildren(line, ...paths);
    return ranges;
  }

  path(name, d) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("class", name);
    path.setAttribute("d", d);
    return path;
  }
}
