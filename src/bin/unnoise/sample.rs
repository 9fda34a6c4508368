use crate::Outcome;
use crate::animate::Animate;
use crate::attention::{self, Maps};
use crate::device::{Device, load};
use crate::hashes;
use crate::linked::Linked;
use crate::output::{self, Trace};
use crate::settings_args::{Except, SettingsArgs};
use clap::Args as ClapArgs;
use futures_util::StreamExt;
use indicatif::{ProgressBar, ProgressStyle};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::process::ExitCode;
use unnoise::dataset::pictures::{self, Format, PictureError};
use unnoise::models::classifier::NoisyClassifier;
use unnoise::picture;
use unnoise::pipeline::Pipeline;
use unnoise::provenance::{Made, Part};
use unnoise::session::{self, Files, Given, Helpers, Phase, Timing};
use unnoise::settings::{Checked, Facts, Link, Problem, Settings};
use unnoise::words::count;

#[derive(ClapArgs)]
pub struct Args {
    #[command(flatten)]
    from: Linked,
    #[command(flatten)]
    settings: SettingsArgs<ModelFolder>,
    /// Start from this picture, fitted to the model's size and laid on its background, instead of noise alone; `--strength`
    /// says how much of the run it goes through [default strength: 0.6]
    #[arg(long, value_name = "PNG")]
    image: Option<PathBuf>,
    /// Keep the part of the picture that is white here; transparent is black
    #[arg(long, value_name = "PNG", requires = "image")]
    mask: Option<PathBuf>,
    /// A worse model of the same data that guidance pushes away from (autoguidance), by the guidance scale
    #[arg(long, value_name = "DIR")]
    worse: Option<PathBuf>,
    /// The classifier of `--classifier`, a folder with config.json and its weights [default: the one that the model's card
    /// names; default scale: 1]
    #[arg(long, value_name = "DIR")]
    classifier_model: Option<PathBuf>,
    /// Print the run as a Python script for diffusers instead of making it
    #[arg(long, conflicts_with_all = ["worse", "classifier_model", "frames", "trace", "attention", "out"])]
    python: bool,
    /// Where the network runs
    #[arg(long, value_enum, default_value_t = Device::Cpu)]
    device: Device,
    /// The pictures on one sheet
    #[arg(long, value_name = "PNG", default_value = "grid.png")]
    out: PathBuf,
    /// Leave out of the PNG how it was made
    #[arg(long)]
    no_metadata: bool,
    /// Also write each step's x_t and estimate of x_0 as sheets into this folder
    #[arg(long, value_name = "DIR")]
    frames: Option<PathBuf>,
    #[command(flatten)]
    animate: Animate,
    /// Also write x, denoised, t, alpha and sigma of each step
    #[arg(long, value_name = "SAFETENSORS")]
    trace: Option<PathBuf>,
    /// Also write where each step looked in the prompt: a sheet of maps of its words, averaged over the steps (PNG), or the maps
    /// of every token and step (safetensors)
    #[arg(long, value_name = "PNG|SAFETENSORS")]
    attention: Option<PathBuf>,
}

/// `--model` is a folder here, and `--from` a picture; a branch is `--set from=…`.
pub struct ModelFolder;

impl Except for ModelFolder {
    const KEYS: &'static [&'static str] = &["model", "from"];
}

pub async fn run(mut args: Args) -> Outcome {
    [Some(&args.out), args.trace.as_ref()].into_iter().flatten().try_for_each(|path| output::has_place(path))?;
    args.attention.as_ref().map_or(Ok(()), |path| attention::check(path))?;
    args.from.read()?;
    let folder = args.from.folder()?;
    let (model, opened) = load(&folder, args.device).await?;
    let [channels, ..] = model.picture();
    if !matches!(channels, 1 | 3 | 4) {
        let channels = count(channels, "channel");
        return Err(format!("a PNG has 1, 3 or 4 channels, and this model's images have {channels}").into());
    }
    let beside = model.card.classifier.as_ref().map(|name| folder.with_file_name(name));
    let classifier = args.classifier_model.clone().or(beside);
    let settings = args.settings(&model, &folder, classifier.is_some())?;
    let shape = model.picture_of(&settings);
    if args.python {
        let [image, mask] = [&args.image, &args.mask].map(|path| path.as_ref().map(|path| path.display().to_string()));
        let folder = folder.display().to_string();
        let files = Files { folder: &folder, image: image.as_deref(), mask: mask.as_deref() };
        output::line(session::script(&model, &settings, files)?.trim_end());
        return Ok(ExitCode::SUCCESS);
    }
    let worse = args.worse.as_ref().map(|dir| Pipeline::from_dir(dir, &opened.device)).transpose()?;
    let classifier = classifier.filter(|_| settings.classifier > 0.0);
    let classifier = classifier.map(|dir| NoisyClassifier::from_dir(&dir, &opened.device)).transpose()?;
    let placing = settings.placing;
    let of_picture = Format { shape, range: model.card.range, background: model.card.background, placing };
    let of_mask = Format { shape: [1, shape[1], shape[2]], range: [0.0, 1.0], background: [0; 3], placing };
    let bar = ProgressBar::new(1000)
        .with_style(ProgressStyle::with_template("{bar:30} {msg} · {eta} left").expect("the template is constant"));
    let phase = |phase| {
        bar.set_message(match phase {
            Phase::Text => "reading the prompt",
            Phase::Decoding => "decoding",
        });
    };
    let given = Given {
        watch: Some(&phase),
        picture: args.image.as_ref().map(|path| one(path, of_picture)).transpose()?,
        kept: args.mask.as_ref().map(|path| one(path, of_mask)).transpose()?,
        helpers: Helpers { worse: worse.as_ref(), classifier: classifier.as_ref() },
        attention: args.attention.is_some(),
        ..Given::default()
    };
    let tokens = model.tokens(&settings.prompt_of(&settings.prompt));
    if args.attention.is_some() && tokens.is_none() {
        return Err(
            "this model reads no prompt, so there is nothing that it looks at in one; leave --attention out".into()
        );
    }
    let mut maps = Maps::new(tokens.map_or(Vec::new(), |tokens| tokens.words));
    for (what, text) in [("prompt", &settings.prompt), ("negative prompt", &settings.negative)] {
        let left_out = model.tokens(&settings.prompt_of(text)).map_or(Vec::new(), |tokens| tokens.left_out);
        if !left_out.is_empty() {
            eprintln!("warning: the {what} is too long, so this is left out: {}", left_out.join(" "));
        }
    }
    if let Some(dir) = &args.frames {
        output::create_dir(dir)?;
    }

    let mut recorder = args.animate.recorder(settings.images, shape)?;
    let mut trace = args.trace.as_ref().map(|_| Trace::default());
    let mut last = (Vec::new(), 0, Timing::default());
    let mut frames = pin!(model.frames(&settings, given));
    while let Some(frame) = frames.next().await {
        let frame = frame?;
        bar.set_position((1e3 * frame.done) as u64);
        let of = frame.steps.map_or(String::new(), |steps| format!(" of {steps}"));
        let pace = frame.timing.total.as_secs_f64() * 1e3 / frame.step.max(1) as f64;
        bar.set_message(format!("step {}{of} · {pace:.0} ms a step", frame.step));
        let (x, denoised) = frame.pixels(shape, model.card.range);
        if let Some(dir) = &args.frames {
            output::frames(dir, frame.step, &x, denoised.as_deref(), shape)?;
        }
        if let Some(recorder) = &mut recorder {
            recorder.push(&frame, &x, denoised.as_deref());
        }
        last = (x, frame.step, frame.timing);
        maps.push(frame.attention.clone());
        if let Some(trace) = &mut trace {
            trace.push(frame);
        }
    }
    bar.finish_and_clear();
    let (pixels, steps, timing) = last;
    let name = Linked::name_of(&folder);
    let link = settings.to_link_of(model.facts());
    let sheet = picture::sheet(&pixels, shape);
    // A link that can name no folder draws nothing elsewhere.
    let told = name.is_ok() && !args.no_metadata;
    let weights = (told || args.from.knows_weights()).then(|| hashes::of_weights(&folder)).transpose();
    let weights = weights.unwrap_or_else(|e| {
        eprintln!("warning: the weights cannot be hashed, so nothing is said of them: {e}");
        None
    });
    let weights = weights.unwrap_or_default();
    args.from.compare(&weights);
    let made = told.then(|| Made { settings: &settings, link: &link, weights: &weights, part: Part::default() });
    match made {
        Some(made) => output::png_made(&args.out, sheet, shape[0], made)?,
        None => output::png(&args.out, sheet, shape[0])?,
    }
    if let Some(recorder) = recorder {
        output::line(recorder.write(made, &link)?.display());
    }
    if let (Some(path), Some(trace)) = (&args.trace, trace) {
        trace.write(path, settings.images, model.shape_of(&settings))?;
    }
    if let Some(path) = &args.attention {
        output::line(maps.write(path, &pixels, shape)?);
    }
    output::line(summary(settings.images, steps, timing));
    let link = match name {
        Ok(_) => link,
        Err(folder) => format!("no link, as none can name the folder {}", folder.display()),
    };
    output::line(format_args!("{} · {} · {link}", args.out.display(), opened.adapter));
    Ok(ExitCode::SUCCESS)
}

/// The values of one picture.
fn one(path: &Path, format: Format) -> Result<Vec<f32>, PictureError> {
    Ok(pictures::read_one(path, &format)?.into_iter().map(|v| v as f32).collect())
}

fn summary(images: usize, steps: usize, timing: Timing) -> String {
    let total = timing.total.as_secs_f64();
    let share = |part: std::time::Duration| 100.0 * part.as_secs_f64() / total;
    format!(
        "{}, {}, {} in {total:.2} s: {:.1} ms a step, {:.1} % in calls of the network, {:.1} % in reading back",
        count(images, "image"),
        count(steps, "step"),
        count(timing.evaluations, "evaluation"),
        total * 1e3 / steps.max(1) as f64,
        share(timing.network),
        share(timing.read),
    )
}

impl Args {
    /// Whether the link or an option says this.
    fn says(&self, key: &str) -> bool {
        Link::new(self.from.text()).has(key) || self.settings.pairs.iter().any(|(known, _)| known == key)
    }

    /// The link's settings, or where it is silent those that the model starts with, changed by the options. What cannot be used
    /// of a link is named, as on the page; an option that cannot be used is refused.
    fn settings(
        &self,
        model: &Pipeline,
        folder: &Path,
        has_classifier: bool,
    ) -> Result<Settings, Box<dyn std::error::Error>> {
        let mut facts = model.facts();
        if self.worse.is_some() {
            // Autoguidance evaluates no unlabelled output.
            facts = Facts { null_class: facts.null_class.or(Some(facts.classes)), ..facts };
        }
        let Checked { mut settings, page, mut problems, .. } = Settings::linked_to(&model.preset()?, self.from.text());
        let views = [
            (page.walk.is_some(), "walk", "`unnoise walk --link` draws it"),
            (page.race.is_some(), "race", "`unnoise compare` measures one"),
            (page.x.is_some() || page.y.is_some(), "grid", "`unnoise grid --link` draws it"),
        ];
        for (_, view, elsewhere) in views.into_iter().filter(|(has, ..)| *has) {
            eprintln!("warning: the link's {view} is left out; {elsewhere}");
        }
        problems.extend(settings.fit(&[], Some(facts)));
        problems.extend(settings.fit_classifier(has_classifier));
        for problem in problems {
            eprintln!("warning: the link: {problem}");
        }
        if let Ok(name) = Linked::name_of(folder) {
            settings.model = name;
        }
        settings.take_all(self.settings.pairs.clone())?;
        if self.classifier_model.is_some() && !self.says("classifier") {
            settings.classifier = 1.0;
        }
        // A network that fills holes makes them anew, as its pipeline in diffusers does.
        if self.image.is_some() && !self.says("strength") && model.network.hole() == 0 {
            settings.strength = Settings::START_STRENGTH;
        }
        if self.image.is_none() && settings.start.picture().is_none() && settings.strength < 1.0 {
            return Err("strength is the share of the run that changes a start picture; give one with --image".into());
        }
        if self.image.is_none() && self.settings.pairs.iter().any(|(key, _)| key == "placing") {
            return Err("placing is how a start picture is brought to the model's size; give one with --image".into());
        }
        let refused: Option<Problem> = settings.fit_classifier(has_classifier);
        refused.map_or(Ok(()), Err)?;
        let asked = self.settings.pairs.iter();
        let steps = asked.clone().find(|(key, _)| key == "steps").map(|(_, value)| value.to_string());
        let listed = settings.schedule.steps().map(|steps| steps.to_string());
        if let (Some(steps), Some(listed)) = (steps, listed)
            && steps != listed
        {
            return Err(format!("the schedule lists {listed} levels, so steps cannot be {steps}; leave one out").into());
        }
        let idle = settings.idle(asked.map(|(key, _)| key.as_str()), Some(facts), self.worse.is_some());
        idle.map_or(Ok(()), Err)?;
        Ok(settings.fitted(Some(facts))?)
    }
}
