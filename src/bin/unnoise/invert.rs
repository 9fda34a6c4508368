use crate::Outcome;
use crate::measured::{OfModel, format, noise};
use crate::output;
use burn::tensor::Tensor;
use clap::{Args as ClapArgs, builder::PossibleValuesParser};
use std::path::PathBuf;
use std::process::ExitCode;
use unnoise::dataset::pictures;
use unnoise::eval::statistics::difference;
use unnoise::eval::{Inversion, Pictures, RoundTrip};
use unnoise::math::Spacing;
use unnoise::picture;
use unnoise::pipeline::Pipeline;
use unnoise::settings::{Problem, Settings};
use unnoise::words::count;

#[derive(ClapArgs)]
pub struct Args {
    #[command(flatten)]
    model: OfModel,
    /// What is in the picture, for a model that reads texts
    #[arg(long, value_name = "TEXT", default_value = "")]
    prompt: String,
    /// The picture
    #[arg(long, value_name = "PNG")]
    image: PathBuf,
    /// Steps of the grid, spaced as `trailing`
    #[arg(long, value_name = "N", default_value_t = 50)]
    steps: usize,
    /// How to climb to the noise
    #[arg(long, default_value = "ddim", value_parser = PossibleValuesParser::new(Inversion::ALL.map(|(id, _)| id)))]
    method: String,
    /// Id of the deterministic sampler that comes back [default: the method's]
    #[arg(long, value_name = "ID")]
    sampler: Option<String>,
    /// The picture that the noise is sampled back to
    #[arg(long, value_name = "PNG", default_value = "recon.png")]
    out: PathBuf,
    /// Also write the noise, `latent` of shape [1, channels, height, width]
    #[arg(long, value_name = "SAFETENSORS")]
    latent: Option<PathBuf>,
}

pub async fn run(args: &Args) -> Outcome {
    args.model.run_prompt(&args.prompt, |model, pictures| args.invert(model, pictures)).await
}

impl Args {
    fn invert(&self, model: &Pipeline, numbers: &Pictures) -> Outcome {
        [Some(&self.out), self.latent.as_ref()].into_iter().flatten().try_for_each(|path| output::has_place(path))?;
        let inversion = Inversion::ALL.iter().find(|(id, _)| *id == self.method).map(|(_, inversion)| *inversion);
        let inversion = inversion.ok_or("no such method of inversion")?;
        let id = self.sampler.as_ref().unwrap_or(&self.method);
        let sampler = Settings { sampler: id.clone(), ..Settings::default() }.method::<Tensor<4>>();
        let sampler = sampler.map_err(|reason| Problem::new("sampler", id, reason))?;
        let (shape, range) = (model.picture(), model.card.range);
        let data = pictures::read_one(&self.image, &format(model))?;
        let grid = Spacing::Trailing.grid(&model.schedule, self.steps)?;
        let RoundTrip { latent, back, decoded } =
            numbers.round_trip(&data, &grid, inversion, &sampler)?.ok_or_else(|| {
                format!("{id} takes fresh noise or chooses its own steps; choose a deterministic sampler, such as ddim")
            })?;

        let f32s: Vec<f32> = back.iter().map(|v| *v as f32).collect();
        output::png(&self.out, (picture::to_bytes(&f32s, shape, range), shape[2], shape[1]), shape[0])?;
        if let Some(path) = &self.latent {
            output::tensor(path, "latent", &latent, &[&[1], &model.shape()[..]].concat())?;
        }
        let apart = |what: &str, (rms, largest): (f64, f64)| {
            let [low, high] = range;
            output::line(format_args!("{what}: RMS {rms:.5}, largest {largest:.5}, of values from {low} to {high}"));
        };
        apart("round trip", difference(&data, &back));
        if let Some(decoded) = decoded {
            apart("of which the autoencoder alone", difference(&data, &decoded));
        }
        let std = grid.first().marginal_std();
        output::line(noise(&latent.iter().map(|v| v / std).collect::<Vec<_>>()));
        output::line(format_args!(
            "{} up and {id} back in {} each, {}",
            self.method,
            count(self.steps, "step"),
            self.out.display()
        ));
        Ok(ExitCode::SUCCESS)
    }
}
