use crate::Outcome;
use crate::device::{Device, load};
use crate::eval::{classifier_of, draw_watched};
use crate::measured::watched;
use crate::output;
use clap::Args as ClapArgs;
use flate2::Crc;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use unnoise::eval::quality::record::{Measured, Record, Wanted};
use unnoise::eval::quality::{Albums, Reference};
use unnoise::models::classifier::NoisyClassifier;

/// Measures every model, sampler and number of steps that the record lacks, saves the record after each, and prints it as
/// tables. It can be interrupted and goes on where it was. Without --data it only prints.
#[derive(ClapArgs)]
pub struct Args {
    /// What was measured so far
    #[arg(long, value_name = "JSON", default_value = "docs/quality.json")]
    record: PathBuf,
    /// Folder of the pictures that the models were trained on, and of the test pictures
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Model folders of one data set; their cards name the classifier
    #[arg(long, value_name = "DIR,DIR,..", value_delimiter = ',', default_value = "models/fashion-mnist")]
    models: Vec<PathBuf>,
    /// Samples a row
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(4..))]
    samples: u32,
    /// Sampler ids
    #[arg(long, value_name = "ID,ID,..", value_delimiter = ',', default_value = "dpmpp-2m,ddim,unipc-bh2")]
    samplers: Vec<String>,
    /// Numbers of steps
    #[arg(long, value_name = "N,N,..", value_delimiter = ',', default_value = "5,10,20,50")]
    steps: Vec<usize>,
    /// Guidance scales, for the first sampler
    #[arg(long, value_name = "SCALE,..", value_delimiter = ',', default_value = "1,1.5,2,3,5")]
    guidance: Vec<f64>,
    /// Numbers of steps of the rows that differ in guidance
    #[arg(long, value_name = "N,N,..", value_delimiter = ',', default_value = "10")]
    guided_steps: Vec<usize>,
    /// Drop the rows of a model whose weights have changed since
    #[arg(long)]
    replace: bool,
    /// Where the networks run
    #[arg(long, value_enum, default_value_t = Device::Cpu)]
    device: Device,
}

pub async fn run(args: &Args) -> Outcome {
    let mut record = read(&args.record)?;
    if let Some(data) = &args.data {
        output::has_place(&args.record)?;
        for dir in &args.models {
            args.measure(dir, data, &mut record).await?;
        }
    }
    record.0.iter().for_each(|(name, measured)| output::line(measured.markdown(name)));
    Ok(ExitCode::SUCCESS)
}

impl Args {
    /// Adds to `record` what it lacks of the model in `dir`.
    async fn measure(&self, dir: &Path, data: &Path, record: &mut Record) -> Result<(), Box<dyn Error>> {
        let name = dir.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let (model, opened) = load(dir, self.device).await?;
        let folder = classifier_of(dir, &model)?;
        let weights = [checksum(&dir.join("unet"))?, checksum(&folder)?];
        let outdated = record.outdated(&name, weights);
        if outdated > 0 && !self.replace {
            let file = self.record.display();
            return Err(format!(
                "{file} has {outdated} rows of {name} with other weights: say --replace to drop them, or name another --record"
            )
            .into());
        }
        let classifier = NoisyClassifier::from_dir(&folder, &opened.device)?;
        let albums = Albums::read(data, &folder, model.picture())?;
        let (n, reference) = (self.samples as usize, albums.train.len() / 2);
        let known = watched(reference, "training pictures seen", |watch| {
            Reference::new(&classifier, &opened.device, &albums.train, reference, watch)
        })?;

        let test = watched(albums.test.len(), "test pictures scored", |watch| known.floor(&albums.test, n, watch))?;
        let training = [reference, albums.train.len()];
        record.begin(&name, Measured { weights, features: known.features(), training, test, rows: Vec::new() });
        output::text(&self.record, &record.to_json())?;
        let Self { samplers, steps, guidance, guided_steps, .. } = self;
        let wanted = Wanted { samplers, steps, guidance, guided_steps };
        for settings in wanted.settings()? {
            let has = |measured: &Measured| measured.has(&settings, n);
            if record.0.get(&name).is_some_and(has) {
                continue;
            }
            let (samples, seconds) = draw_watched(&model, &settings, (n, &albums.train)).await?;
            let score = watched(n, "samples scored", |watch| known.score(&samples, watch))?;
            record.0.entry(name.clone()).and_modify(|measured| measured.note(&settings, seconds, score));
            output::text(&self.record, &record.to_json())?;
        }
        Ok(())
    }
}

/// The record in a file; an empty one where there is no file.
fn read(path: &Path) -> Result<Record, Box<dyn Error>> {
    if !path.exists() {
        return Ok(Record::default());
    }
    let text = fs::read_to_string(path).map_err(|e| format!("cannot read {}: {e}", path.display()))?;
    Ok(Record::from_json(&text).map_err(|e| format!("{}: {e}", path.display()))?)
}

/// The checksum of the weights in the folder `dir`.
fn checksum(dir: &Path) -> Result<u32, String> {
    let path = dir.join("diffusion_pytorch_model.safetensors");
    let bytes = fs::read(&path).map_err(|e| format!("cannot read {}: {e}", path.display()))?;
    let mut crc = Crc::new();
    crc.update(&bytes);
    Ok(crc.sum())
}
