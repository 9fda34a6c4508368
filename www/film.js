/** The form that saves steps as an animation, a video or a ZIP of pictures. */

import { UnnoiseError, film, film_sizes, made_texts, write_link } from "../pkg/index.js";
import { made, named, save, signed, tells } from "./saved.js";
import { el, hush, label, megabytes, say } from "./strings.js";

const STILLS = ["gif", "apng", "zip"];
/** The library that writes a video's file, by the video's kind. */
const VIDEOS = { mp4: "mp4-muxer", webm: "webm-muxer" };
/** How often a side may be enlarged, frames a second, and seconds for which the last frame stays. */
const [ZOOMS, RATES, HOLDS] = [[1, 2, 4, 8, 16], [2, 5, 10, 20, 30], [0, 1, 2, 5]];
/** What the form begins with; of the sizes, the largest that is no wider. */
const FIRST = { rate: 10, hold: 2, width: 600 };

/** @typedef {import("./timeline.js").Frame} Frame */
/** @typedef {{frames: Frame[], run: import("./saved.js").Run, image: number | null, shows?: string[]}} Given `image` is the picked one, from 0 on; `shows` what there is of each frame */

export class FilmForm {
  /** @param {string} prefix of its ids @param {() => Given} given what there is to save now */
  constructor(prefix, given) {
    this.given = given;
    const field = (name, options) => {
      const select = el("select", "", {}, { id: `${prefix}-${name}` });
      select.append(...options);
      select.addEventListener("change", () => this.sized());
      const box = el("div");
      box.append(el("label", `film.${name}`, {}, { htmlFor: select.id }), select);
      this[name] = select;
      return box;
    };
    const formats = [...STILLS, ...(globalThis.VideoEncoder ? Object.keys(VIDEOS) : [])];
    const choices = (values, key, of = (value) => ({ value })) => values.map((value) => el("option", key(value), of(value), { value: String(value) }));
    const fields = el("div", "", {}, { className: "film" });
    fields.append(
      field("format", choices(formats, (format) => `film.${format}`)),
      field("shows", choices(["x", "denoised", "both"], (shows) => `film.shows.${shows}`)),
      field("of", choices(["sheet", "image"], (of) => `film.of.${of}`)),
      field("size", []),
      field("rate", choices(RATES, () => "film.rate.of", (rate) => ({ rate }))),
      field("hold", choices(HOLDS, () => "film.hold.of", (hold) => ({ hold }))),
    );
    [this.rate.value, this.hold.value] = [String(FIRST.rate), String(FIRST.hold)];
    this.go = el("button", "film.save", {}, { type: "button", id: `${prefix}-go`, onclick: () => this.make() });
    this.stop = el("button", "cancel", {}, { type: "button", id: `${prefix}-cancel`, disabled: true, onclick: () => this.cancel() });
    this.bar = el("progress", "", {}, { max: 1, value: 0 });
    label(this.bar, "progress");
    this.said = el("p", "", {}, { className: "hint", role: "status", id: `${prefix}-said` });
    const row = el("div", "", {}, { className: "row" });
    row.append(this.go, this.stop);
    this.box = el("section", "", {}, { className: "saving" });
    this.box.append(el("h3", "film"), fields, row, this.bar, this.said);
  }

  /** Says anew what there is to save. */
  async show() {
    this.cancel();
    const { frames, shows = ["x", "denoised", "both"], image } = this.given();
    for (const option of this.shows.options) option.hidden = option.disabled = !shows.includes(option.value);
    if (!shows.includes(this.shows.value)) [this.shows.value] = shows;
    if (image !== null) say(this.of.options[1], "film.of.picked", { image: image + 1 });
    this.of.options[1].disabled = image === null;
    if (image === null) this.of.value = "sheet";
    this.go.disabled = frames.length < 2;
    if (this.go.disabled) return say(this.said, "film.none");
    hush(this.said);
    return this.sized();
  }

  scene(zoom = Number(this.size.value)) {
    const { frames, image } = this.given();
    const { images, channels, height, width } = frames[0];
    return { shows: this.shows.value, image: this.of.value === "image" ? image : null, zoom, images, channels, height, width };
  }

  /** Offers the sizes that there are. */
  async sized() {
    const still = this.format.value === "zip";
    this.rate.disabled = this.hold.disabled = still;
    const scene = this.scene(1);
    const sizes = await film_sizes(scene, ZOOMS).catch((thrown) => this.failed(thrown));
    if (!sizes) return;
    const before = Number(this.size.value) || sizes.findLast(({ width }) => width <= FIRST.width)?.zoom;
    this.size.replaceChildren(...sizes.map(({ zoom, width, height }) => el("option", "film.size.of", { width, height }, { value: String(zoom) })));
    if (sizes.some(({ zoom }) => zoom === before)) this.size.value = String(before);
    this.go.disabled = !sizes.length || this.given().frames.length < 2 || !this.stop.disabled;
    if (!sizes.length) say(this.said, "film.large");
    else if (this.said.dataset.i18n === "film.large") hush(this.said);
  }

  async make() {
    const { frames, run } = this.given();
    const [format, scene] = [this.format.value, this.scene()];
    const mine = (this.running = new AbortController());
    const { signal } = mine;
    const part = { ...(scene.image !== null && { image: scene.image + 1 }) };
    this.busy(true);
    say(this.said, "film.making");
    try {
      // A frame of a walk is the end of a run of its own; the last step of a run needs no number.
      const texts = ({ of, step, done }) => made_texts(...made(of ? { ...run, settings: of } : run, { ...part, ...(!of && done < 1 && { step }) }));
      const told = format === "zip" && tells();
      const options = { format, scene, rate: Number(this.rate.value), hold: Number(this.hold.value), link: write_link(run.settings, { share: true }) };
      const videos = VIDEOS[format] && new URL(`./vendor/${VIDEOS[format]}.js`, import.meta.url).href;
      const bytes = await film(frames.map((frame) => ({ ...frame, texts: told ? texts(frame) : [] })), options, { signal, videos, progress: (done) => (this.bar.value = done) });
      const file = format === "apng" ? await signed(new Blob([bytes], { type: "image/png" }), run, { ...part, shows: "animation" }) : new Blob([bytes]);
      const name = named(run.settings, `${part.image ? `-image-${part.image}` : ""}.${format === "apng" ? "png" : format}`);
      save(file, name);
      say(this.said, "film.done", { name, size: megabytes(file.size) });
    } catch (thrown) {
      if (this.running === mine) this.failed(thrown);
    } finally {
      if (this.running === mine) this.busy(false);
    }
  }

  failed(thrown) {
    const { code, message } = UnnoiseError.from(thrown);
    if (code === "aborted") say(this.said, "film.cancelled");
    else say(this.said, "film.failed", { message });
  }

  busy(is) {
    this.go.disabled = is;
    this.stop.disabled = !is;
    this.bar.value = 0;
    if (is) this.stop.focus();
    else this.go.focus();
  }

  cancel() {
    this.running?.abort();
  }
}
