mod latent;

use crate::Outcome;
use crate::device::Device;
use crate::output::{self, Trace};
use clap::Args as ClapArgs;
use indicatif::{ProgressBar, ProgressStyle};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use unnoise::dataset::pictures::{self, Format, PictureError};
use unnoise::models::Pretrained;
use unnoise::models::classifier::NoisyClassifier;
use unnoise::picture;
use unnoise::session::{self, Frame, Given, Helpers, Timing};
use unnoise::settings::{Problem, Settings};

#[derive(ClapArgs)]
pub struct Args {
    /// A share link of the page, quoted; the options below change what it says.
    #[arg(long)]
    link: Option<String>,
    /// Model folder in the diffusers layout [default: models/NAME of the link, or models/fashion-mnist]
    #[arg(long, value_name = "DIR")]
    model: Option<PathBuf>,
    /// Sampler id, such as ddim or dpmpp-2m [default: the model's, or dpmpp-2m]
    #[arg(long, value_name = "ID")]
    sampler: Option<String>,
    /// Number of steps, 1 to 1000; a custom schedule has its own [default: the model's, or 20]
    #[arg(long, value_name = "N")]
    steps: Option<String>,
    /// Spacing of the noise levels, such as trailing, karras:5 or custom:14.6,3,0.5 [default: the model's, or trailing]
    #[arg(long, value_name = "SPACING")]
    schedule: Option<String>,
    /// Seed of the first image; the next ones have the numbers after it [default: the model's, or 7]
    #[arg(long, value_name = "N")]
    seed: Option<String>,
    /// Number of images, 1 to 64 [default: the model's, or 16]
    #[arg(long, value_name = "N")]
    images: Option<String>,
    /// Class number, all, or none [default: the model's, or all]
    #[arg(long, value_name = "CLASS")]
    class: Option<String>,
    /// Classifier-free guidance scale, 0 to 20; 1 is none [default: the model's, or 2]
    #[arg(long, value_name = "SCALE")]
    guidance: Option<String>,
    /// The text to draw, for a folder with a text encoder
    #[arg(long, value_name = "TEXT")]
    prompt: Option<String>,
    /// The text to keep away from
    #[arg(long, value_name = "TEXT")]
    negative: Option<String>,
    /// Any other key of a link, such as order=3, churn=40, rescale=0.7 or noise=brownian; may be given often
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Start from this picture instead of noise alone; `--set strength=0.6` says how much of the run it goes through
    #[arg(long, value_name = "PNG")]
    image: Option<PathBuf>,
    /// Keep the part of the picture that is white here
    #[arg(long, value_name = "PNG", requires = "image")]
    mask: Option<PathBuf>,
    /// A worse model of the same kind to lead away from (autoguidance), by the guidance scale
    #[arg(long, value_name = "DIR")]
    worse: Option<PathBuf>,
    /// A classifier of noisy pictures to be led by, a folder with config.json and its weights; `--set classifier=2` says how
    /// far, and without a folder asks the one that the model's card names [default scale: 1]
    #[arg(long, value_name = "DIR")]
    classifier: Option<PathBuf>,
    /// Print the run as a Python script for diffusers instead of making it
    #[arg(long)]
    python: bool,
    /// Where the network runs
    #[arg(long, value_enum, default_value_t = Device::Cpu)]
    device: Device,
    /// The pictures on one sheet
    #[arg(long, value_name = "PNG", default_value = "grid.png")]
    out: PathBuf,
    /// Also write each step's x_t and estimate of x_0 as sheets into this folder
    #[arg(long, value_name = "DIR")]
    frames: Option<PathBuf>,
    /// Also write x, denoised, t, alpha and sigma of each step
    #[arg(long, value_name = "SAFETENSORS")]
    trace: Option<PathBuf>,
}

pub async fn run(args: Args) -> Outcome {
    [Some(&args.out), args.trace.as_ref()].into_iter().flatten().try_for_each(|path| output::has_place(path))?;
    let folder = args.folder();
    if latent::is_meant(&args, &folder) {
        return latent::run(&args, &folder).await;
    }
    let opened = args.device.open().await?;
    let model = Pretrained::from_dir(&folder, &opened.device)?;
    let settings = args.settings(&session::preset(&model)?)?;
    if args.python {
        output::line(session::script(&model, &settings, &folder.display().to_string())?.trim_end());
        return Ok(ExitCode::SUCCESS);
    }
    let shape = model.shape();
    let worse = args.worse.as_ref().map(|dir| Pretrained::from_dir(dir, &opened.device)).transpose()?;
    let beside = model.card.classifier.as_ref().map(|name| folder.with_file_name(name));
    let classifier = args.classifier.clone().or(beside).filter(|_| settings.classifier > 0.0);
    let classifier = classifier.map(|dir| NoisyClassifier::from_dir(&dir, &opened.device)).transpose()?;
    let given = Given {
        picture: args
            .image
            .as_ref()
            .map(|path| one(path, Format { shape, range: model.card.range, background: model.card.background }))
            .transpose()?,
        classes: None,
        kept: args
            .mask
            .as_ref()
            .map(|path| one(path, Format { shape: [1, shape[1], shape[2]], range: [0.0, 1.0], background: [0; 3] }))
            .transpose()?,
        helpers: Helpers { worse: worse.as_ref(), classifier: classifier.as_ref() },
    };
    if let Some(dir) = &args.frames {
        output::create_dir(dir)?;
    }

    let bar = ProgressBar::new(1000)
        .with_style(ProgressStyle::with_template("{bar:30} {msg} · {eta} left").expect("the template is constant"));
    let mut trace = args.trace.as_ref().map(|_| Trace::default());
    let mut last = (Vec::new(), 0, Timing::default());
    let mut failure = None;
    let each = async |frame: Frame| {
        let Timing { total, .. } = frame.timing;
        bar.set_position((1e3 * frame.done) as u64);
        let of = frame.steps.map_or(String::new(), |steps| format!(" of {steps}"));
        let pace = total.as_secs_f64() * 1e3 / frame.step.max(1) as f64;
        bar.set_message(format!("step {}{of} · {pace:.0} ms a step", frame.step));
        let (x, denoised) = frame.pixels(shape, model.card.range);
        if let Some(dir) = &args.frames
            && let Err(e) = output::frames(dir, frame.step, &x, denoised.as_deref(), shape)
        {
            failure = Some(e);
            return ControlFlow::Break(());
        }
        last = (x, frame.step, frame.timing);
        if let Some(trace) = &mut trace {
            trace.push(frame);
        }
        ControlFlow::Continue(())
    };
    let end = session::run(&model, &settings, given, &opened.device, each).await?;
    bar.finish_and_clear();
    if let (ControlFlow::Break(()), Some(e)) = (end, failure) {
        return Err(e.into());
    }
    let (pixels, steps, timing) = last;
    output::png(&args.out, picture::sheet(&pixels, shape), shape[0])?;
    if let (Some(path), Some(trace)) = (&args.trace, trace) {
        trace.write(path, settings.images, shape)?;
    }
    output::line(summary(settings.images, steps, timing));
    output::line(format_args!("{} · {} · {}", args.out.display(), opened.adapter, settings.to_link()));
    Ok(ExitCode::SUCCESS)
}

/// The values of one picture.
fn one(path: &Path, format: Format) -> Result<Vec<f32>, PictureError> {
    let values = pictures::read(path, 1, &format)?;
    Ok(values.into_iter().flatten().map(|v| v as f32).collect())
}

fn summary(images: usize, steps: usize, timing: Timing) -> String {
    let total = timing.total.as_secs_f64();
    format!(
        "{images} images, {steps} steps, {} evaluations in {total:.2} s: {:.1} ms a step, {:.2} % of it outside the network",
        timing.evaluations,
        total * 1e3 / steps.max(1) as f64,
        100.0 * (1.0 - timing.network.as_secs_f64() / total)
    )
}

impl Args {
    /// The model's folder: the given one, or the one that the link names.
    fn folder(&self) -> PathBuf {
        let linked = || Path::new("models").join(Settings::from_link(self.link()).0.model);
        self.model.clone().unwrap_or_else(linked)
    }

    fn link(&self) -> &str {
        self.link.as_deref().unwrap_or_default()
    }

    /// The link's settings, or where it is silent those that the model starts with, changed by the options. A bad value in
    /// a link is only said, as the page does; a bad option is an error.
    fn settings(&self, preset: &Settings) -> Result<Settings, Problem> {
        let (mut settings, problems) = Settings::from_link_to(preset, self.link());
        for problem in problems {
            eprintln!("warning: the link: {problem}; the default is used");
        }
        if let Some(name) = self.model.as_deref().and_then(Path::file_name) {
            // Of a folder that no link could name, the link that is printed at the end says nothing.
            let _ = settings.set("model", &name.to_string_lossy());
        }
        let Self { sampler, steps, schedule, seed, images, class, guidance, .. } = self;
        for (key, value) in [
            ("sampler", sampler),
            ("steps", steps),
            ("schedule", schedule),
            ("seed", seed),
            ("images", images),
            ("class", class),
            ("guidance", guidance),
        ] {
            if let Some(value) = value {
                settings.set(key, value)?;
            }
        }
        for pair in &self.set {
            settings.set_pair(pair)?;
        }
        if self.classifier.is_some() && settings.classifier == 0.0 {
            settings.classifier = 1.0;
        }
        settings.fitted()
    }
}
