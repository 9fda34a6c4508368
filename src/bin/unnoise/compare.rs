use crate::Outcome;
use crate::device::{Device, load};
use crate::output;
use clap::Args as ClapArgs;
use std::path::PathBuf;
use std::process::ExitCode;
use unnoise::eval::comparison::{Comparison, GAUSSIANS_STD, POINTS, Row};
use unnoise::math::Spacing;
use unnoise::words::count;

#[derive(ClapArgs)]
pub struct Args {
    /// Model folder in the diffusers layout; without it the data are four Gaussians, whose model is exact
    #[arg(long, value_name = "DIR")]
    model: Option<PathBuf>,
    /// Model evaluations to compare at
    #[arg(long, value_name = "N,N,..", value_delimiter = ',', default_values_t = [5, 10, 20, 50],
        value_parser = clap::value_parser!(u16).range(1..=1000))]
    evaluations: Vec<u16>,
    /// Spacing of the noise levels
    #[arg(long, value_name = "SPACING", default_value = "log-snr")]
    schedule: Spacing,
    /// Only these samplers, by id
    #[arg(long, value_name = "ID,ID,..", value_delimiter = ',')]
    samplers: Vec<String>,
    /// Pictures of each run, where there is a model folder
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=64))]
    images: u16,
    /// Steps of the run that the others are compared with
    #[arg(long, value_name = "N", default_value_t = 1000,
        value_parser = clap::value_parser!(u32).range(1..=100_000))]
    reference: u32,
    /// Seed of the starting noise
    #[arg(long, default_value_t = 7)]
    seed: u32,
}

pub async fn run(args: Args) -> Outcome {
    let comparison = Comparison {
        evaluations: args.evaluations.iter().map(|n| usize::from(*n)).collect(),
        spacing: args.schedule.clone(),
        samplers: args.samplers.clone(),
        reference: args.reference as usize,
        seed: args.seed,
    };
    let (rows, data) = match &args.model {
        None => (comparison.of_gaussians()?, format!("{POINTS} points, data of standard deviation {GAUSSIANS_STD:.2}")),
        Some(dir) => {
            let (model, opened) = load(dir, Device::Cpu).await?;
            let rows = comparison.of_model(&model, args.images.into(), &opened.device)?;
            let ([low, high], pictures) = (model.card.range, count(args.images.into(), "picture"));
            (rows, format!("{pictures} with values {low} to {high}"))
        }
    };
    output::line(format_args!(
        "RMS distance from the limit ({} of the same spacing), {data}.\n",
        count(comparison.reference, "step")
    ));
    let columns: Vec<_> = args.evaluations.iter().map(|n| format!(" {n} |")).collect();
    output::line(format_args!("| evaluations |{}", columns.concat()));
    output::line(format_args!("|---|{}", "---:|".repeat(columns.len())));
    for Row { id, distances } in rows {
        let cells = distances.iter().map(|d| d.map_or(" |".to_owned(), |distance| format!(" {distance:.2e} |")));
        output::line(format_args!("| `{id}` |{}", cells.collect::<String>()));
    }
    Ok(ExitCode::SUCCESS)
}
