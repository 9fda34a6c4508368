use crate::Outcome;
use crate::device::Device;
use crate::measured::bar;
use crate::output;
use clap::Args as ClapArgs;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use unnoise::train::{self, Job, Progress};

#[derive(ClapArgs)]
pub struct Args {
    /// The recipe, such as recipes/mnist-base.toml: everything that decides what the network becomes
    recipe: PathBuf,
    /// Folder of the data set's files
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Folder to make, such as models/mnist; a run that was interrupted leaves its checkpoint there
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Continue from the checkpoint in OUT: on the CPU to the same weights, bit for bit
    #[arg(long)]
    resume: bool,
    /// Where the network is trained
    #[arg(long, value_enum, default_value_t = Device::Cpu)]
    device: Device,
}

/// Width and height of the picture of the loss.
const CURVE: [usize; 2] = [600, 300];

pub async fn run(args: &Args) -> Outcome {
    let device = args.device.open().await?.device;
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        // A second one ends the process, should a step take too long to wait for.
        flag::register_conditional_shutdown(signal, 130, stop.clone())?;
        flag::register(signal, stop.clone())?;
    }

    let bar = bar(0, "steps");
    let mut watch = |progress: &Progress| {
        bar.set_length(progress.steps as u64);
        bar.set_position(progress.step as u64);
        bar.set_message(format!("loss {:.4} · {:.0} images/s", progress.loss, progress.images_per_s));
        if stop.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let Args { recipe, data, out, resume, .. } = args;
    let outcome = train::run(&Job { recipe, data, out, resume: *resume, device: &device }, &mut watch)?;
    bar.finish_and_clear();
    match outcome {
        train::Outcome::Stopped { step, steps } => Err(format!(
            "stopped after step {step} of {steps}; the checkpoint is in {}, continue with --resume",
            out.display()
        )
        .into()),
        train::Outcome::Done { held_out, accuracy } => {
            draw(out)?;
            let losses: Vec<_> = held_out.iter().map(|(decay, loss)| format!("{loss:.5} (decay {decay})")).collect();
            if !losses.is_empty() {
                output::line(format_args!("held-out loss of the averaged weights: {}", losses.join(", ")));
            }
            if let Some(accuracy) = accuracy {
                output::line(format_args!("{:.2} % of the held-out pictures classified rightly", 100.0 * accuracy));
            }
            output::line(out.display());
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Writes `loss.png` from the log.
fn draw(out: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let [width, height] = CURVE;
    let log = std::fs::read_to_string(out.join("log.csv"))?;
    Ok(output::png(&out.join("loss.png"), (train::curve(&log, width, height), width, height), 1)?)
}
