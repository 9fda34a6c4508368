//! `cargo xtask …`: everything that is done to this repository, in one place.

mod bench;
mod compress;
mod crates;
mod dist;
mod engines;
mod files;
mod fuzz;
mod licences;
mod models;
mod module;
mod npm;
mod outside;
mod readme;
mod serve;
mod tables;
mod test;
mod tools;
mod vendor;
mod wasm;

use std::env;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::LazyLock;

use anyhow::Result;
use clap::{Parser, Subcommand, ValueEnum};
use module::Module;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Build, serve, test and measure unnoise")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build what is out of date and serve the page on this machine
    Serve {
        /// The port on 127.0.0.1
        #[arg(long, default_value_t = 8080)]
        port: u16,
        /// The engines to build
        #[arg(long, value_delimiter = ',', default_value = "cpu,webgpu")]
        backends: Vec<Module>,
    },
    /// Write the page, the engines and the models to a folder that any static host can serve
    Dist {
        /// The folder to write; it is replaced
        #[arg(long, default_value = "dist")]
        out: PathBuf,
        /// The engines that the site has
        #[arg(long, value_delimiter = ',', default_value = "cpu,webgpu")]
        backends: Vec<Module>,
        /// Where the site will be, which networks that show a picture beside a link want to know
        #[arg(long)]
        url: Option<String>,
    },
    /// Build what is out of date of these modules, into pkg/
    Build {
        #[arg(value_delimiter = ',', default_value = "settings,cpu,lab,webgpu")]
        modules: Vec<Module>,
    },
    /// Run every check that the continuous integration runs
    Test,
    /// Run the commands of the README, as they are printed
    Readme,
    /// Make the tables of docs/ anew, each with the command that stands above it
    Tables {
        /// Only those whose command contains this
        #[arg(long)]
        only: Option<String>,
    },
    /// Copy the page's libraries from npm to www/vendor/, in the versions that tests/e2e/package.json asks for
    Vendor,
    /// Give everything that reads from outside inputs that nobody would write
    Fuzz {
        /// All of them where none is named
        targets: Vec<String>,
        /// How many inputs each is given
        #[arg(long, default_value_t = 1_000_000)]
        inputs: usize,
    },
    /// Measure sizes and speeds and print them as Markdown tables
    Bench {
        /// All of them where none is named; the peers need Python with torch
        parts: Vec<bench::Part>,
        /// The engine to run in the browser; WebGPU takes very long without a GPU
        #[arg(long, default_value = "cpu")]
        backend: Module,
    },
}

/// The repository's root.
fn root() -> &'static Path {
    // Of the checkout that cargo was called in: a shared target folder can hold a binary that another one compiled.
    static ROOT: LazyLock<PathBuf> = LazyLock::new(|| {
        let manifest = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        Path::new(&manifest).parent().expect("xtask is a folder of the repository").to_owned()
    });
    &ROOT
}

fn run(command: Command) -> Result<ExitCode> {
    match command {
        Command::Serve { port, backends } => {
            // The port first: nobody should wait for a build to hear that it is taken.
            let listener = serve::listen(port)?;
            npm::write()?;
            wasm::build_for_visitors(backends)?;
            println!("unnoise is at http://{} (Ctrl-C stops it)", listener.local_addr()?);
            serve::serve(listener, serve::site(root()))?;
        }
        Command::Dist { out, backends, url } => dist::dist(&out, &backends, url.as_deref())?,
        Command::Build { modules } => wasm::build(&modules)?,
        Command::Test => return Ok(test::test()),
        Command::Readme => readme::check()?,
        Command::Tables { only } => tables::tables(only.as_deref())?,
        Command::Vendor => vendor::copy()?,
        Command::Fuzz { targets, inputs } => fuzz::fuzz(&targets, inputs)?,
        Command::Bench { parts, backend } => {
            let parts = if parts.is_empty() { bench::Part::value_variants() } else { &parts };
            bench::bench(parts, backend)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn main() -> ExitCode {
    run(Cli::parse().command).unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}
