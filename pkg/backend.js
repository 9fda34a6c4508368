/** Which backend computes, why, and the proof that it computes what it should. Runs in the worker. */

import { adapter } from "./adapter.js";
import { download, request } from "./download.js";
import { UnnoiseError } from "./error.js";
import { guard } from "./guard.js";

/** @typedef {"cpu" | "webgpu"} Backend */

/** The engines, and the lab. Bundlers want to see whole names. */
const MODULES = {
  cpu: { script: () => import("./unnoise_cpu.js"), binary: new URL("./unnoise_cpu_bg.wasm", import.meta.url) },
  lab: { script: () => import("./unnoise_lab.js"), binary: new URL("./unnoise_lab_bg.wasm", import.meta.url) },
  webgpu: { script: () => import("./unnoise_webgpu.js"), binary: new URL("./unnoise_webgpu_bg.wasm", import.meta.url) },
};

/**
 * Opens the wanted backend, or the best one, and has it recompute a stored result. WebGPU falls back to the CPU for
 * every reason there is, and says which; a CPU that fails is an error.
 * @param {"auto" | Backend} wanted
 * @param {(note: {stage: "starting" | "checking", backend: Backend}) => void} report
 */
export async function open(wanted, report) {
  const sample = selfTestFiles();
  sample.catch(() => {}); // awaited in `start`; without this a failure before that would be "unhandled"
  const choice = await choose(wanted);
  if (choice.backend === "cpu") return { ...choice, engine: await start("cpu", sample, report) };
  try {
    return { ...choice, engine: await start("webgpu", sample, report) };
  } catch (thrown) {
    const { code, values } = UnnoiseError.from(thrown, "engine-open");
    return { backend: "cpu", reason: { code, values }, engine: await start("cpu", sample, report) };
  }
}

/** @returns {Promise<{backend: Backend, reason: {code: string, values: Record<string, unknown>}}>} */
async function choose(wanted) {
  const cpu = (code, values = {}) => ({ backend: /** @type {Backend} */ ("cpu"), reason: { code, values } });
  const gpu = (code, values = {}) => ({ backend: /** @type {Backend} */ ("webgpu"), reason: { code, values } });
  if (wanted === "cpu") return cpu("asked");
  if (!navigator.gpu) return cpu("no-webgpu");
  const found = await adapter();
  if (!found) return cpu("no-adapter");
  const { name, software } = found;
  if (software) return wanted === "webgpu" ? gpu("software-asked", { adapter: name }) : cpu("software", { adapter: name });
  return wanted === "webgpu" ? gpu("asked") : gpu("adapter", { adapter: name });
}

/** Fetches and starts the code of a module. @param {Backend | "lab"} id @returns {Promise<any>} what `unnoise_<id>.d.ts` lists */
export async function bring(id) {
  if (typeof WebAssembly !== "object") throw new UnnoiseError("no-wasm");
  const { script, binary } = MODULES[id];
  const name = `pkg/unnoise_${id}`;
  const [api, answer] = await Promise.all([
    script().catch(() => {
      throw new UnnoiseError(navigator.onLine ? "engine-missing" : "offline", { file: `${name}.js` });
    }),
    request(binary, {}, `${name}_bg.wasm`),
  ]);
  await guard(api.default({ module_or_path: answer }), "engine-wasm").catch(({ values }) => {
    throw new UnnoiseError("engine-wasm", { ...values, file: `${name}_bg.wasm` });
  });
  return api;
}

/** The three files that `self_test` wants. */
async function selfTestFiles() {
  const file = (url) => download(url, { name: `pkg/selftest/${url.pathname.split("/").at(-1)}` });
  const [config, weights, expected] = await Promise.all([
    file(new URL("./selftest/config.json", import.meta.url)),
    file(new URL("./selftest/weights.safetensors", import.meta.url)),
    file(new URL("./selftest/expected.safetensors", import.meta.url)),
  ]);
  return [new TextDecoder().decode(config), weights, expected];
}

async function start(backend, sample, report) {
  report({ stage: "starting", backend });
  const api = await bring(backend);
  const engine = await guard(api.Engine.open(), "engine-open");
  const files = await sample;
  report({ stage: "checking", backend });
  const { passed, worst, tolerance } = await guard(engine.self_test(...files), "engine-test");
  if (!passed) {
    const [off, allowed] = [worst ?? Infinity, tolerance].map((n) => n.toExponential(1));
    throw new UnnoiseError(`disagrees-${backend}`, { worst: off, tolerance: allowed });
  }
  return engine;
}
