//! Steps of one network beside torch's on the command line and onnxruntime-web's in the browser, both from elsewhere and in the same run.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::module::Module;
use crate::{root, serve, tools, wasm};

/// The networks that the browser's engines are timed on, and of them the one for the command line.
const MODELS: [&str; 2] = ["fashion-mnist", "emoji-text"];
/// What Python needs to time and to export the network.
const LIBRARIES: [&str; 4] = ["torch", "diffusers", "onnx", "onnxscript"];
/// How often the two programs take turns.
const ROUNDS: usize = 3;

/// The milliseconds of a step, by number of images.
type Steps = BTreeMap<usize, f64>;

/// What `browser.mjs` prints.
#[derive(Deserialize)]
struct Browser {
    cores: usize,
    ours: Steps,
    ours_one: Option<Steps>,
    ort: Steps,
    ort_one: Option<Steps>,
}

pub fn beside(engine: Module) -> Result<String> {
    let python = python()?;
    let native = if engine == Module::Cpu { natively(&python)? } else { Vec::new() };
    let browsers = in_browser(engine, &python)?;
    let mut table = String::from("| | images | ms a step | theirs | ratio |\n|---|---:|---:|---:|---:|\n");
    let threads = |count| if count == 1 { "1 thread".to_owned() } else { format!("{count} threads") };
    for (count, ours, theirs) in &native {
        rows(&mut table, &format!("{}: command line beside torch, {}", MODELS[0], threads(*count)), ours, theirs);
    }
    for (model, browser) in MODELS.iter().zip(&browsers) {
        let name = format!("{model}: {} beside onnxruntime-web", engine.name());
        if let (Some(ours), Some(theirs)) = (&browser.ours_one, &browser.ort_one) {
            rows(&mut table, &format!("{name}, 1 worker, 1 thread"), ours, theirs);
            let all = format!("{name}, workers for {} cores, 2 threads", browser.cores);
            rows(&mut table, &all, &browser.ours, &browser.ort);
        } else {
            rows(&mut table, &format!("{name}'s"), &browser.ours, &browser.ort);
        }
    }
    Ok(table)
}

fn rows(table: &mut String, name: &str, ours: &Steps, theirs: &Steps) {
    for (images, (ours, theirs)) in ours.iter().filter_map(|(images, ours)| Some((images, (ours, theirs.get(images)?))))
    {
        *table += &format!("| {name} | {images} | {ours:.1} | {theirs:.1} | {:.2} |\n", ours / theirs);
    }
}

/// `$PYTHON`, or the first on the PATH, with its libraries.
fn python() -> Result<PathBuf> {
    let python = env::var_os("PYTHON").map(PathBuf::from).or_else(|| tools::find(&["python3", "python"]));
    let python = python.context("the peers need Python: install it, or set PYTHON to its path")?;
    let import = format!("import {}", LIBRARIES.join(", "));
    if tools::output(tools::command(&python).args(["-c", &import])).is_err() {
        bail!(
            "{} lacks a library: pip install {} (or set PYTHON to one that has them)",
            python.display(),
            LIBRARIES.join(" ")
        );
    }
    Ok(python)
}

fn network(python: &Path, task: &str, model: &str) -> std::process::Command {
    let mut command = tools::command(python);
    command.args(["benches/peers/network.py", task, &format!("models/{model}")]);
    command
}

/// For each number of threads, a step of ours and an evaluation of torch's.
fn natively(python: &Path) -> Result<Vec<(usize, Steps, Steps)>> {
    let mut best: BTreeMap<usize, (Steps, Steps)> = BTreeMap::new();
    for _ in 0..ROUNDS {
        let theirs: BTreeMap<usize, Steps> = figures(&mut network(python, "time", MODELS[0]))?;
        for (threads, theirs) in theirs {
            let mut steps = tools::cargo();
            steps.args(["bench", "--quiet", "--features", "cli", "--bench", "steps", "--", "json"]);
            let ours = figures(steps.env("RAYON_NUM_THREADS", threads.to_string()))?;
            let (a, b) = best.entry(threads).or_default();
            keep(a, ours);
            keep(b, theirs);
        }
    }
    Ok(best.into_iter().map(|(threads, (ours, theirs))| (threads, ours, theirs)).collect())
}

/// The less of both.
fn keep(best: &mut Steps, new: Steps) {
    for (images, ms) in new {
        best.entry(images).and_modify(|best| *best = best.min(ms)).or_insert(ms);
    }
}

/// For each model, a step in the browser.
fn in_browser(engine: Module, python: &Path) -> Result<Vec<Browser>> {
    let chromium = tools::chromium()?;
    // The launch options are those of the page's tests.
    tools::packages()?;
    let mut npm = tools::command("npm");
    npm.args(["ci", "--prefix", "benches/peers", "--ignore-scripts"]);
    tools::run(tools::fetching(&mut npm))?;
    wasm::build(&[Module::Settings, engine])?;
    let metadata = tools::metadata(&["--no-deps"])?;
    let target = metadata["target_directory"].as_str().context("cargo names no target folder")?;
    let folder = Path::new(target).join("peers");
    fs::create_dir_all(&folder)?;
    let site = serve::serve_behind(serve::site(root()))?;
    let beside = |model: &&str| {
        let onnx = folder.join(model).with_extension("onnx");
        let inputs = tools::output(network(python, "export", model).arg(&onnx))?;
        let mut node = tools::command("node");
        node.args(["benches/peers/browser.mjs", engine.id(), &format!("/models/{model}")])
            .arg(&onnx)
            .arg(inputs.trim());
        figures(node.env("UNNOISE_URL", format!("http://{site}/")).env("CHROMIUM", &chromium))
    };
    MODELS.iter().map(beside).collect()
}

/// The JSON that a program prints.
fn figures<T: DeserializeOwned>(command: &mut std::process::Command) -> Result<T> {
    let printed = tools::output(command)?;
    serde_json::from_str(&printed).with_context(|| format!("these are no figures: {printed}"))
}
