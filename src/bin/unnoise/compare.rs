use crate::Outcome;
use crate::device::{Device, load};
use crate::output;
use crate::settings_args::{Except, SettingsArgs};
use clap::Args as ClapArgs;
use std::path::PathBuf;
use std::process::ExitCode;
use unnoise::eval::comparison::{Chosen, Comparison, GAUSSIANS_STD, POINTS, Row, WITHOUT, csv, ranking};
use unnoise::settings::{Facts, Levels, Linked, Problem, Reference, Settings};
use unnoise::words::count;

#[derive(ClapArgs)]
pub struct Args {
    /// Model folder in the diffusers layout; without it the data are four Gaussians, whose model is exact
    #[arg(long, value_name = "DIR")]
    model: Option<PathBuf>,
    /// Model evaluations to compare at
    #[arg(long, value_name = "NUMBERS", value_delimiter = ',', default_values_t = [5, 10, 20, 50],
        value_parser = clap::value_parser!(u16).range(1..=1000))]
    evaluations: Vec<u16>,
    /// Sampler ids, in this order [default: all that have a limit]
    #[arg(long, value_name = "IDS", value_delimiter = ',')]
    samplers: Vec<String>,
    /// Steps of the run that the others are compared with, or dopri5 at its smallest tolerance
    #[arg(long, value_name = "N|dopri5", default_value_t = Reference::Steps(Reference::USUAL), value_parser = str::parse::<Reference>)]
    reference: Reference,
    /// Also write every distance with all its digits, the nearest sampler first
    #[arg(long, value_name = "CSV")]
    csv: Option<PathBuf>,
    #[command(flatten)]
    settings: SettingsArgs<Compared>,
}

/// What the comparison itself varies, and what it has no place for.
struct Compared;

impl Except for Compared {
    const KEYS: &'static [&'static str] = &{
        let mut keys = ["model"; 3 + WITHOUT.len()];
        (keys[1], keys[2]) = ("sampler", "steps");
        let mut i = 0;
        while i < WITHOUT.len() {
            keys[3 + i] = WITHOUT[i];
            i += 1;
        }
        keys
    };
}

/// Pictures of a network, unless it is said otherwise.
const IMAGES: usize = 4;

pub async fn run(args: Args) -> Outcome {
    let loaded = match &args.model {
        Some(dir) => Some(load(dir, Device::Cpu).await?),
        None => None,
    };
    let model = loaded.as_ref().map(|(model, _)| model);
    let preset = model.map_or(Ok(Settings::default()), |model| model.preset())?;
    let facts = model.map(|model| model.facts());
    let knob = args.settings.pairs.iter().map(|(key, _)| key.as_str()).find(|key| Settings::row(key).is_none());
    if let Some(knob) = knob.filter(|_| args.samplers.is_empty()) {
        return Err(format!("{knob} is a parameter of some samplers; name them with --samplers").into());
    }
    let settings = args.settings(&preset, None, facts)?;
    if model.is_none() {
        // The Gaussians have no labels to guide by, nor a range.
        let acts = |key: &&str| !["schedule", "seed"].contains(key) && Settings::row(key).is_some();
        if let Some(key) = args.settings.pairs.iter().map(|(key, _)| key.as_str()).find(acts) {
            return Err(format!("{key} changes nothing on the Gaussians; give a model with --model").into());
        }
    }
    if settings.schedule == Levels::Model && args.says("schedule") {
        return Err("a scheduler's own levels have no limit to compare with; choose a schedule by name".into());
    }
    let chosen = |id: &String| {
        let settings = args.settings(&preset, Some(id), facts)?;
        Ok(Chosen { id: settings.sampler, knobs: settings.knobs })
    };
    let comparison = Comparison {
        evaluations: args.evaluations.iter().map(|n| usize::from(*n)).collect(),
        spacing: Comparison::spacing_of(&settings)?,
        samplers: args.samplers.iter().map(chosen).collect::<Result<_, Problem>>()?,
        reference: args.reference,
        seed: settings.seed,
    };
    let (rows, data) = match &loaded {
        None => (
            comparison.of_gaussians().await?,
            format!("{POINTS} points, data of standard deviation {GAUSSIANS_STD:.2}"),
        ),
        Some((model, _)) => {
            let rows = comparison.table(comparison.of_model(model, &settings)).await?;
            let ([low, high], pictures) = (model.card.range, count(settings.images, "picture"));
            (rows, format!("{pictures} with values {low} to {high}, guidance {}", settings.guidance))
        }
    };
    output::line(format_args!(
        "RMS distance from the limit ({}), {} spacing, {data}.\n",
        match comparison.reference {
            Reference::Steps(steps) => count(steps, "step"),
            Reference::Dopri5 => comparison.reference.to_string(),
        },
        comparison.spacing
    ));
    let columns: Vec<_> = args.evaluations.iter().map(|n| format!(" {n} |")).collect();
    output::line(format_args!("| evaluations |{}", columns.concat()));
    output::line(format_args!("|---|{}", "---:|".repeat(columns.len())));
    for Row { id, found } in &rows {
        let cells = found.iter().map(|f| f.map_or(" |".to_owned(), |(_, distance)| format!(" {distance:.2e} |")));
        output::line(format_args!("| `{id}` |{}", cells.collect::<String>()));
    }
    if let Some(path) = &args.csv {
        let found = rows.into_iter().map(|row| (row.id.to_owned(), row.found)).collect();
        output::text(path, &csv(&ranking(found), &comparison.evaluations))?;
    }
    Ok(ExitCode::SUCCESS)
}

impl Args {
    fn says(&self, key: &str) -> bool {
        self.settings.pairs.iter().any(|(known, _)| known == key)
    }

    /// The settings of a run, as the model starts where the options are silent: of one sampler with its knobs, or what all
    /// have in common.
    ///
    /// # Errors
    /// A value that cannot be used; a knob that the sampler lacks.
    fn settings(&self, preset: &Settings, sampler: Option<&str>, facts: Option<Facts>) -> Result<Settings, Problem> {
        let mut settings = Settings { images: IMAGES, knobs: Default::default(), ..preset.clone() };
        let mut pairs = self.settings.pairs.clone();
        match sampler {
            Some(id) => pairs.insert(0, ("sampler".to_owned(), id.into())),
            None => pairs.retain(|(key, _)| Settings::row(key).is_some()),
        }
        settings.take_all(pairs)?;
        settings.fitted(facts)
    }
}
