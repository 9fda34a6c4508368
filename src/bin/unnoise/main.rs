//! The command line.

mod info;
mod output;
mod replay;
mod sample;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

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
    /// Replay recorded trajectories and compare every step with the record.
    Replay(replay::Args),
    /// Say what a model folder holds.
    Info(info::Args),
}

/// What a command ends with: an exit code, or a failure in words.
type Outcome = Result<ExitCode, Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Sample(args) => pollster::block_on(sample::run(*args)),
        Command::Replay(args) => replay::run(&args),
        Command::Info(args) => pollster::block_on(info::run(&args)),
    };
    outcome.unwrap_or_else(|e| {
        eprintln!("error: {e}");
        ExitCode::FAILURE
    })
}
