use crate::Outcome;
use crate::output;
use clap::{Args as ClapArgs, ValueEnum};
use std::path::PathBuf;
use std::process::ExitCode;
use unnoise::replay::{self, By, Group, Outcome as Replayed};

#[derive(ClapArgs)]
pub struct Args {
    /// Folders of recorded trajectories: FAMILY.json with FAMILY.safetensors
    #[arg(required = true)]
    dirs: Vec<PathBuf>,

    /// Print a Markdown table, not a line for each trajectory
    #[arg(long, value_enum, value_name = "GROUPS", num_args = 0..=1, require_equals = true, default_missing_value = "families")]
    table: Option<Groups>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Groups {
    Families,
    Samplers,
}

pub fn run(args: &Args) -> Outcome {
    let mut replayed = Vec::new();
    for dir in &args.dirs {
        replayed.extend(replay::dir(dir)?);
    }
    let by = match args.table {
        Some(Groups::Samplers) => By::Sampler,
        _ => By::Family,
    };
    let groups = replay::summary(&replayed, by);
    if args.table.is_some() {
        output::line(Group::HEAD);
        groups.iter().for_each(output::line);
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
    let count = |of: fn(&Group) -> usize| groups.iter().map(of).sum::<usize>();
    let (passed, failed, skipped) = (count(|f| f.passed), count(|f| f.failed), count(|f| f.skipped));
    output::line(format_args!("{passed} passed, {failed} failed, {skipped} skipped"));
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
