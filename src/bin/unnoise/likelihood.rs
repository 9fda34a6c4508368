use crate::Outcome;
use crate::measured::{OfData, OfModel, bar, noise, stated, table};
use crate::output;
use clap::Args as ClapArgs;
use std::process::ExitCode;
use std::time::Instant;
use unnoise::eval::statistics::mean;
use unnoise::eval::{Control, Found, Likelihood, LogDensity, Pictures};
use unnoise::pipeline::Pipeline;
use unnoise::words::count;

#[derive(ClapArgs)]
pub struct Args {
    #[command(flatten)]
    model: OfModel,
    #[command(flatten)]
    data: OfData,
    /// Error that a step of the solver may make, in nats a dimension and relative to the picture
    #[arg(long, default_value_t = 1e-4, conflicts_with = "steps")]
    tolerance: f64,
    /// Steps of one length instead, of six evaluations each
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    steps: Option<u32>,
    /// Random vectors that the divergence is estimated with
    #[arg(long, value_name = "K", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    probes: u16,
    /// Seed of the probes and of the dequantisation
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u32,
}

pub async fn run(args: &Args) -> Outcome {
    args.model.run(|model, pictures| args.measure(model, pictures)).await
}

impl Args {
    fn measure(&self, model: &Pipeline, pictures: &Pictures) -> Outcome {
        let data = self.data.pictures(model)?;
        let control = match self.steps {
            Some(steps) => Control::Steps(steps as usize),
            None if self.tolerance > 0.0 => Control::Tolerance(self.tolerance),
            None => return Err("the tolerance must be above 0".into()),
        };
        let run = Likelihood::new(&model.schedule, control);
        let began = Instant::now();
        let bar = bar(100 * data.len(), "% of a picture");
        let mut found = Vec::new();
        for (i, picture) in data.iter().enumerate() {
            let drawn = (u64::from(self.seed) + i as u64, self.probes.into());
            let mut watch = |part: f64| bar.set_position((100.0 * (i as f64 + part)) as u64);
            found.push(pictures.likelihood(&run, picture, drawn, &mut watch)?);
        }
        bar.finish_and_clear();

        if let Some(path) = &self.data.csv {
            let rows = found.iter().enumerate().map(|(i, Found { density: p, bits_per_dimension, error })| {
                let error = error.map(|e| e.to_string()).unwrap_or_default();
                let steps = format!("{},{},{}", p.accepted, p.rejected, p.evaluations);
                format!("{i},{bits_per_dimension},{error},{},{steps}", p.nats())
            });
            table(path, "image,bits_per_dim,probe_standard_error,nats,accepted,rejected,evaluations", rows)?;
        }
        let bits: Vec<_> = found.iter().map(|found| found.bits_per_dimension).collect();
        output::line(format_args!("{} bits/dim over {}", stated(&bits), count(data.len(), "image")));
        let errors: Option<Vec<f64>> = found.iter().map(|found| found.error).collect();
        if let Some(errors) = errors {
            let (typical, _) = mean(&errors);
            output::line(format_args!(
                "of one image ± {typical:.4} by the choice of {}",
                count(self.probes.into(), "probe")
            ));
        }
        output::line(noise(&found.iter().flat_map(|p| p.density.latent.iter().copied()).collect::<Vec<_>>()));
        let sum = |of: fn(&LogDensity) -> usize| found.iter().map(|p| of(&p.density)).sum::<usize>();
        output::line(format_args!(
            "noise-to-signal ratio {:.4} to {:.1}: {} accepted, {} rejected, {} in {:.1} s",
            run.from,
            run.to,
            count(sum(|p| p.accepted), "step"),
            sum(|p| p.rejected),
            count(sum(|p| p.evaluations), "evaluation"),
            began.elapsed().as_secs_f64()
        ));
        Ok(ExitCode::SUCCESS)
    }
}
