use crate::Outcome;
use crate::output;
use clap::Args as ClapArgs;
use std::path::PathBuf;
use std::process::ExitCode;
use unnoise::replay::{self, Outcome as Replayed};

#[derive(ClapArgs)]
pub struct Args {
    /// Folders of recorded trajectories: FAMILY.json with FAMILY.safetensors
    #[arg(required = true)]
    dirs: Vec<PathBuf>,
}

pub fn run(args: &Args) -> Outcome {
    let (mut passed, mut failed, mut skipped) = (0, 0, 0);
    for dir in &args.dirs {
        for case in replay::dir(dir)? {
            let word = match &case.outcome {
                Replayed::Passed { worst } => {
                    passed += 1;
                    format!("passed   {worst:.1e}")
                }
                Replayed::Failed { worst, reason } => {
                    failed += 1;
                    format!("FAILED   {worst:.1e}  {reason}")
                }
                Replayed::Skipped { reason } => {
                    skipped += 1;
                    format!("skipped  {reason}")
                }
            };
            output::line(format_args!("{:44} {word}", case.id));
        }
    }
    output::line(format_args!("{passed} passed, {failed} failed, {skipped} skipped"));
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
