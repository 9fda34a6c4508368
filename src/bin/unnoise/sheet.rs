use crate::Outcome;
use crate::device::Device;
use crate::measured::bar;
use crate::output;
use clap::Args as ClapArgs;
use std::path::PathBuf;
use std::process::ExitCode;
use unnoise::eval::quality::samples;
use unnoise::models::Pretrained;
use unnoise::picture;
use unnoise::session::Given;
use unnoise::settings::{Problem, Settings};

/// One sheet that compares samplers: a row for each sampler and number of steps, a column for each class, and the same
/// noise down every column.
#[derive(ClapArgs)]
pub struct Args {
    /// Model folder in the diffusers layout
    #[arg(long, value_name = "DIR")]
    model: PathBuf,
    /// Sampler ids
    #[arg(long, value_name = "IDS", value_delimiter = ',', default_value = "ddim,dpmpp-2m,unipc-bh2")]
    samplers: Vec<String>,
    /// Numbers of steps
    #[arg(long, value_name = "NUMBERS", value_delimiter = ',', default_value = "5,10,20,50")]
    steps: Vec<String>,
    /// Any key of a link, such as guidance=2, seed=3 or schedule=karras; may be given often
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Where the network runs
    #[arg(long, value_enum, default_value_t = Device::Cpu)]
    device: Device,
    /// The sheet
    #[arg(long, value_name = "PNG", default_value = "sheet.png")]
    out: PathBuf,
}

pub async fn run(args: Args) -> Outcome {
    output::has_place(&args.out)?;
    let opened = args.device.open().await?;
    let model = Pretrained::from_dir(&args.model, &opened.device)?;
    let columns = model.classes().max(COLUMNS);
    let rows = args.rows(columns)?;
    let bar = bar(rows.len(), "rows");
    let mut pixels = Vec::new();
    for (i, settings) in rows.iter().enumerate() {
        bar.set_position(i as u64);
        bar.set_message(format!("{} · {} steps", settings.sampler, settings.steps));
        pixels.extend(samples::last(&model, settings, Given::default(), &opened.device, &mut |_| bar.tick()).await?);
    }
    bar.finish_and_clear();
    let shape = model.shape();
    output::png(&args.out, picture::rows(&pixels, shape, columns), shape[0])?;
    for (i, settings) in rows.iter().enumerate() {
        output::line(format_args!("row {}: {} · {} steps", i + 1, settings.sampler, settings.steps));
    }
    output::line(args.out.display());
    Ok(ExitCode::SUCCESS)
}

/// Pictures in a row for a model with fewer classes.
const COLUMNS: usize = 8;

impl Args {
    /// The settings of each row of `images` pictures.
    fn rows(&self, images: usize) -> Result<Vec<Settings>, Problem> {
        let mut rows = Vec::new();
        for sampler in &self.samplers {
            for steps in &self.steps {
                let (mut settings, _) = Settings::from_link("guidance=1");
                settings.set("sampler", sampler)?;
                settings.set("steps", steps)?;
                settings.set("images", &images.to_string())?;
                self.set.iter().try_for_each(|pair| settings.set_pair(pair))?;
                rows.push(settings.fitted()?);
            }
        }
        Ok(rows)
    }
}
