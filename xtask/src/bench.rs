//! Sizes and speeds as Markdown tables.

mod peers;

use std::fs;
use std::io;
use std::path::Path;

use anyhow::{Context, Result};
use clap::ValueEnum;
use serde::Deserialize;

use crate::module::Module;
use crate::{compress, root, serve, tools, wasm};

/// What `tests/e2e/bench.mjs` prints, where the keys are described.
#[derive(Deserialize)]
struct Browser {
    cold_ms: f64,
    warm_ms: f64,
    ms_per_step: Images,
    outside_share: f64,
    /// Bytes; nothing where the system does not tell.
    peak_memory: Option<f64>,
}

/// One figure for each number of images.
#[derive(Deserialize)]
struct Images {
    #[serde(rename = "1")]
    one: f64,
    #[serde(rename = "4")]
    four: f64,
    #[serde(rename = "16")]
    sixteen: f64,
}

/// What is measured.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// The engines' sizes
    Sizes,
    /// Steps on the command line, and convolutions by shape
    Native,
    /// The page, from a link to its picture
    Browser,
    /// Steps beside those of torch and of onnxruntime-web
    Peers,
    /// Kernels on this machine's graphics card, beside the most that it can do
    Gpu,
}

/// Prints the tables of these parts; those of the browser for this engine.
pub fn bench(parts: &[Part], engine: Module) -> Result<()> {
    for part in parts {
        match part {
            Part::Sizes => {
                wasm::build(&Module::ALL)?;
                println!("{}", sizes().context("could not read the sizes of the engines")?);
            }
            Part::Native => {
                for name in ["steps", "convolution"] {
                    tools::run(tools::cargo().args(["bench", "--quiet", "--features", "cli", "--bench", name]))?;
                    println!();
                }
            }
            Part::Browser => {
                tools::page_tests()?;
                wasm::build(&[Module::Settings, engine])?;
                println!("{}", browser(engine)?);
            }
            Part::Gpu => {
                // The card computes; the libraries are those of the tests, which have been compiled already.
                let kernels = ["bench", "--quiet", "--profile", "dev", "--package", "unnoise-kernels-gpu"];
                tools::run(tools::cargo().args(kernels).args(["--bench", "shapes"]))?;
                println!();
            }
            Part::Peers => println!("{}", peers::beside(engine)?),
        }
    }
    Ok(())
}

/// What a visitor downloads.
fn sizes() -> io::Result<String> {
    let mut table = String::from("| engine | raw MB | gzip MB | brotli MB |\n|---|---:|---:|---:|\n");
    for module in Module::ALL {
        let [br, gz] = compress::compressed(&module.binary());
        let [raw, gz, br] = [&module.binary(), &gz, &br].map(|path| megabytes(path));
        table += &format!("| {} | {:.2} | {:.2} | {:.2} |\n", module.name(), raw?, gz?, br?);
    }
    Ok(table)
}

fn megabytes(path: &Path) -> io::Result<f64> {
    Ok(fs::metadata(path)?.len() as f64 / 1e6)
}

/// What a visitor waits for.
fn browser(engine: Module) -> Result<String> {
    let site = serve::serve_behind(serve::site(root()))?;
    let mut npm = tools::npm("run");
    npm.args(["--silent", "bench", "--", engine.id()]);
    npm.env("UNNOISE_URL", format!("http://{site}/")).env("CHROMIUM", tools::chromium()?);
    let printed = tools::output(&mut npm)?;
    let Browser { cold_ms, warm_ms, ms_per_step, outside_share, peak_memory } =
        serde_json::from_str(&printed).context("the page's bench printed something else than its figures")?;
    let Images { one, four, sixteen } = ms_per_step;
    let [cold, warm] = [cold_ms, warm_ms].map(|ms| ms / 1e3);
    let outside = 100.0 * outside_share;
    let memory = peak_memory.map_or("unknown".to_owned(), |bytes| format!("{:.0}", bytes / 1e6));
    Ok(format!(
        "| engine | s to the first picture, cold | warm | ms a step: 1 image | 4 | 16 | outside the network | peak MB |\n\
         |---|---:|---:|---:|---:|---:|---:|---:|\n\
         | {} | {cold:.1} | {warm:.1} | {one:.0} | {four:.0} | {sixteen:.0} | {outside:.1} % | {memory} |\n",
        engine.name()
    ))
}
