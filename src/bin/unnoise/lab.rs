use crate::Outcome;
use crate::measured::bar;
use crate::output;
use clap::Args as ClapArgs;
use std::path::PathBuf;
use std::process::ExitCode;
use unnoise::lab::Settings;
use unnoise::lab::learn::{Learner, Recipe};
use unnoise::settings::Checked;

#[derive(ClapArgs)]
pub struct Args {
    /// A link of the lab, such as "#lab&data=moons&train-steps=20000": data, process, network, seed and steps
    link: String,
    /// The safetensors file to write: the averaged weights
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Steps between two looks at the loss.
const STRIDE: usize = 100;

pub fn run(args: &Args) -> Outcome {
    let Checked { settings, problems, .. } = Settings::read_link(&args.link);
    if let Some(problem) = problems.first() {
        return Err(problem.clone().into());
    }
    if settings.train_steps == 0 {
        return Err("the link names no train-steps; write for how many the network is to be trained".into());
    }
    let process = settings.process()?;
    let mut learner = Learner::new(Recipe::from(&settings), settings.distribution(), process)?;
    let bar = bar(settings.train_steps, "steps");
    while learner.steps() < settings.train_steps {
        let row = learner.train(STRIDE.min(settings.train_steps - learner.steps()))?;
        bar.set_position(row.step as u64);
        bar.set_message(format!("loss {:.4}", row.train));
    }
    bar.finish_and_clear();
    std::fs::write(&args.out, learner.learned().weights()?).map_err(|e| format!("{}: {e}", args.out.display()))?;
    let (held_out, floor) = (learner.held_out(), learner.floor());
    output::line(format_args!("held-out loss {held_out:.4}, of the exact model {floor:.4}"));
    output::line(args.out.display());
    Ok(ExitCode::SUCCESS)
}
