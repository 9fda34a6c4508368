/** The one clock of all planes: a place from 0 to 1, moved by playing, by the slider or by the keyboard. */

/** A whole replay takes this long (milliseconds). */
const REPLAY = 5000;
/** How far an arrow key goes. */
const NUDGE = 0.02;

const calm = matchMedia("(prefers-reduced-motion: reduce)");

export class Clock {
  /**
   * @param {{slider: HTMLInputElement, play: HTMLButtonElement}} elements
   * @param {{moved: (place: number) => void, rested: () => void}} hears `rested`: it stands where a person may want it to be kept
   */
  constructor({ slider, play }, { moved, rested }) {
    Object.assign(this, { slider, play, moved, rested });
    this.place = 1;
    this.frame = 0;
    slider.addEventListener("input", () => {
      this.pause();
      this.go(Number(slider.value));
    });
    slider.addEventListener("change", rested);
    play.addEventListener("click", () => this.toggle());
  }

  get playing() {
    return this.frame !== 0;
  }

  /** Goes to a place. */
  go(place) {
    this.place = Math.min(Math.max(place, 0), 1);
    this.slider.value = String(this.place);
    this.moved(this.place);
  }

  toggle() {
    if (!this.playing) return this.start(this.place >= 1 ? 0 : this.place);
    this.pause();
    this.rested();
  }

  /** Plays on from a place. Where motion is unwelcome, only a person starts it. */
  start(from) {
    this.pause();
    this.go(from);
    let before = performance.now();
    const tick = (now) => {
      this.frame = requestAnimationFrame(tick);
      this.go(this.place + Math.max(now - before, 0) / REPLAY);
      before = now;
      if (this.place < 1) return;
      this.pause();
      this.rested();
    };
    this.frame = requestAnimationFrame(tick);
    this.play.setAttribute("aria-pressed", "true");
  }

  /** Plays from the beginning, or shows the end at once. */
  begin() {
    if (calm.matches) this.go(1);
    else this.start(0);
  }

  pause() {
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    this.play.setAttribute("aria-pressed", "false");
  }

  /** A key pressed anywhere on the lab but in a control. @returns {boolean} whether it meant the clock */
  key(name) {
    const places = { ArrowLeft: this.place - NUDGE, ArrowRight: this.place + NUDGE, Home: 0, End: 1 };
    if (name === " ") this.toggle();
    else if (name in places) {
      this.pause();
      this.go(places[name]);
      this.rested();
    } else return false;
    return true;
  }
}
