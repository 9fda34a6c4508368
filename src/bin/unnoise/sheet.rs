use crate::Outcome;
use crate::output;
use clap::Args as ClapArgs;
use indicatif::{ProgressBar, ProgressStyle};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::process::ExitCode;
use unnoise::backend::{self, Backend};
use unnoise::models::Pretrained;
use unnoise::picture;
use unnoise::session::{self, Frame, Given};
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
    /// The sheet
    #[arg(long, value_name = "PNG", default_value = "sheet.png")]
    out: PathBuf,
}

pub async fn run(args: Args) -> Outcome {
    output::has_place(&args.out)?;
    let opened = backend::open(Backend::Cpu).await?;
    let model = Pretrained::from_dir(&args.model, &opened.device)?;
    let columns = model.classes().max(COLUMNS);
    let rows = args.rows(columns)?;
    let (shape, range) = (model.shape(), model.card.range);
    let bar = ProgressBar::new(1000 * rows.len() as u64)
        .with_style(ProgressStyle::with_template("{bar:30} {msg} · {eta} left").expect("the template is constant"));
    let mut pixels = Vec::new();
    for (i, settings) in rows.iter().enumerate() {
        bar.set_message(format!("{} · {} steps", settings.sampler, settings.steps));
        let mut last = Vec::new();
        let each = async |frame: Frame| {
            bar.set_position((1e3 * (i as f64 + frame.done)) as u64);
            last = frame.pixels(shape, range).0;
            ControlFlow::Continue(())
        };
        // Whoever receives the frames never breaks the run off.
        let _: ControlFlow<()> = session::run(&model, settings, Given::default(), &opened.device, each).await?;
        pixels.append(&mut last);
    }
    bar.finish_and_clear();
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
                if let Some(problem) = settings.fit().into_iter().next() {
                    return Err(problem);
                }
                rows.push(settings);
            }
        }
        Ok(rows)
    }
}
