/** The graphics card that WebGPU offers. */

const SOFTWARE = /swiftshader|llvmpipe|lavapipe|basic render/i;

/** @returns {Promise<{name: string, software: boolean} | undefined>} nothing where there is none */
export async function adapter() {
  const found = await navigator.gpu?.requestAdapter().catch(() => null);
  if (!found) return undefined;
  const info = found.info ?? {};
  // Its fields are getters on a prototype: spreading it would find nothing.
  const words = [info.description, info.device, info.architecture, info.vendor];
  const software = found.isFallbackAdapter || info.isFallbackAdapter || SOFTWARE.test(words.join(" "));
  return { name: words.find(Boolean) ?? "", software: Boolean(software) };
}
