use crate::Outcome;
use crate::dataset::Dataset;
use crate::device::Device;
use crate::eval::{draw_watched, judge_of};
use crate::measured::watched;
use crate::output;
use clap::Args as ClapArgs;
use flate2::Crc;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use unnoise::backend::Opened;
use unnoise::eval::quality::{Judge, NEIGHBOURS, Score};
use unnoise::models::Pretrained;
use unnoise::models::classifier::NoisyClassifier;
use unnoise::settings::Settings;

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
    /// Guidance scales, for the first sampler with 10 steps
    #[arg(long, value_name = "SCALE,..", value_delimiter = ',', default_value = "1,1.5,2,3,5")]
    guidance: Vec<f64>,
    /// Where the networks run
    #[arg(long, value_enum, default_value_t = Device::Cpu)]
    device: Device,
}

/// What is known of each model, by the name of its folder.
#[derive(Default, Serialize, Deserialize)]
struct Record(BTreeMap<String, Measured>);

#[derive(Serialize, Deserialize)]
struct Measured {
    /// Checksums of the weights of the model and of the classifier: with others, all is measured anew.
    weights: [u32; 2],
    features: usize,
    /// Training pictures whose features were compared, and all whose pixels were.
    training: [usize; 2],
    test: Score,
    rows: Vec<Row>,
}

#[derive(Serialize, Deserialize)]
struct Row {
    sampler: String,
    steps: usize,
    guidance: f64,
    seconds: f64,
    score: Score,
}

pub async fn run(args: &Args) -> Outcome {
    let mut record = Record::read(&args.record)?;
    if let Some(data) = &args.data {
        output::has_place(&args.record)?;
        let opened = args.device.open().await?;
        for dir in &args.models {
            args.measure(dir, data, &opened, &mut record).await?;
        }
    }
    record.0.iter().for_each(|(name, measured)| measured.print(name));
    Ok(ExitCode::SUCCESS)
}

impl Args {
    /// Adds to `record` what it lacks of the model in `dir`.
    async fn measure(
        &self,
        dir: &Path,
        data: &Path,
        opened: &Opened,
        record: &mut Record,
    ) -> Result<(), Box<dyn Error>> {
        let name = dir.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let model = Pretrained::from_dir(dir, &opened.device)?;
        let folder = judge_of(dir, &model)?;
        let classifier = NoisyClassifier::from_dir(&folder, &opened.device)?;
        let pictures = Dataset::read(data, &folder, model.shape())?;
        let (n, reference) = (self.samples as usize, pictures.train.len() / 2);
        let judge = watched(reference, "training pictures looked at", |watch| {
            Judge::new(&classifier, &opened.device, &pictures.train, reference, watch)
        })?;

        let weights = [checksum(&dir.join("unet"))?, checksum(&folder)?];
        let test = watched(n, "test pictures judged", |watch| judge.score(&pictures.test.first(n), watch))?;
        let measured = record.0.remove(&name).filter(|known| known.weights == weights);
        let rows = measured.map_or(Vec::new(), |known| known.rows);
        let training = [reference, pictures.train.len()];
        let known = Measured { weights, features: judge.features(), training, test, rows };
        record.0.insert(name.clone(), known);

        for settings in self.wanted()? {
            let known = record.0.get_mut(&name).ok_or("the model was just noted")?;
            if known.rows.iter().any(|row| row.is(&settings) && row.score.pictures == n) {
                continue;
            }
            let (samples, seconds) = draw_watched(&model, &settings, (n, &pictures.train), opened).await?;
            let score = watched(n, "samples judged", |watch| judge.score(&samples, watch))?;
            known.rows.retain(|row| !row.is(&settings));
            let Settings { sampler, steps, guidance, .. } = settings;
            known.rows.push(Row { sampler, steps, guidance, seconds, score });
            record.write(&self.record)?;
        }
        Ok(())
    }

    /// The settings of every row, those with few steps first.
    fn wanted(&self) -> Result<Vec<Settings>, Box<dyn Error>> {
        let mut wanted = Vec::new();
        let mut want = |sampler: &str, steps: usize, guidance: f64| {
            let mut settings = Settings { seed: 0, ..Settings::default() };
            for (key, value) in
                [("sampler", sampler), ("steps", &*steps.to_string()), ("guidance", &*guidance.to_string())]
            {
                settings.set(key, value)?;
            }
            if !wanted.contains(&settings) {
                wanted.push(settings);
            }
            Ok::<_, Box<dyn Error>>(())
        };
        for &steps in &self.steps {
            self.samplers.iter().try_for_each(|sampler| want(sampler, steps, 1.0))?;
        }
        if let Some(first) = self.samplers.first() {
            self.guidance.iter().try_for_each(|&scale| want(first, 10, scale))?;
        }
        Ok(wanted)
    }
}

impl Record {
    /// The record in a file; an empty one where there is no file.
    fn read(path: &Path) -> Result<Self, Box<dyn Error>> {
        if !path.exists() {
            return Ok(Self::default());
        }
        let text = fs::read_to_string(path).map_err(|e| format!("cannot read {}: {e}", path.display()))?;
        serde_json::from_str(&text)
            .map_err(|e| format!("{} is no record of measures ({e}); move it away", path.display()).into())
    }

    fn write(&self, path: &Path) -> Result<(), Box<dyn Error>> {
        Ok(output::text(path, &(serde_json::to_string_pretty(self)? + "\n"))?)
    }
}

impl Row {
    fn is(&self, settings: &Settings) -> bool {
        (&self.sampler, self.steps, self.guidance) == (&settings.sampler, settings.steps, settings.guidance)
    }
}

impl Measured {
    /// The tables of one model.
    fn print(&self, name: &str) {
        let [reference, training] = self.training;
        output::line(format_args!("### {name}\n"));
        output::line(format_args!(
            "{} features; {reference} training pictures as reference, {training} as neighbours; k = {NEIGHBOURS}.\n",
            self.features
        ));
        output::line(
            "| sampler | steps | guidance | samples | distance | accuracy | precision | recall | nearest | memorised |",
        );
        output::line("|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|");
        output::line(format_args!("| test pictures | | | {} |", self.cells(&self.test)));
        let mut rows: Vec<_> = self.rows.iter().collect();
        rows.sort_by(|a, b| {
            a.guidance.total_cmp(&b.guidance).then_with(|| (a.steps, &a.sampler).cmp(&(b.steps, &b.sampler)))
        });
        for Row { sampler, steps, guidance, score, .. } in rows {
            output::line(format_args!("| `{sampler}` | {steps} | {guidance} | {} |", self.cells(score)));
        }
        output::line("");
        for quick in ["dpmpp-2m", "unipc-bh2"] {
            if let (Some(quick_one), Some(slow)) = (self.unguided(quick, 10), self.unguided("ddim", 20)) {
                let verdict = if quick_one.frechet < slow.frechet { "beats" } else { "does not beat" };
                output::line(format_args!(
                    "`{quick}` with 10 steps ({:.3}) {verdict} `ddim` with 20 ({:.3}).",
                    quick_one.frechet, slow.frechet
                ));
            }
        }
        output::line("");
    }

    fn unguided(&self, sampler: &str, steps: usize) -> Option<&Score> {
        let mut rows = self.rows.iter();
        rows.find(|row| row.sampler == sampler && row.steps == steps && row.guidance == 1.0).map(|row| &row.score)
    }

    fn cells(&self, score: &Score) -> String {
        let percent = |share: f64| format!("{:.1} %", 100.0 * share);
        [
            score.pictures.to_string(),
            format!("{:.3}", score.frechet),
            score.accuracy.map_or(String::new(), percent),
            percent(score.precision),
            percent(score.recall),
            format!("{:.3}", score.distance / self.test.distance),
            percent(score.memorised),
        ]
        .join(" | ")
    }
}

/// The checksum of the weights in the folder `dir`.
fn checksum(dir: &Path) -> Result<u32, String> {
    let path = dir.join("diffusion_pytorch_model.safetensors");
    let bytes = fs::read(&path).map_err(|e| format!("cannot read {}: {e}", path.display()))?;
    let mut crc = Crc::new();
    crc.update(&bytes);
    Ok(crc.sum())
}
