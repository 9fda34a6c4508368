/** "Open a model": files of a person's own, or a repository of a hub, which is contacted when the person says so and not before. */

import { HUB, UnnoiseError, hub, kept_hub, model_origin, own_files, own_model, read_repository } from "../pkg/index.js";
import { contact } from "./contact.js";
import { $ } from "./dom.js";
import { opened } from "./models.js";
import { sentence } from "./notices.js";
import * as storage from "./storage.js";
import { el, hush, megabytes, say, t } from "./strings.js";
import { remember, remembered } from "./theme.js";

/** What share of a device's memory a model may take before the page says that it is much. */
const MUCH = 0.6;
/** Files that belong to a model and to nothing else that one could drop. */
const OF_MODELS = /\.(safetensors|json|gguf|ckpt|bin|pth?|onnx)$/i;

const dialog = $("open-dialog");
/**
 * What the page does: `engine` is the one that is there or starting, `take` runs an opened model, `ask` puts a question on the stage.
 * @type {{engine: () => Promise<import("../pkg/index.js").Engine>, take: (id: string) => void, other: () => void, ask: Function, notice: Function, status: Function}}
 */
let page;
/** What is under way in the dialog. */
let work = new AbortController();
/** The model of a link that is being looked for: whatever files are chosen are taken for it. */
let wanted = "";

/** The address of the hub: the mirror's, if there is one. */
const hubAddress = () => remembered("mirror") || HUB;
const hostOf = (address) => new URL(address).host;

/** A row of the gallery. */
const row = (id, name, from) => ({
  ...{ id, name: { en: name }, description: from, licence: "", defaults: {}, kind: "opened", prompts: {}, vocabulary: null },
  ...{ thumbnail: null, readme: null, bytes: 0, files: {}, classifier: null, opened: true, learned: false },
});

/** The row of a model that is no folder of the site, though its files may not be at hand yet. @param {string} id */
export function rowOf(id) {
  const { kind, name } = model_origin(id);
  if (kind === "folder") return undefined;
  if (!opened.has(id)) opened.set(id, row(id, name, () => t(`open.of.${kind}`)));
  return opened.get(id);
}

/** A link to an opened model, as it starts. @param {string} id @param {Record<string, string | number | undefined>} more what the page itself is to be like */
export function linkTo(id, more) {
  const pairs = Object.entries({ model: id, ...more }).filter(([, value]) => value !== undefined);
  return `#${pairs.map(([key, value]) => `${key}=${encodeURI(value)}`).join("&")}`;
}

/** Whether the files of a model are not at hand. @param {import("./models.js").Model} model */
export const absent = ({ opened, source }) => Boolean(opened) && !source;

/**
 * Takes in what the engine knows of an opened model; `adopt` takes the settings over anew, now that it is known what it starts with.
 * @param {import("./models.js").Model} model @param {import("../pkg/index.js").Model} loaded @param {() => void} adopt
 */
export function learn(model, { about, prompts }, adopt) {
  if (!model.opened || model.learned) return;
  Object.assign(model, { defaults: about.defaults, conditioning: about.conditioning, prompts, learned: true });
  adopt();
  if (model.full) page.notice("storage.full");
}

/** Asks a person for the files of a link's model; what is kept of it all needs no question. @param {import("./models.js").Model} model */
export async function seek(model) {
  page.status("open.absent");
  const { kind, name: id, revision } = model_origin(model.id);
  const other = { "open.other": page.other };
  if (kind === "own") return page.ask("open.asked.own", { name: id }, { open: () => show(model.id), ...other });
  if (await fromKept(model.id, id, revision)) return undefined;
  const look = () => {
    show(model.id);
    fromHub(model.id, hubAddress());
  };
  return page.ask("open.asked", { id, host: hostOf(hubAddress()) }, { "open.look": look, ...other });
}

/** Opens a repository whose files are all kept. @returns {Promise<boolean>} whether they are */
async function fromKept(model, id, revision) {
  try {
    const repository = await kept_hub(id, revision);
    const files = repository && (await filesOf(repository)).files;
    if (!files || (await repository.missing(files)) > 0) return false;
    take(model, repository, files);
    return true;
  } catch {
    return false; // some of it is gone: then the hub is asked, which says what is wrong if something is
  }
}

/** Opens the dialog. @param {string} [id] the model of a link that is looked for */
export function show(id = "") {
  wanted = id;
  reset();
  if (!dialog.open) dialog.showModal();
}

/** Whether what was dropped is a model's; then it is opened. @param {DataTransfer} dropped */
export function dropped(dropped) {
  if ($("pictures").hidden) return false;
  const models = [...dropped.items].some((item) => item.webkitGetAsEntry?.()?.isDirectory) || [...dropped.files].some(({ name }) => OF_MODELS.test(name));
  if (models) {
    const files = own_files(dropped); // now: what was dropped is gone after the event
    show(wanted);
    fromFiles(files);
  }
  return models;
}

/** The dialog as it begins. */
function reset() {
  work.abort();
  work = new AbortController();
  $("open-choose").hidden = false;
  $("open-files").replaceChildren();
  tell("");
  for (const id of ["open-repository-refused", "open-mirror-refused"]) hush($(id));
}

/** What the dialog says, and the buttons under it. @param {string} key @param {[string, Record<string, any>, () => void][]} [buttons] */
function tell(key, values = {}, buttons = []) {
  if (key) say($("open-text"), key, values);
  else hush($("open-text"));
  $("open-actions").replaceChildren(...buttons.map(([text, values, onclick]) => el("button", text, values, { type: "button", onclick })));
  $("open-actions").firstElementChild?.focus();
}

/** Begins something that can be cancelled, and says what went wrong with it. @param {(signal: AbortSignal) => Promise<void>} task */
async function begin(task) {
  work.abort();
  const mine = (work = new AbortController());
  $("open-choose").hidden = true;
  $("open-files").replaceChildren();
  try {
    await task(mine.signal);
  } catch (thrown) {
    if (work !== mine || !dialog.open) return;
    const { code, values } = UnnoiseError.from(thrown);
    const again = [code === "aborted" ? "open.on" : "retry", {}, () => begin(task)];
    tell(...(code === "aborted" ? ["open.cancelled", {}] : sentence(code, values)), [again, ["open.back", {}, reset]]);
  }
}

const cancel = () => ["cancel", {}, () => work.abort()];

/** Waits for a person to go on. */
const agreed = (key, values, go, signal) =>
  new Promise((resolve, reject) => {
    signal.addEventListener("abort", () => reject(new UnnoiseError("aborted")));
    tell(key, values, [[...go, resolve], ["open.back", {}, reset]]);
  });

/** Opens a repository of a hub. @param {string} model as the setting names it @param {string} host the hub's address */
function fromHub(model, host) {
  const { name: id, revision } = model_origin(model);
  const named = { id, host: hostOf(host) };
  begin(async (signal) => {
    tell("open.listing", named, [cancel()]);
    let room = true;
    const full = () => (room = false);
    const repository = await hub(id, { revision, host, fetch: await contact(host), signal, full });
    const { files, memory } = await filesOf(repository, signal);
    const total = sizeOf(repository, files);
    const missing = await repository.missing(files);
    const sizes = { total: megabytes(total), missing: megabytes(missing), memory: megabytes(memory), count: files.length };
    const much = memory > MUCH * (navigator.deviceMemory ?? Infinity) * 2 ** 30;
    if (missing > 0) await agreed(much ? "open.download.much" : "open.download", { ...named, ...sizes }, ["open.download.go", sizes], signal);
    await download(repository, files, { ...named, total }, signal);
    take(model, repository, files, { full: !room, description: () => t("open.from", { host: named.host }) });
  });
}

/** What the engine needs of a repository, found by its configurations and the headers of its weights, and the bytes it will take on the device. */
async function filesOf(repository, signal) {
  const { files, memory } = await needs(repository, signal);
  return { files: [...repository.small, ...files.map(({ path }) => path)], memory };
}

async function needs(source, signal) {
  const engine = await page.engine();
  if (!engine) throw new UnnoiseError("not-ready");
  return engine.needs(source, { signal });
}

const sizeOf = (source, files) => files.reduce((sum, path) => sum + (source.size(path) ?? 0), 0);

/** Downloads files and shows how far each is. */
async function download(repository, files, { id, total }, signal) {
  const lines = new Map(files.map((path) => [path, line(path, repository.size(path))]));
  $("open-files").replaceChildren(...[...lines.values()].map(({ box }) => box));
  const loaded = {};
  const progress = ({ file, loaded: bytes }) => {
    loaded[file] = bytes;
    lines.get(file).bar.value = bytes;
    const sum = Object.values(loaded).reduce((a, b) => a + b, 0);
    say($("open-text"), "open.downloading", { id, loaded: megabytes(sum), total: megabytes(total) });
  };
  tell("open.downloading", { id, loaded: megabytes(0), total: megabytes(total) }, [cancel()]);
  await repository.download(files, { signal, progress });
}

/** The line of a file that is downloaded. */
function line(path, bytes) {
  const bar = Object.assign(document.createElement("progress"), { max: bytes || 1, value: 0, ariaLabel: path });
  const box = el("li");
  box.append(el("span", "plain", { text: path }), el("span", "plain", { text: megabytes(bytes) }, { className: "figures" }), bar);
  return { box, bar };
}

/** Opens files of a person's own. @param {Promise<Awaited<ReturnType<typeof own_files>>>} chosen */
function fromFiles(chosen) {
  begin(async (signal) => {
    tell("open.reading", {}, [cancel()]);
    const source = await chosen;
    const { files } = await needs(source, signal);
    take(wanted || own_model(source.name), source, files.map(({ path }) => path));
  });
}

/** Gives an opened model to the page. */
function take(id, source, files, more = {}) {
  Object.assign(rowOf(id), { source, learned: false, full: false, bytes: sizeOf(source, files), files: source.facts?.(files) ?? {}, ...more });
  dialog.close();
  page.take(id);
}

/** What was typed for a repository. */
function look(event) {
  event.preventDefault();
  const [typed, mirror] = [$("open-repository").value, $("open-mirror").value.trim()];
  const read = read_repository(typed);
  if (!read) return refuse("open-repository", "open.no-repository", { text: typed });
  const address = read.host ?? (mirror || HUB);
  const whole = /^https?:\/\//.test(address) ? address : `https://${address}`;
  if (!URL.canParse(whole)) return refuse("open-mirror", "open.no-mirror", { text: mirror });
  const { origin } = new URL(whole);
  remember("mirror", origin === HUB ? "" : origin);
  return fromHub(read.model, origin);
}

function refuse(field, key, values) {
  say($(`${field}-refused`), key, values);
  $(field).setAttribute("aria-invalid", "true");
  $(field).focus();
}

/** Which host the button will contact. */
function aim() {
  for (const field of ["open-repository", "open-mirror"]) {
    $(field).removeAttribute("aria-invalid");
    hush($(`${field}-refused`));
  }
  const [typed, mirror] = [read_repository($("open-repository").value), $("open-mirror").value.trim()];
  const address = typed?.host ?? (mirror || HUB);
  say($("open-look"), "open.contact", { host: address.replace(/^https?:\/\//, "").replace(/\/.*/, "") });
}

/** The folder picker where there is one, which shows what it will read; an input elsewhere. */
async function chooseFolder() {
  if (!globalThis.showDirectoryPicker) return $("open-folder-input").click();
  const folder = await showDirectoryPicker({ id: "unnoise-model" }).catch(({ name }) => {
    if (name !== "AbortError") $("open-folder-input").click(); // it is forbidden here
  });
  if (folder) fromFiles(own_files(folder));
}

/** @param {typeof page} given */
export function listen(given) {
  page = given;
  storage.listen();
  $("open").addEventListener("click", () => show());
  $("open-close").addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => work.abort());
  $("open-folder").addEventListener("click", chooseFolder);
  $("open-files-choose").addEventListener("click", () => $("open-files-input").click());
  for (const input of [$("open-folder-input"), $("open-files-input")]) {
    input.addEventListener("change", () => {
      if (input.files.length) fromFiles(own_files([...input.files]));
      input.value = ""; // the same ones may be chosen again
    });
  }
  $("open-mirror").value = remembered("mirror") ?? "";
  for (const field of [$("open-repository"), $("open-mirror")]) field.addEventListener("input", aim);
  aim();
  $("open-hub").addEventListener("submit", look);
}
