/** The browser and the site that the tests and the bench use. */

import path from "node:path";
import { fileURLToPath } from "node:url";

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../..");

/** `cargo xtask test` says where the site is; by hand, Playwright starts `cargo xtask serve`. */
export const PORT = 8089;
export const url = process.env.UNNOISE_URL ?? `http://127.0.0.1:${PORT}/`;

/** The omnibox's popups, which every window preloads: a quarter of the processor time of a visit. */
const POPUPS = ["WebUIOmniboxPopup", "WebUIOmniboxAimPopup"];
/** The features that Playwright 1.65 disables: a later `--disable-features` replaces its own. */
const PLAYWRIGHTS = [
  "AvoidUnnecessaryBeforeUnloadCheckSync",
  "DestroyProfileOnBrowserClose",
  "HttpsUpgrades",
  "HttpsFirstBalancedModeAutoEnable",
  "LensOverlay",
  "MediaRouter",
  "PaintHolding",
  "ThirdPartyStoragePartitioning",
  "AvoidCorsURLLoaderRestartOnRedirect",
  "OptimizationHints",
  "NetworkTimeServiceQuerying",
  "AimEnabled",
  "PreconnectToSearch",
];

export const launchOptions = {
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  // WebGPU on a machine without a GPU: Chromium's software adapter, which needs this one flag.
  args: [
    "--enable-unsafe-webgpu",
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    `--disable-features=${[...PLAYWRIGHTS, ...POPUPS]}`,
  ],
};
