/** Which backend computes, why, and the proof that it computes what it should. Runs in the worker. */

import { Fault } from "./fault.js";
import { get, selfTestFiles } from "./weights.js";

/**
 * @typedef {"cpu" | "webgpu"} Backend
 * @typedef {{code: string, values: Record<string, string | number>}} Reason names a text `backend.why.<code>`
 * @typedef {{backend: Backend, reason: Reason, engine: any, api: any}} Opened
 */

const SOFTWARE = /swiftshader|llvmpipe|lavapipe|basic render/i;

/**
 * Opens the wanted backend, or the best one, and has it recompute a stored result. WebGPU falls back to the CPU for
 * every reason there is, and says which; a CPU that fails is a fault.
 * @param {"auto" | Backend} wanted
 * @param {(stage: "starting" | "checking", backend: Backend) => void} report
 * @returns {Promise<Opened>}
 */
export async function open(wanted, report) {
  if (typeof WebAssembly !== "object") throw new Fault("no-wasm");
  const sample = selfTestFiles();
  sample.catch(() => {}); // awaited in `start`; without this a failure before that would be "unhandled"
  const choice = await choose(wanted);
  if (choice.backend === "cpu") return { ...choice, ...(await start("cpu", sample, report)) };
  try {
    return { ...choice, ...(await start("webgpu", sample, report)) };
  } catch (thrown) {
    const { code, values } = Fault.from(thrown, "engine-open");
    return { backend: "cpu", reason: { code, values }, ...(await start("cpu", sample, report)) };
  }
}

/** @returns {Promise<{backend: Backend, reason: Reason}>} */
async function choose(wanted) {
  const cpu = (code, values = {}) => ({ backend: /** @type {Backend} */ ("cpu"), reason: { code, values } });
  const gpu = (code, values = {}) => ({ backend: /** @type {Backend} */ ("webgpu"), reason: { code, values } });
  if (wanted === "cpu") return cpu("asked");
  if (!navigator.gpu) return cpu("no-webgpu");
  const adapter = await navigator.gpu.requestAdapter().catch(() => null);
  if (!adapter) return cpu("no-adapter");
  const info = adapter.info ?? {};
  const name = [info.description, info.device, info.architecture, info.vendor].find(Boolean) ?? "";
  const software = adapter.isFallbackAdapter || info.isFallbackAdapter || SOFTWARE.test(Object.values(words(info)).join(" "));
  if (software) return wanted === "webgpu" ? gpu("software-asked", { adapter: name }) : cpu("software", { adapter: name });
  return wanted === "webgpu" ? gpu("asked") : gpu("adapter", { adapter: name });
}

// GPUAdapterInfo's fields are getters on its prototype: spreading it would find nothing.
const words = ({ vendor, architecture, device, description }) => ({ vendor, architecture, device, description });

/** Fetches and starts the code of a backend. @param {Backend} backend @returns {Promise<any>} what `pkg/unnoise_<backend>.d.ts` lists */
export async function bring(backend) {
  const script = `pkg/unnoise_${backend}.js`;
  const [api, binary] = await Promise.all([
    import(new URL(`../${script}`, import.meta.url).href).catch(() => {
      throw new Fault(navigator.onLine ? "engine-missing" : "offline", { file: script });
    }),
    get(`pkg/unnoise_${backend}_bg.wasm`),
  ]);
  await guard(api.default({ module_or_path: binary }), "engine-wasm");
  return api;
}

async function start(backend, sample, report) {
  report("starting", backend);
  const api = await bring(backend);
  const engine = await guard(api.Engine.open(), "engine-open");
  const { config, weights, oracle } = await sample;
  report("checking", backend);
  const verdict = JSON.parse(await guard(engine.self_test(config, weights, oracle), "engine-test"));
  if (!verdict.passed) {
    const [worst, tolerance] = [verdict.worst ?? Infinity, verdict.tolerance].map((n) => n.toExponential(1)); // JSON has no infinity
    throw new Fault(`disagrees-${backend}`, { worst, tolerance });
  }
  return { engine, api };
}

/**
 * Waits for the engine. A trap inside wasm leaves its promise pending for ever and only raises an event, so that
 * counts as an answer too.
 * @template T
 * @param {Promise<T>} promise
 * @param {string} code of the fault, where the engine's error has no better one
 * @returns {Promise<T>}
 */
export async function guard(promise, code) {
  let stop;
  const trapped = new Promise((_, reject) => {
    const listener = (event) => {
      event.preventDefault();
      reject(new Fault("engine-crashed", { message: String(event.reason?.message ?? event.message ?? "") }));
    };
    addEventListener("error", listener);
    addEventListener("unhandledrejection", listener);
    stop = () => {
      removeEventListener("error", listener);
      removeEventListener("unhandledrejection", listener);
    };
  });
  try {
    return await Promise.race([promise, trapped]);
  } catch (thrown) {
    throw Fault.from(thrown, code);
  } finally {
    stop();
  }
}
