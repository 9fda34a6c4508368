use crate::Outcome;
use crate::device::{Device, load};
use crate::linked::Linked;
use crate::measured::{bar, stated, watched};
use crate::output;
use crate::settings_args::pair;
use clap::Args as ClapArgs;
use serde_json::json;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;
use unnoise::backend::Opened;
use unnoise::eval::quality::{Album, Albums, Floor, NEIGHBOURS, Reference, Score, samples};
use unnoise::eval::{Control, Likelihood, Pictures};
use unnoise::models::classifier::NoisyClassifier;
use unnoise::picture;
use unnoise::pipeline::Pipeline;
use unnoise::session::SessionError;
use unnoise::settings::{Settings, Value};
use unnoise::words::count;

/// Fréchet distance, accuracy, precision, recall and memorisation of samples, each beside the figure of real test pictures.
/// The features are those of a small classifier trained on the same data, not of Inception, so the distance is no FID and
/// compares only with distances by the same classifier.
#[derive(ClapArgs)]
pub struct Args {
    /// Model folder in the diffusers layout
    #[arg(long, value_name = "DIR", default_value = "models/fashion-mnist")]
    model: PathBuf,
    /// Folder of the pictures that the model was trained on, and of the test pictures
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Classifier whose features are compared [default: the one that the model's card names]
    #[arg(long, value_name = "DIR")]
    classifier: Option<PathBuf>,
    /// Samples to draw; fewer are the first of more
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(4..))]
    samples: u32,
    /// Training pictures whose features the samples' are compared with, the first ones [default: half of them]
    #[arg(long, value_name = "N")]
    reference: Option<usize>,
    /// Sampler id
    #[arg(long, value_name = "ID", default_value = "dpmpp-2m")]
    sampler: String,
    /// Number of steps, 1 to 1000
    #[arg(long, value_name = "N", default_value = "10")]
    steps: String,
    /// Spacing of the noise levels
    #[arg(long, value_name = "SPACING", default_value = "trailing")]
    schedule: String,
    /// Classifier-free guidance scale, 0 to 20; 1 is none
    #[arg(long, value_name = "SCALE", default_value = "1")]
    guidance: String,
    /// Seed of the first sample; the next ones have the numbers after it
    #[arg(long, value_name = "N", default_value = "0")]
    seed: String,
    /// Any other key of a link, such as order=3; may be given often
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    set: Vec<(String, Value)>,
    /// Also the bits per dimension of the first N test pictures, about a minute each
    #[arg(long, value_name = "N", default_value_t = 0)]
    likelihood: usize,
    /// Where the networks run
    #[arg(long, value_enum, default_value_t = Device::Cpu)]
    device: Device,
    /// Also write everything that is printed, for machines
    #[arg(long, value_name = "JSON")]
    json: Option<PathBuf>,
    /// Also the samples that lie nearest to a training picture, each above its three nearest ones
    #[arg(long, value_name = "PNG")]
    neighbours: Option<PathBuf>,
}

pub async fn run(args: &Args) -> Outcome {
    let settings = args.settings()?;
    [&args.json, &args.neighbours].into_iter().flatten().try_for_each(|path| output::has_place(path))?;
    let (model, opened) = load(&args.model, args.device).await?;
    let folder = args.classifier.clone().map_or_else(|| classifier_of(&args.model, &model), Ok)?;
    let classifier = NoisyClassifier::from_dir(&folder, &opened.device)?;
    let data = Albums::read(&args.data, &folder, model.picture_of(&settings))?;
    let reference = args.reference.unwrap_or(data.train.len() / 2).min(data.train.len());

    let known = watched(reference, "training pictures seen", |watch| {
        Reference::new(&classifier, &opened.device, &data.train, reference, watch)
    })?;
    let n = args.samples as usize;
    let (drawn, seconds) = draw_watched(&model, &settings, (n, &data.train)).await?;
    let score = watched(n, "samples scored", |watch| known.score(&drawn, watch))?;
    let floor = watched(data.test.len(), "test pictures scored", |watch| known.floor(&data.test, n, watch))?;
    let bits = bits(&model, &data.test.first(args.likelihood), &opened)?;

    if let Some(path) = &args.neighbours {
        let (bytes, columns) = samples::beside_nearest(&known, &drawn, &data.train);
        output::png(path, picture::rows(&bytes, drawn.shape, columns), drawn.shape[0])?;
    }
    if let Some(path) = &args.json {
        let all = json!({
            "model": args.model, "classifier": folder, "features": known.features(), "data": args.data,
            "settings": settings.to_link(), "reference": reference, "training": data.train.len(),
            "samples": score, "test": floor, "bits_per_dim": bits, "seconds": seconds,
        });
        output::text(path, &(serde_json::to_string_pretty(&all)? + "\n"))?;
    }
    print(&score, &floor);
    if !bits.is_empty() {
        let pictures = count(bits.len(), "test picture");
        output::line(format_args!("{:36} {:>12} bits/dim, {pictures}", "likelihood", stated(&bits)));
    }
    output::line(format_args!(
        "\nFréchet distance of {} features of {}, no FID, from the first {reference} training pictures; precision and\n\
         recall with {NEIGHBOURS} neighbours, among as many of them as pictures; nearest of all {} training pictures.",
        known.features(),
        folder.display(),
        data.train.len(),
    ));
    output::line(format_args!("{seconds:.0} s of sampling · {} · {}", opened.adapter, settings.to_link()));
    Ok(ExitCode::SUCCESS)
}

impl Args {
    fn settings(&self) -> Result<Settings, Box<dyn Error>> {
        let mut settings = Settings::default();
        let Self { sampler, steps, schedule, guidance, seed, .. } = self;
        let pairs =
            [("sampler", sampler), ("steps", steps), ("schedule", schedule), ("guidance", guidance), ("seed", seed)];
        let pairs = pairs.map(|(key, value)| (key.to_owned(), Value::from(&**value)));
        if let Ok(name) = Linked::name_of(&self.model) {
            settings.model = name;
        }
        settings.take_all(pairs.into_iter().chain(self.set.iter().cloned()).collect())?;
        Ok(settings.fitted(None)?)
    }
}

/// [`samples::draw`] behind a bar, and the seconds it took.
pub async fn draw_watched(
    model: &Pipeline,
    settings: &Settings,
    (n, training): (usize, &Album),
) -> Result<(Album, f64), SessionError> {
    let (began, bar) = (Instant::now(), bar(n, "samples"));
    let mut watch = |done: f64| bar.set_position(done as u64);
    let drawn = samples::draw(model, settings, (n, training), &mut watch).await?;
    bar.finish_and_clear();
    Ok((drawn, began.elapsed().as_secs_f64()))
}

/// The folder of the classifier that the card of the model in `dir` names.
pub fn classifier_of(dir: &Path, model: &Pipeline) -> Result<PathBuf, String> {
    let name = model.card.classifier.as_ref();
    name.map(|name| dir.with_file_name(name))
        .ok_or_else(|| format!("unnoise.json in {} names no classifier; name one with --classifier DIR", dir.display()))
}

/// Bits per dimension of each picture of `album`, given its class, with one probe of the divergence.
fn bits(model: &Pipeline, album: &Album, opened: &Opened) -> Result<Vec<f64>, Box<dyn Error>> {
    let likelihood = Likelihood::new(&model.schedule, Control::Tolerance(1e-4));
    let bar = bar(100 * album.len(), "% of a picture");
    let each = (0..album.len()).map(|i| {
        let label = album.labels.get(i).copied().filter(|_| model.classes() > 0);
        let pictures = Pictures::new(model, label, &opened.device)?;
        let values = picture::from_bytes(album.picture(i), album.shape, model.card.range);
        let values: Vec<f64> = values.into_iter().map(f64::from).collect();
        let mut watch = |part: f64| bar.set_position((100.0 * (i as f64 + part)) as u64);
        Ok(pictures.likelihood(&likelihood, &values, (i as u64, 1), &mut watch)?.bits_per_dimension)
    });
    let found = each.collect();
    bar.finish_and_clear();
    found
}

/// The figures of the samples beside those of the test pictures.
fn print(score: &Score, floor: &Floor) {
    let line = |name: &str, of: &dyn Fn(&Score) -> String| {
        output::line(format_args!("{name:36} {:>12} {:>14}", of(score), of(&floor.mean)));
    };
    let percent = |share: f64| format!("{:.1} %", 100.0 * share);
    output::line(format_args!("{:36} {:>12} {:>14}", "", "samples", "test pictures"));
    line("pictures", &|s| s.pictures.to_string());
    line("Fréchet distance", &|s| format!("{:.3}", s.frechet));
    if let Some(deviation) = floor.deviation {
        output::line(format_args!("{:36} {:>12} {:>14}", "  from set to set", "", format!("± {deviation:.3}")));
    }
    line("accuracy", &|s| s.accuracy.map_or("-".to_owned(), percent));
    line("precision", &|s| percent(s.precision));
    line("recall", &|s| percent(s.recall));
    line("nearest training picture, levels", &|s| format!("{:.2}", s.distance));
    line("  over that of the test pictures", &|s| format!("{:.3}", s.distance / floor.mean.distance));
    line("memorised", &|s| percent(s.memorised));
}
