use crate::Outcome;
use crate::measured::{OfData, OfModel, bar, stated, table};
use crate::output;
use clap::{Args as ClapArgs, ValueEnum};
use std::process::ExitCode;
use std::time::Instant;
use unnoise::eval::statistics::mean;
use unnoise::eval::{Bound, Pictures, Readable, Variance, pixels};
use unnoise::math::{NoiseSchedule, Spacing};
use unnoise::pipeline::Pipeline;
use unnoise::words::count;

#[derive(ClapArgs)]
pub struct Args {
    #[command(flatten)]
    model: OfModel,
    #[command(flatten)]
    data: OfData,
    /// Steps of the chain, spaced as `trailing` [default: every timestep of the model, or 1000]
    #[arg(long, value_name = "N")]
    steps: Option<usize>,
    /// Variance of a step: the posterior's or the forward process'
    #[arg(long, value_enum, default_value_t = Kind::Small)]
    variance: Kind,
    /// Seed of the noise
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u32,
}

#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    Small,
    Large,
}

pub async fn run(args: &Args) -> Outcome {
    args.model.run(|model, pictures| args.measure(model, pictures)).await
}

impl Args {
    fn measure(&self, model: &Pipeline, pictures: &Pictures) -> Outcome {
        let data = self.data.pictures(model)?;
        let steps = self.steps.or(model.schedule.timesteps()).unwrap_or(1000);
        let grid = Spacing::Trailing.grid(&model.schedule, steps)?;
        let variance = match self.variance {
            Kind::Small => Variance::Small,
            Kind::Large => Variance::Large,
        };
        let (began, bar) = (Instant::now(), bar(steps, "terms"));
        let mut watch = |done| bar.set_position(done as u64);
        let found = pictures.bound(&data, &grid, variance, self.seed, &mut watch)?;
        bar.finish_and_clear();

        let bits = |nats: f64| pixels::bits_per_dimension(nats, pictures.dimensions());
        if let Some(path) = &self.data.csv {
            let rows = found[0].steps.iter().enumerate().map(|(i, (at, _))| {
                let (nats, _) = mean(&found.iter().map(|b| b.steps[i].1).collect::<Vec<_>>());
                format!("{},{},{},{nats},{}", at.t, at.alpha, at.sigma, bits(nats))
            });
            table(path, "t,alpha,sigma,nats,bits_per_dim", rows)?;
        }
        let line = |name: &str, of: fn(&Bound) -> f64| {
            let nats: Vec<f64> = found.iter().map(of).collect();
            let bits: Vec<f64> = nats.iter().map(|nats| bits(*nats)).collect();
            output::line(format_args!("{name:24} {:>24} nats  {:>18} bits/dim", stated(&nats), stated(&bits)));
        };
        line("L_T, the noisy end", |b| b.prior);
        line("sum of L_{t-1}", |b| b.steps.iter().fold(0.0, |sum, (_, nats)| sum + nats));
        line("L_0, the decoder", |b| b.decoder);
        line("the bound", Bound::nats);
        output::line(format_args!(
            "{}, {}, one draw of each term, {:.1} s",
            count(data.len(), "image"),
            count(steps, "step"),
            began.elapsed().as_secs_f64()
        ));
        Ok(ExitCode::SUCCESS)
    }
}
