use crate::Outcome;
use crate::output;
use clap::Args as ClapArgs;
use std::path::PathBuf;
use std::process::ExitCode;
use unnoise::replay::{self, Family, Outcome as Replayed};

#[derive(ClapArgs)]
pub struct Args {
    /// Folders of recorded trajectories: FAMILY.json with FAMILY.safetensors
    #[arg(required = true)]
    dirs: Vec<PathBuf>,

    /// Print a Markdown table of the families, not a line for each trajectory
    #[arg(long)]
    table: bool,
}

pub fn run(args: &Args) -> Outcome {
    let mut replayed = Vec::new();
    for dir in &args.dirs {
        replayed.extend(replay::dir(dir)?);
    }
    let families = replay::summary(&replayed);
    if args.table {
        output::line(Family::HEAD);
        families.iter().for_each(|family| output::line(family));
    } else {
        for case in replayed {
            let word = match case.outcome {
                Replayed::Passed { worst } => format!("passed   {worst:.1e}"),
                Replayed::Failed { worst, reason } => format!("FAILED   {worst:.1e}  {reason}"),
                Replayed::Skipped { reason } => format!("skipped  {reason}"),
            };
            output::line(format_args!("{:44} {word}", case.id));
        }
    }
    let count = |of: fn(&Family) -> usize| families.iter().map(of).sum::<usize>();
    let (passed, failed, skipped) = (count(|f| f.passed), count(|f| f.failed), count(|f| f.skipped));
    output::line(format_args!("{passed} passed, {failed} failed, {skipped} skipped"));
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
