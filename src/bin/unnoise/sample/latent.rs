//! Pictures from the folder of a latent model, as its own scheduler draws them.

use super::Args;
use crate::{Outcome, output};
use std::path::Path;
use std::process::ExitCode;
use unnoise::backend;
use unnoise::models::folder::Directory;
use unnoise::picture;
use unnoise::pipeline::{Conditioning, Drawing, Pipeline};
use unnoise::settings::{Class, Settings};
use unnoise::words::count;

/// Where diffusers' pipelines start, by what the network is conditioned on.
const TEXT_GUIDANCE: f64 = 7.5;
const CLASS_GUIDANCE: f64 = 4.0;

/// The settings that act on a pipeline.
const ACTING: [&str; 5] = ["steps", "seed", "images", "class", "guidance"];

/// Whether the options ask for a pipeline's picture: the network of `folder` draws latents, or there is a prompt.
pub fn is_meant(args: &Args, folder: &Path) -> bool {
    let decoder = ["vae", "vqvae"].iter().any(|part| folder.join(part).is_dir());
    folder.join("model_index.json").exists() && decoder || args.prompt.is_some() || args.negative.is_some()
}

pub async fn run(args: &Args, folder: &Path) -> Outcome {
    for (option, given) in [
        ("--link", args.link.is_some()),
        ("--image", args.image.is_some()),
        ("--worse", args.worse.is_some()),
        ("--classifier-model", args.classifier_model.is_some()),
        ("--python", args.python),
        ("--frames", args.frames.is_some()),
        ("--trace", args.trace.is_some()),
    ] {
        if given {
            return Err(inert(option).into());
        }
    }
    if let Some((key, _)) = args.settings.pairs.iter().find(|(key, _)| !ACTING.contains(&&**key)) {
        return Err(inert(&format!("--{key}")).into());
    }
    let opened = args.device.open().await?;
    let mut pipeline = Pipeline::open(&Directory(folder), &opened.device).await?;
    let guidance = match pipeline.conditioning {
        Conditioning::None => 1.0,
        Conditioning::Classes { .. } => CLASS_GUIDANCE,
        Conditioning::Text(_) => TEXT_GUIDANCE,
    };
    let mut settings = Settings { images: 1, class: Class::None, guidance, ..Settings::default() };
    settings.take_all(args.settings.pairs.clone())?;
    let class = match settings.class {
        Class::One(class) => Some(class),
        Class::None => None,
        Class::All => return Err("--class all does not act on pipelines yet; give one class".into()),
    };
    let (steps, images, seed) = (settings.steps, settings.images, settings.seed);
    let conditions = pipeline.conditions(args.prompt.as_deref(), args.negative.as_deref(), class, images)?;
    if !conditions.left_out.is_empty() {
        eprintln!("warning: the prompt is too long, so this is left out: {}", conditions.left_out.join(" "));
    }
    // The network has what the text encoder made.
    pipeline.conditioning = Conditioning::None;
    let drawing = Drawing { guidance: settings.guidance, steps, seed, images };
    let drawn = pipeline.draw(&conditions, &drawing, &opened.device)?;
    let values = backend::read(pipeline.latents.decode(drawn)).await?;
    if values.iter().any(|v| !v.is_finite()) {
        return Err("the picture has values that are not finite; try another seed or fewer steps".into());
    }
    let shape = pipeline.picture();
    let sheet = picture::sheet(&picture::to_bytes(&values, shape, [-1.0, 1.0]), shape);
    output::png(&args.out, sheet, shape[0])?;
    output::line(format_args!(
        "{} · {} · {}, {}, seed {seed}",
        args.out.display(),
        opened.adapter,
        count(images, "image"),
        count(steps, "step")
    ));
    Ok(ExitCode::SUCCESS)
}

/// Why an option is refused.
fn inert(option: &str) -> String {
    format!("{option} does not act on pipelines yet, which their own scheduler draws; leave it out")
}
