/** Engines that are other than they seem. */

/** Runs `code` in the worker before the page's own. */
export const inWorker = (page, code) =>
  page.route("**/pkg/worker.js", async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: `${code}\n${await response.text()}` });
  });

/**
 * Puts the CPU engine in the WebGPU engine's place, with `Engine` changed by the code of `disguise`, a function of the
 * real engine that returns what to override, for the first so many workers.
 */
export async function disguiseEngine(page, disguise, times = Infinity) {
  const script = (changed) => `
    import init, * as cpu from "./unnoise_cpu.js";
    export default () => init({ module_or_path: new URL("./unnoise_cpu_bg.wasm", import.meta.url) });
    const forward = (real, name) => (...given) => real[name](...given);
    export const Engine = {
      async open() {
        const real = await cpu.Engine.open();
        const names = ["self_test", "load", "load_classifier", "python", "run"];
        const methods = Object.fromEntries(names.map((name) => [name, forward(real, name)]));
        return { ...methods, backend: "webgpu", adapter: "test", ...(${changed})(real) };
      },
    };`;
  let opened = 0;
  await page.route("**/pkg/unnoise_webgpu.js", (route) => {
    const body = script(opened < times ? disguise : "() => ({})");
    opened += 1;
    return route.fulfill({ contentType: "text/javascript", body });
  });
  await page.route("**/pkg/unnoise_webgpu_bg.wasm", (route) => route.fulfill({ body: "" }));
}
