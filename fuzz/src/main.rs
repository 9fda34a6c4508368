//! A target and its inputs: prints a row of the table of `cargo xtask fuzz`.

use clap::Parser;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use unnoise_fuzz::{run, targets::TARGETS};

#[derive(Parser)]
#[command(name = "unnoise-fuzz")]
struct Cli {
    /// The target; without one their names are printed
    target: Option<String>,
    /// How many inputs
    #[arg(long, default_value_t = 1_000_000)]
    inputs: usize,
    /// The folder for inputs that are faults
    #[arg(long, default_value = ".")]
    faults: PathBuf,
}

fn main() -> io::Result<ExitCode> {
    let Cli { target, inputs, faults } = Cli::parse();
    let Some(name) = target else {
        TARGETS.iter().for_each(|target| println!("{}", target.name));
        return Ok(ExitCode::SUCCESS);
    };
    let Some(target) = TARGETS.iter().find(|target| target.name == name) else {
        eprintln!("there is no target {name}; without a name, those that there are are printed");
        return Ok(ExitCode::FAILURE);
    };
    run::watch();
    fs::create_dir_all(&faults)?;
    let report = run::run(target, inputs, &run::scratch(target))?;
    println!(
        "| {name} | {} | {:.0} | {:.1} | {:.2} | {:.2} | {} |",
        report.inputs,
        report.seconds,
        report.slowest.as_secs_f64() * 1e3,
        megabytes(report.used.largest),
        megabytes(report.used.peak),
        report.faults.len(),
    );
    for (i, fault) in report.faults.iter().enumerate() {
        let path = faults.join(format!("{name}-{i}"));
        fs::write(&path, &fault.input)?;
        eprintln!("{}: {}", path.display(), fault.what);
    }
    Ok(if report.faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn megabytes(bytes: usize) -> f64 {
    bytes as f64 / 1e6
}
