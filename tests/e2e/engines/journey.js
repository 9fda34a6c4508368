/** A short journey through the page, by nothing but what every engine has: what it sees is the same in all of them. */

/**
 * @typedef {object} Tab
 * @property {(address: string) => Promise<unknown>} go
 * @property {(work: Function, ...given: unknown[]) => Promise<any>} run calls an async function in the page
 * @property {() => Promise<unknown>} close
 */

/** What decides the pictures and does not ask for a graphics card. */
const LINK = "#model=mnist&sampler=ddim&steps=4&schedule=trailing&seed=7&images=2&class=all&guidance=2&backend=cpu";
const LAB = "#lab&data=moons&seed=0&view=numbers";

/** In the page: waits until `#id` has this text key, and answers with its words. */
const says = async (id, key) => {
  for (let i = 0; i < 2400; i += 1) {
    const element = document.getElementById(id);
    if (element?.dataset.i18n === key) return element.textContent;
    if (!document.getElementById("fault")?.hidden) throw new Error(document.getElementById("fault-text").textContent);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`#${id} says ${document.getElementById(id)?.textContent}`);
};

/** In the page: the pixels of both sheets. */
const pixels = async () =>
  ["noisy", "guess"].map((id) => {
    const canvas = document.getElementById(id);
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return btoa(Array.from(data, (byte) => String.fromCharCode(byte)).join(""));
  });

/** In the page: goes to a step, as the slider does. */
const scrub = async (step) => {
  const slider = document.getElementById("slider");
  slider.value = String(step);
  slider.dispatchEvent(new Event("input", { bubbles: true }));
};

/** In the page: another seed as a person types it, and what the page says then. */
const change = async () => {
  const seed = document.getElementById("seed");
  seed.value = "8";
  seed.dispatchEvent(new Event("change", { bubbles: true }));
  return { mark: document.getElementById("changed").textContent, hash: location.hash };
};

/** In the page: the link that Share gives where the clipboard is denied. */
const share = async () => {
  Object.defineProperty(navigator, "clipboard", { value: { writeText: () => Promise.reject(new Error("denied")) }, configurable: true });
  document.getElementById("share").click();
  for (let i = 0; i < 100 && document.getElementById("link").hidden; i += 1) await new Promise((resolve) => setTimeout(resolve, 50));
  return new URL(document.getElementById("link").value).hash;
};

/** In the page: the table of likelihoods in the lab, once it has numbers. */
const likelihood = async (hash) => {
  location.hash = hash;
  for (let i = 0; i < 1200; i += 1) {
    const cells = [...document.querySelectorAll("#lab-likelihood td")].map(({ textContent }) => textContent);
    if (cells.some((text) => /\d/.test(text))) return cells;
    if (!document.getElementById("lab-fault").hidden) throw new Error(document.getElementById("lab-fault-text").textContent);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error("the lab has no numbers");
};

/** @param {Tab} tab @param {string} url of the site */
export async function journey(tab, url) {
  await tab.go(`${url}${LINK}&lang=en`);
  const done = await tab.run(says, "status", "done");
  const end = await tab.run(pixels);
  await tab.run(scrub, 2);
  const middle = await tab.run(pixels);
  const { mark, hash } = await tab.run(change);
  const shared = await tab.run(share);
  const numbers = await tab.run(likelihood, `${LAB}&lang=en`);
  return { done, sheets: [...middle, ...end], mark, hash, shared, numbers };
}
