//! The command line.

mod animate;
mod attention;
mod bound;
mod compare;
mod device;
mod eval;
mod grid;
mod grid_sheet;
mod hashes;
mod info;
mod invert;
mod lab;
mod lettering;
mod likelihood;
mod linked;
mod list;
mod measured;
mod output;
mod quality;
mod replay;
mod sample;
mod settings_args;
mod sheet;
mod tokens;
mod train;
mod walk;

use clap::{Parser, Subcommand};
use std::process::ExitCode;
use unnoise::settings::Problem;

/// Diffusion models and samplers on the command line: the pictures of the web page, to the seed.
#[derive(Parser)]
#[command(version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Turn noise into pictures.
    Sample(Box<sample::Args>),
    /// Compare samplers on one sheet of pictures.
    Sheet(sheet::Args),
    /// Draw a grid of runs: a setting across, another one down.
    Grid(Box<grid::Args>),
    /// Draw the way from one seed, prompt or class to the next.
    Walk(Box<walk::Args>),
    /// Train a model, or a classifier of noisy pictures, from a recipe.
    Train(train::Args),
    /// Train the network of a link of the lab.
    Lab(lab::Args),
    /// Replay recorded trajectories and compare every step with the record.
    Replay(replay::Args),
    /// Say what a model folder holds.
    Info(info::Args),
    /// List the samplers, or the schedules.
    List(list::Args),
    /// Compare samplers: how far each is from its limit, by the number of model evaluations.
    Compare(compare::Args),
    /// Say how good a model's samples are: how real, how varied, how new.
    Eval(Box<eval::Args>),
    /// Measure many models, samplers and numbers of steps, and print tables.
    Quality(quality::Args),
    /// Bits per dimension of pictures by the probability-flow ODE.
    Likelihood(likelihood::Args),
    /// The variational bound on the bits per dimension of pictures, term by term.
    Bound(bound::Args),
    /// Print the token ids of texts, one list a line.
    Tokens(tokens::Args),
    /// Find the noise that a sampler turns into a picture, and sample it back.
    Invert(invert::Args),
}

/// What a command ends with: an exit code, or a failure in words.
type Outcome = Result<ExitCode, Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Sample(args) => pollster::block_on(sample::run(*args)),
        Command::Sheet(args) => pollster::block_on(sheet::run(args)),
        Command::Grid(args) => pollster::block_on(grid::run(*args)),
        Command::Walk(args) => pollster::block_on(walk::run(*args)),
        Command::Train(args) => pollster::block_on(train::run(&args)),
        Command::Lab(args) => lab::run(&args),
        Command::Replay(args) => replay::run(&args),
        Command::Info(args) => pollster::block_on(info::run(&args)),
        Command::List(args) => list::run(&args),
        Command::Compare(args) => pollster::block_on(compare::run(args)),
        Command::Eval(args) => pollster::block_on(eval::run(&args)),
        Command::Quality(args) => pollster::block_on(quality::run(&args)),
        Command::Likelihood(args) => pollster::block_on(likelihood::run(&args)),
        Command::Bound(args) => pollster::block_on(bound::run(&args)),
        Command::Tokens(args) => tokens::run(&args),
        Command::Invert(args) => pollster::block_on(invert::run(&args)),
    };
    outcome.unwrap_or_else(|e| {
        eprintln!("error: {e}");
        // As an option that clap refuses.
        if e.is::<Problem>() { ExitCode::from(2) } else { ExitCode::FAILURE }
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn no_command_has_an_option_twice() {
        super::Cli::command().debug_assert();
    }
}
