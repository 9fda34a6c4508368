/** The command line beside the page. */

import { execFileSync } from "node:child_process";
import { root } from "./browser.js";

/** `cargo xtask test` says where the program is; by hand, cargo makes it, which may take minutes. */
const [program, ...before] = process.env.UNNOISE_BIN ? [process.env.UNNOISE_BIN] : ["cargo", "run", "--quiet", "--features", "cli", "--bin", "unnoise", "--"];

/** Runs `unnoise` with these arguments, and returns what it printed. */
export const unnoise = (...args) => execFileSync(program, [...before, ...args], { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
