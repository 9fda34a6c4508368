use crate::Outcome;
use crate::device::{Device, load};
use crate::measured::bar;
use crate::output;
use crate::settings_args::{Except, SettingsArgs};
use clap::Args as ClapArgs;
use std::path::PathBuf;
use std::process::ExitCode;
use unnoise::eval::quality::samples;
use unnoise::picture;
use unnoise::session::Given;
use unnoise::settings::{Facts, Problem, Settings};
use unnoise::words::count;

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
    #[command(flatten)]
    settings: SettingsArgs<Rows>,
    /// Where the network runs
    #[arg(long, value_enum, default_value_t = Device::Cpu)]
    device: Device,
    /// The sheet
    #[arg(long, value_name = "PNG", default_value = "sheet.png")]
    out: PathBuf,
}

pub async fn run(args: Args) -> Outcome {
    output::has_place(&args.out)?;
    let (model, _) = load(&args.model, args.device).await?;
    let columns = model.classes().max(COLUMNS);
    let rows = args.rows(columns, model.facts())?;
    let bar = bar(rows.len(), "rows");
    let mut pixels = Vec::new();
    for (i, settings) in rows.iter().enumerate() {
        bar.set_position(i as u64);
        bar.set_message(format!("{} · {}", settings.sampler, count(settings.steps, "step")));
        pixels.extend(samples::last(&model, settings, Given::default(), &mut |_| bar.tick()).await?);
    }
    bar.finish_and_clear();
    // All rows have the same size.
    let shape = rows.first().map_or(model.picture(), |settings| model.picture_of(settings));
    output::png(&args.out, picture::rows(&pixels, shape, columns), shape[0])?;
    for (i, settings) in rows.iter().enumerate() {
        output::line(format_args!("row {}: {} · {}", i + 1, settings.sampler, count(settings.steps, "step")));
    }
    output::line(args.out.display());
    Ok(ExitCode::SUCCESS)
}

/// What the sheet itself varies.
struct Rows;

impl Except for Rows {
    const KEYS: &'static [&'static str] = &["model", "sampler", "steps", "images"];
}

/// Pictures in a row for a model with fewer classes.
const COLUMNS: usize = 8;

impl Args {
    /// The settings of each row of `images` pictures.
    fn rows(&self, images: usize, facts: Facts) -> Result<Vec<Settings>, Problem> {
        let mut rows = Vec::new();
        for sampler in &self.samplers {
            for steps in &self.steps {
                let mut settings = Settings { guidance: 1.0, images, ..Settings::default() };
                let own =
                    [("sampler", sampler), ("steps", steps)].map(|(key, text)| (key.to_owned(), (&**text).into()));
                settings.take_all(own.into_iter().chain(self.settings.pairs.iter().cloned()).collect())?;
                rows.push(settings.fitted(Some(facts))?);
            }
        }
        Ok(rows)
    }
}
