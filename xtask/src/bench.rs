//! Sizes and speeds as Markdown tables.

use std::fs;
use std::io;
use std::path::Path;

use anyhow::{Context, Result};
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

/// Prints the tables; the one of the browser has a row for each of these engines.
pub fn bench(backends: &[Module]) -> Result<()> {
    tools::page_tests()?;
    wasm::build(&Module::ALL)?;
    println!("Size of the engines\n\n{}", sizes().context("could not read the sizes of the engines")?);
    println!("Natively, on the CPU\n");
    tools::run(tools::cargo().args(["bench", "--quiet", "--features", "cli", "--bench", "steps"]))?;
    println!("\nIn the browser\n\n{}", browser(backends)?);
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
fn browser(backends: &[Module]) -> Result<String> {
    let site = serve::serve_behind(serve::site(root()))?;
    let mut table = String::from(
        "| engine | s to the first picture, cold | warm | ms a step: 1 image | 4 | 16 | outside the network | peak MB |\n\
         |---|---:|---:|---:|---:|---:|---:|---:|\n",
    );
    for module in backends {
        let mut npm = tools::npm("run");
        npm.args(["--silent", "bench", "--", module.id()]);
        npm.env("UNNOISE_URL", format!("http://{site}/")).env("CHROMIUM", tools::chromium()?);
        let printed = tools::output(&mut npm)?;
        let Browser { cold_ms, warm_ms, ms_per_step, outside_share, peak_memory } =
            serde_json::from_str(&printed).context("the page's bench printed something else than its figures")?;
        let Images { one, four, sixteen } = ms_per_step;
        let [cold, warm] = [cold_ms, warm_ms].map(|ms| ms / 1e3);
        let outside = 100.0 * outside_share;
        let memory = peak_memory.map_or("unknown".to_owned(), |bytes| format!("{:.0}", bytes / 1e6));
        table += &format!(
            "| {} | {cold:.1} | {warm:.1} | {one:.0} | {four:.0} | {sixteen:.0} | {outside:.1} % | {memory} |\n",
            module.name()
        );
    }
    Ok(table)
}
