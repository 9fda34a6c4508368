//! The fuzz targets, one after another.

use anyhow::{Result, bail, ensure};

use crate::tools;

/// Gives each of these targets, all where none is named, so many inputs, and prints what came of it as a table.
pub fn fuzz(targets: &[String], inputs: usize) -> Result<()> {
    let build = ["build", "--quiet", "--package", "unnoise-fuzz"];
    tools::run(tools::cargo().args(build))?;
    let program = tools::target()?.join("debug/unnoise-fuzz");
    let known = tools::output(&mut tools::command(&program))?;
    let known: Vec<&str> = known.lines().collect();
    if let Some(unknown) = targets.iter().find(|target| !known.contains(&target.as_str())) {
        bail!("there is no target {unknown}; there are {}", known.join(", "));
    }
    let chosen: Vec<&str> = match targets {
        [] => known,
        targets => targets.iter().map(String::as_str).collect(),
    };
    let faults = program.with_file_name("fuzz-faults");
    println!("| target | inputs | s | slowest, ms | largest allocation, MB | most at once, MB | faults |");
    println!("|---|---:|---:|---:|---:|---:|---:|");
    let mut failed = Vec::new();
    for target in chosen {
        let mut run = tools::command(&program);
        run.arg(target).arg("--inputs").arg(inputs.to_string()).arg("--faults").arg(&faults);
        if let Err(error) = tools::run(&mut run) {
            failed.push(format!("{error:#}"));
        }
    }
    ensure!(failed.is_empty(), "{}; the inputs are in {}", failed.join("; "), faults.display());
    Ok(())
}
