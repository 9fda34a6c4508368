/** The guided tour: stops in the order of the theory. Each is a link, and a text that stays beside what it shows. */

import { $ } from "../dom.js";
import { el, label, say } from "../strings.js";

/** What each stop shows. */
const LINKS = [
  "data=moons&seed=0&view=forward",
  "data=four-gaussians&seed=0&pane1=ddim~20&pane2=ddpm~50",
  "data=moons&seed=0&model=learned&field=learned&clock=0.7",
  "data=ring&seed=0&field=exact&clock=0.8",
  "data=four-gaussians&seed=0&pane1=ode~40&pane2=reverse-sde~200",
  "data=four-gaussians&seed=0&view=numbers",
  "data=four-gaussians&seed=0&pane1=langevin~400&pane2=annealed-langevin~400",
  "data=ring&seed=0&class=0&guidance=0.3&view=anneal",
  "data=four-gaussians&seed=0&class=3&guidance=4&field=exact&pane1=ddim~50&pane2=reverse-sde~200",
  "data=pinwheel&seed=0&process=flow&pane1=euler~4&pane2=euler~40",
  "data=spiral&seed=0&process=cosine&view=latent&pane1=ddim~8",
  "data=four-gaussians&seed=0&view=discrete",
];

/** How many stops there are. */
const STOPS = LINKS.length;

/** The address of a stop. @param {number} stop from 1 */
export const linkTo = (stop) => `#lab&${LINKS[stop - 1]}&tour=${stop}`;

/** Fills the row of stops, once. */
export function build() {
  $("lab-stops").replaceChildren(
    ...LINKS.map((_, i) => {
      const item = el("li", "", {}, {});
      const link = el("a", "plain", { text: String(i + 1) }, { href: linkTo(i + 1) });
      label(link, `lab.tour.${i + 1}`);
      item.append(link);
      return item;
    }),
  );
}

/** Shows the text of a stop, or none. @param {string | null} tour its number */
export function show(tour) {
  const stop = Number(tour);
  for (const [i, item] of [...$("lab-stops").children].entries()) {
    if (i + 1 === stop) item.firstChild.setAttribute("aria-current", "step");
    else item.firstChild.removeAttribute("aria-current");
  }
  $("lab-stop").hidden = $("lab-stop-ways").hidden = !stop;
  $("lab-tour-start").hidden = Boolean(stop);
  if (!stop) return;
  say($("lab-stop-title"), `lab.tour.${stop}`);
  say($("lab-stop-text"), `lab.tour.${stop}.text`);
  $("lab-tour-back").hidden = stop === 1;
  $("lab-tour-on").hidden = stop === STOPS;
  $("lab-tour-back").href = linkTo(Math.max(stop - 1, 1));
  $("lab-tour-on").href = linkTo(Math.min(stop + 1, STOPS));
}
