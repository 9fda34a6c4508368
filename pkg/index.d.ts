/** Diffusion models and samplers in the browser. */

import type { Begun, Catalogue, Change, Checked, Facts, Found, Grid, GridAxis, GridCell, Leg, Listed, Look, Measured, Origin, Part, Problem, RacePlan, RacePoint, RaceRank, RaceTable, RepositoryName, Row, Sampler, Schedule, Settings, Size, Value, Walk, WalkFrame } from "./unnoise_settings.js";
import type { About, Frame as EngineFrame, Needed, Noised, RaceNews, StepNumbers, Tokens } from "./unnoise_cpu.js";
import type { FilmScene, FilmSize } from "./unnoise_film.js";
import type { KernelRate } from "./unnoise_webgpu.js";
import type { Bound, Changed, Classified, Cooled, Data, DiscreteKnown, DiscreteSteps, Inversion, LabFrame, LatentCurve, LatentFrame, Likelihood, Masked, RaceFloor, RaceRow, Reached, Trained, Unmasked } from "./unnoise_lab.js";

export type { About, Begun, Bound, Catalogue, Change, Changed, Checked, Classified, Cooled, Data, DiscreteKnown, DiscreteSteps, Facts, FilmScene, FilmSize, Found, Grid, GridAxis, GridCell, Inversion, KernelRate, LabFrame, LatentCurve, LatentFrame, Leg, Likelihood, Listed, Look, Masked, Measured, Needed, Noised, Origin, Part, Problem, RaceFloor, RaceNews, RacePlan, RacePoint, RaceRank, RaceRow, RaceTable, Reached, RepositoryName, Row, Sampler, Schedule, Settings, Size, StepNumbers, Tokens, Trained, Unmasked, Value, Walk, WalkFrame };

/**
 * What every rejected promise and every thrown error of this package is: one sentence, a short name, and what fills the
 * sentence. An aborted operation has the code `aborted` and the name `AbortError`.
 *
 * - `setting`: settings that cannot be run; `values` is the first {@link Problem}
 * - `aborted`, `closed`, `model-replaced`, `not-ready`: of the caller's own doing
 * - `missing`, `unreachable`, `offline`, `truncated`, `damaged`, `not-listed`: a file, `values.file`
 * - `hub-repository`, `hub-revision`, `hub-closed`, `hub-gated`, `hub-busy`, `hub-cors`, `hub-unreachable`, `hub-failed`, `hub-strange`: a
 *   model hub, `values.host`; `removed`: what was kept of it is gone
 * - `engine-missing`, `engine-wasm`, `engine-open`, `engine-test`, `disagrees-cpu`, `no-wasm`, `worker`: the engine does not start
 * - `engine-crashed`: the engine broke down; open a new one
 * - `canvas`, `canvas-cpu`, `canvas-details`: a run cannot be drawn on canvases, see {@link Presented}
 * - `no-webgpu`: the engine is not on a graphics card, so that there are no kernels to time
 * - `model`, `run`, `not-finite`, `no-device`, `device-failed`, ...: what the engine says
 */
export class UnnoiseError extends Error {
  readonly code: string;
  readonly values: Record<string, unknown>;
}

/**
 * Starts the small module behind {@link catalogue}, {@link read_link} and the other functions that answer at once; they
 * throw `not-ready` before. `Engine.open` and `Lab.open` await it themselves.
 */
export function init(): Promise<void>;

/** Everything that there is to choose from: samplers, schedules, and a row for each setting. */
export function catalogue(): Catalogue;
/** Settings of a link, a whole address or only its hash; what could not be used is named. A link that begins with `#lab` has the lab's settings. */
export function read_link(link: string, models?: Listed[]): Checked;
/** Settings as the hash of a link, which reads back to them. `share` leaves out what another reader may prefer, the language, and opens the whole page. */
export function write_link(settings: Settings, options?: { share?: boolean; run?: boolean; view?: "lab" }): string;
/** Whether a link says what to draw, and not only in which language or where. */
export function is_run(link: string): boolean;
/** Changes one setting, and what has to change with it. `null` puts it back to its default; a bad value leaves the settings as they are and is named. Of the lab's settings, too. */
export function change(settings: Settings, key: string, value: Value | null, models?: Listed[], facts?: Facts): Checked;
/** Makes settings fit the models there are, and the one that is loaded. */
export function fit(settings: Settings, models?: Listed[], facts?: Facts): Checked;
/** What {@link change} and {@link fit} have to know of a loaded model. */
export function facts(about: About): Facts;
/** The size of the pictures of these settings, by a model whose own size this is. */
export function size_of(settings: Settings, size: Size): Size;
/**
 * Settings as a branch of a run that goes on from one of its steps: the run of these settings begins as that one, and from the step on
 * it is theirs. What decides where a run begins (model, size, start, strength) stays as it is there, and each such difference is named.
 * A problem of the key `from` says that there can be no such branch.
 */
export function branch(settings: Settings, run: Settings, step: number): Checked;
/** The legs of a run of these settings, the first one first: one for a run that goes on from no other. */
export function read_legs(settings: Settings): Leg[];
/** The runs of settings with axes, `x: "steps:5,10,20"` and `y: "guidance:1-4"`, the cheapest first. */
export function grid(settings: Settings, models?: Listed[], facts?: Facts): Grid;
/** The setting `walk` through stops, as they are typed, with so many steps from one to the next. */
export function write_walk(key: string, stops: string, steps: number | string): string;
/** The frames of settings with a walk, `walk: "seed:3,9,12 [8]"`, each a run of its own; a frame at a stop is the run of that stop. */
export function walk(settings: Settings, models?: Listed[], facts?: Facts): Walk;
/** The numbers of a grid's cells as comma-separated values. */
export function grid_csv(settings: Settings, cells: Measured[]): string;
/** The two spacings that the setting `schedule` blends; none where it is no blend. */
export function schedule_parts(schedule: string): string[];
/** What the race of settings with `race: "ddim,heun:5,10,20:1000"` is, and what it takes; undefined where they name none. */
export function race(settings: Settings, facts?: Facts): RacePlan | undefined;
/** The ranking of what a race has found so far, and all of it as comma-separated values. */
export function race_table(settings: Settings, points: RacePoint[]): RaceTable;
/** How far each value of a picture is from that of another one of the same size. */
export function picture_difference(one: Uint8Array, other: Uint8Array): Uint8Array;
/** The root mean square of that difference, where black and white are 1 apart; undefined for pictures of other sizes. */
export function picture_rms(one: Uint8Array, other: Uint8Array): number | undefined;
/** A start picture of this size, and its mask, as the setting `start` has them, which a link carries; `asked` for a picture that is too large for one. */
export function write_start(picture: Uint8Array, mask: Uint8Array | undefined, size: Size): string;
/** The picture of the setting `start`; undefined where it has none. */
export function read_start(start: string): Begun | undefined;
/** A PNG of a run that says how it was made: its link, its settings, what is known of the weights, and which part of the run it shows. */
export function write_made(png: Uint8Array, settings: Settings, part?: Part): Uint8Array;
/** The texts of such a PNG alone, by their keywords. */
export function made_texts(settings: Settings, part?: Part): [string, string][];
/** What a PNG says of how it was made, by this package, AUTOMATIC1111's web UI, ComfyUI or as the arguments of a pipeline of diffusers; undefined for one that says nothing of it, and for what is no PNG. */
export function read_made(png: Uint8Array): Found | undefined;
/** The files whose weights are others here than those that a picture was made with, of those that both know. */
export function other_weights(made: Record<string, string>, here: Record<string, string>): string[];
/** What the setting `show` says is looked at beside the stage: a picture of the run, large, or the forward process on the start picture; undefined for nothing. */
export function read_show(show: string): Look | undefined;
/** The same as the setting has it. */
export function write_show(look: Partial<Look> & Pick<Look, "view">): string;
/** What the setting `model` names: a folder of the site, a repository of a model hub, or a folder of a person's own. */
export function model_origin(model: string): Origin;
/** A repository that a person types, `owner/name` or `owner/name@revision`, or the address of its page; undefined for what is neither. */
export function read_repository(text: string): RepositoryName | undefined;
/** How the setting `model` names a folder of a person's own. */
export function own_model(folder: string): string;
/** A picture (RGBA) as a model takes it, `[height, width, channels]`: laid on the model's background, scaled to cover its size, cut in the middle, or as `placing` says. */
export function fit_picture(rgba: Uint8Array | Uint8ClampedArray, width: number, height: number, size: Size, placing?: string): Uint8Array;
/** A mask (RGBA) as a model takes it, `[height, width]`: luminance times alpha, fitted as pictures are. */
export function fit_mask(rgba: Uint8Array | Uint8ClampedArray, width: number, height: number, size: Size, placing?: string): Uint8Array;

/** What {@link film} needs of a frame; `texts` are those of its PNGs in a ZIP. */
export interface FilmPart extends Pick<Frame, "step" | "x" | "denoised" | "t" | "alpha" | "sigma"> {
  texts?: [string, string][];
}
/**
 * Frames of a run as a file that moves, or as a ZIP of PNGs with a list of their levels. Videos are encoded by the browser (WebCodecs), and
 * written by the library at the address `videos`: mp4-muxer or webm-muxer.
 */
export function film(
  frames: FilmPart[],
  options: { format: "gif" | "apng" | "zip" | "mp4" | "webm"; scene: FilmScene; rate: number; hold: number; link: string },
  more?: { signal?: AbortSignal; progress?: (done: number) => void; videos?: string },
): Promise<Uint8Array>;
/** The sizes in pixels of such a file, by how far it is enlarged; none for what is too large. */
export function film_sizes(scene: FilmScene, zooms: number[]): Promise<(FilmSize & { zoom: number })[]>;

/** What a downloaded file has to be. */
export interface FileFacts {
  bytes: number;
  /** Hexadecimal. */
  sha256: string;
}

/** The address of Hugging Face's hub. */
export const HUB: string;

export interface HubOptions {
  /** A branch, a tag or a commit; `main` by default. */
  revision?: string | null;
  /** The address of another hub, or of a mirror. */
  host?: string;
  /** In place of the page's own, such as that of a frame whose policy allows the hub. */
  fetch?: typeof fetch;
  signal?: AbortSignal;
  /** Hears that there is no room in the browser's cache for the rest of the files, which then stay in memory. */
  full?: () => void;
}

/** Lists a repository of a model hub, `owner/name`. Nothing else is downloaded before it is asked for. */
export function hub(id: string, options?: HubOptions): Promise<Repository>;
/** The same as it was when all that was wanted of it was downloaded last, and without asking anybody; undefined where nothing is kept of it. */
export function kept_hub(id: string, revision?: string | null): Promise<Repository | undefined>;

/**
 * A repository as a source. Its files are kept in the browser's cache in pieces, so that a download that broke goes on where it was,
 * and they are checked where the hub lists checksums.
 */
export interface Repository extends Reader {
  readonly id: string;
  list(): { path: string; bytes: number }[];
  size(path: string): number | null;
  range(path: string, from: number, to: number, options?: { signal?: AbortSignal }): Promise<Uint8Array>;
  /** The files that were read as a whole so far. */
  readonly small: string[];
  /** How many bytes of these files have yet to be downloaded. */
  missing(paths: string[]): Promise<number>;
  /** Downloads files, one after the other; `progress` is of one file. */
  download(paths: string[], options?: { signal?: AbortSignal; progress?: (at: { file: string; loaded: number; total: number }) => void }): Promise<void>;
}

/** Files of a person's own as a source: a folder's handle, what was dropped (within the event), or the files of an input. */
export function own_files(given: FileSystemDirectoryHandle | DataTransfer | Iterable<File>): Promise<Reader & { name: string }>;

/** A model of which files are kept in the browser's cache. */
export interface Kept {
  kind: "folder" | "hub";
  model: string;
  bytes: number;
  files: number;
}
export function kept(): Promise<Kept[]>;
/** Deletes what is kept of a model, or of all. */
export function forget(which?: Pick<Kept, "kind" | "model">): Promise<void>;

/**
 * Anything that reads a path of a folder: picked files, a zip, a cache. Answers undefined for what is not there. Where it can
 * list its files, the model decides which of them are read, and each is read when it is wanted; else the names that diffusers
 * gives them are tried. Paths of folders beside it, which a model's `unnoise.json` may name, begin with `../`.
 *
 * Weights are read forward, file by file, a few megabytes at a time: by `range`, where there is one, and else from the Blob (or the
 * bytes) that `read` answers, so that a `read` that answers a File never has it in memory.
 */
export interface Reader {
  list?(options: { signal?: AbortSignal }): Files | Promise<Files>;
  /** How many bytes a file has; null or undefined where that is not known. */
  size?(path: string, options: { signal?: AbortSignal }): number | null | undefined | Promise<number | null | undefined>;
  /** The bytes of a file from one place to another, `to - from` of them. */
  range?(path: string, from: number, to: number, options: { signal?: AbortSignal }): Content | Promise<Content>;
  read(path: string, options: { signal?: AbortSignal }): Content | undefined | null | Promise<Content | undefined | null>;
}
export type Files = (string | { path: string; bytes: number })[];
export type Content = Uint8Array | ArrayBuffer | Blob | Response | string;

/** A folder in the layout of diffusers: the address of one on a server, or a reader. */
export type Source = string | URL | Reader;

export interface LoadOptions {
  signal?: AbortSignal;
  /** Hears how many bytes are there, of all files and of the one under way; a total is undefined as long as it is not known. */
  progress?: (at: { loaded: number; total?: number; file: string; file_loaded: number; file_total?: number }) => void;
  /** The files of the folder by path. With it they are checked, and kept in the browser's cache. */
  files?: Record<string, FileFacts>;
  /** What the model is called in settings; the folder's name by default. */
  id?: string;
  /** The folder of its classifier; by default the one beside the model that its `unnoise.json` names. It is read when a run wants it. */
  classifier?: { source: Source; files?: Record<string, FileFacts> } | null;
}

/** Downloads a model before there is an engine for it: what it answers is a source that has its files at hand. */
export function fetch_model(source: Source, options?: LoadOptions): Promise<Source>;

/** Downloads one file; with `facts` it is checked, and kept in the browser's cache. `name` is what errors call it. */
export function download(
  url: string | URL,
  options?: { signal?: AbortSignal; progress?: (loaded: number, total?: number) => void; facts?: FileFacts; cache?: RequestCache; name?: string },
): Promise<Uint8Array>;

/** The graphics card that WebGPU offers: its name, and whether it is an imitation in software. Nothing where there is none. */
export function adapter(): Promise<{ name: string; software: boolean } | undefined>;

export interface OpenOptions {
  /** `auto` takes WebGPU where there is a graphics card that computes what it should, and the CPU elsewhere. */
  device?: "auto" | "cpu" | "webgpu";
  /** Workers at most that share the pictures of a run out among them on the CPU; by default as many as cores and memory allow. Pixels do not depend on it. */
  workers?: number;
  signal?: AbortSignal;
  /** Hears how far the start is, later that a model is being loaded, what a run does besides its steps (it reads its prompt, decodes its pictures), and that a worker broke down, whose pictures the `workers` that are left draw. */
  stage?: (at: { stage: "starting" | "checking" | "loading" | "text" | "decoding"; backend: "cpu" | "webgpu" } | { stage: "worker-lost"; workers: number }) => void;
}

export interface RunOptions {
  signal?: AbortSignal;
  /** A picture to start from, `[height, width, channels]` as of {@link fit_picture}, in place of the one of `start`; `strength` says how much of it is left. */
  picture?: Uint8Array;
  /** Which part of it stays, `[height, width]`: 255 where it does. */
  mask?: Uint8Array;
  /** Whether frames say where the network looked in the prompt (`attention`). It changes no picture. */
  attention?: boolean;
  /** Whether frames say what their step did: the noise that it found (`noise`), the mean of the posterior `q(x_s | x_t, x_0)` (`posterior`), and `numbers` of each image. It changes no picture. */
  details?: boolean;
  /** Canvases that the graphics card draws the steps on. Only the first and the last frame have bytes then; those between have an empty `x`. */
  present?: Presented;
}

/**
 * Canvases for the steps of a run, of an engine on WebGPU: pictures go from the graphics card to the page, and are not read back. A canvas has
 * no context of its own, is the engine's from its first run on, and may be drawn on by any number of runs of that engine. It takes the
 * size of a sheet with as many columns as the smallest square has that holds all images, a pixel of the canvas for one of a picture.
 *
 * An engine on the CPU throws `canvas-cpu`, a run with `details` throws `canvas-details`, since they are computed from frames that are read back, and what cannot be drawn
 * on throws `canvas`.
 */
export interface Presented {
  /** For `x` of the frames, such as `element.transferControlToOffscreen()`. */
  x?: OffscreenCanvas;
  /** For `denoised`, which the start has not. */
  denoised?: OffscreenCanvas;
  /** Transparent pixels between neighbouring pictures; none by default. */
  gap?: number;
}

export interface ForwardOptions {
  signal?: AbortSignal;
  /** The picture, `[height, width, channels]`, in place of the one of `start`. */
  picture?: Uint8Array;
}

/** A finished step of a run. */
export interface Frame extends EngineFrame {
  /** On WebGPU: what was submitted to the graphics card since the run began, the milliseconds that it had nothing to do, as the worker sees it, and those that went by. */
  queue?: { submissions: number; idle_ms: number; ms: number };
}

/** A device with at most one model on it, in a worker of its own. */
export class Engine {
  private constructor();
  static open(options?: OpenOptions): Promise<Engine>;
  readonly backend: "cpu" | "webgpu";
  /** The device in words. */
  readonly adapter: string;
  /** Why this backend: `asked`, `adapter`, `no-webgpu`, `no-adapter`, `software`, `software-asked`, or the code of the error that WebGPU failed with. */
  readonly reason: { code: string; values: Record<string, unknown> };
  /** Puts a model on the device, in the place of the one before. */
  load(source: Source, options?: LoadOptions): Promise<Model>;
  /** What a model needs, told by its configurations and the headers of its weights alone; what cannot be loaded is refused here. The model on the device stays. */
  needs(source: Source, options?: { signal?: AbortSignal }): Promise<Needed>;
  /**
   * Times the kernels on the graphics card: first a plain loop of multiplications and additions, which shows the most that can be had, then
   * layers of networks. Leaving the loop stops after the kernel under way. An engine that is not on WebGPU throws `no-webgpu`.
   */
  bench(options?: { signal?: AbortSignal }): AsyncGenerator<KernelRate, void, void>;
  /** Ends the worker; whatever is under way rejects with the code `closed`. */
  close(): void;
}

/** A model on the device, until another is loaded. */
export interface Model {
  readonly about: About;
  readonly listed: Listed;
  readonly facts: Facts;
  /** How many workers share a run's pictures out among them, where there are so many. */
  readonly workers: number;
  /** Prompts that show what it can do, of its `unnoise.json`. */
  readonly prompts: { en?: string[]; zh?: string[] };
  /**
   * Runs settings; what they leave open is as the model starts with. Each step is a frame, from the noise (step 0) to the
   * pictures. Leaving the loop stops the run, and so does the signal, which the loop then throws `aborted` for.
   */
  run(settings?: Partial<Settings>, options?: RunOptions): AsyncGenerator<Frame, void, void>;
  /**
   * The forward process on a picture, through the levels of a run of these settings (64 of many), clean first: x_t by the closed form
   * and by the chain, and what the network, without guidance, makes of it. With the `strength` of a level a run begins at its very point.
   */
  forward(settings?: Partial<Settings>, options?: ForwardOptions): AsyncGenerator<Noised, void, void>;
  /**
   * The race of samplers that the settings' `race` names: how far each ends from its limit, by evaluations of the model. Each step is an
   * item, and so is each limit and each distance as soon as it is known; leaving the loop stops the race after the step under way.
   */
  race(settings?: Partial<Settings>, options?: { signal?: AbortSignal }): AsyncGenerator<RaceNews, void, void>;
  /** Milliseconds of a step of these settings, of the second step: the first one prepares what all others use. */
  pace(settings?: Partial<Settings>, options?: { signal?: AbortSignal }): Promise<number>;
  /** The noise levels of a run of these settings, noisy first: rows of `t`, alpha, sigma and log-SNR. */
  levels(settings?: Partial<Settings>, options?: { signal?: AbortSignal }): Promise<Float64Array>;
  /** The run as a Python script on diffusers. */
  python(settings?: Partial<Settings>, options?: { signal?: AbortSignal }): Promise<string>;
  /** How a model of words reads a prompt: how many tokens it has, and which words have no place. */
  tokens(text: string, settings?: Partial<Settings>, options?: { signal?: AbortSignal }): Promise<Tokens>;
  /** The settings as this model can run them, and what had to be changed. */
  fit(settings: Settings): Checked;
}

/** The laboratory of the plane, in the CPU engine: points `x, y, x, y, ...` instead of pictures, where everything is known exactly. */
export class Lab {
  private constructor();
  static open(settings?: Partial<Settings>, options?: { signal?: AbortSignal }): Promise<Lab>;
  /** Takes over other settings. */
  change(settings: Partial<Settings>): Promise<Changed>;
  data(count: number): Promise<Data>;
  /** Rows of `t`, alpha, sigma and log-SNR at `count` equal times of the clock. */
  levels(count: number): Promise<Float64Array>;
  noised(clock: number): Promise<Float32Array>;
  chain(steps: number): Promise<Float32Array>;
  density(clock: number, cells: number, half: number): Promise<Float32Array>;
  field(clock: number, cells: number, half: number, which: string): Promise<Float32Array>;
  likelihood(points: Float32Array): Promise<Likelihood[]>;
  bound(steps: number): Promise<Bound>;
  /** How far data is from other data, as `race` measures it. */
  floor(): Promise<RaceFloor>;
  /** How well panes, 1 to 4, bring data back that the ODE turned into noise. */
  inversion(panes: Uint32Array): Promise<Inversion[]>;
  /** The curve of the autoencoder, which is all that its decoder reaches, and how much of the data it keeps. */
  latent(): Promise<LatentCurve>;
  /** The data of the settings as the decoder shows their latents. */
  reconstructed(): Promise<Float32Array>;
  /** The density of latents in cells: across by the latent, down from noise to data. */
  latent_density(cells: number): Promise<Float32Array>;
  /** How far points are off the curve, and from data. */
  reached(points: Float32Array): Promise<Reached>;
  /** Words of the data, and when each of their letters is masked. */
  masked(): Promise<Masked>;
  /** Words that are drawn in so many steps, or in those of the settings. */
  unmasked(steps?: number): Promise<Unmasked>;
  /** The share of letters that are not masked at `count` equal times from 0 to 1. */
  shown(count: number): Promise<Float64Array>;
  /** Likelihood and bound of the words in growing numbers of steps, exactly. */
  discrete(): Promise<DiscreteKnown>;
  /** Forgets what the network learned. */
  reset(): Promise<void>;
  weights(): Promise<Uint8Array>;
  use_weights(config: string, weights: Uint8Array): Promise<void>;
  run(pane: number): AsyncGenerator<LabFrame, void, void>;
  /** The first pane's sampler in the plane, or in the latent, whose points are decoded. */
  latent_run(within: false): AsyncGenerator<LabFrame, void, void>;
  latent_run(within: true): AsyncGenerator<LatentFrame, void, void>;
  anneal(fast: boolean): AsyncGenerator<Cooled, void, void>;
  race(): AsyncGenerator<RaceRow, void, void>;
  /** Trains the network up to a step, or until the loop is left. */
  train(until: number): AsyncGenerator<Trained, void, void>;
  classify(): AsyncGenerator<Classified, void, void>;
  /** The points of pasted text. */
  csv(text: string): Promise<{ points: [number, number][]; labels: number[] }>;
  /** Points drawn from the darkness of a picture of grey levels. */
  image(gray: Uint8Array, width: number, height: number, count: number, seed: number): Promise<Float32Array>;
  /** Points as the settings keep them. */
  pack(points: Float32Array, labels?: Uint8Array): Promise<string>;
  /** The points that the settings keep. */
  unpack(packed: string): Promise<{ points: [number, number][]; labels: number[] }>;
  close(): void;
}

/**
 * The address of a script of the package's own origin, as pages want it that ask for Trusted Types: the package's worker passes under
 * `require-trusted-types-for 'script'` where `trusted-types` allows a policy called `unnoise`.
 */
export function script_url(address: string | URL): string;
