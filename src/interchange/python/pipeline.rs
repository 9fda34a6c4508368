//! The script of a run that is a pipeline of diffusers as a whole: of those whose loop is not that of a network and a scheduler.

use super::text::{labels, named, place, python, seeded, tail};
use super::{Scripted, Unmapped};
use crate::interchange::diffusers;
use serde_json::Value;

/// A pipeline of diffusers, and what it is called with.
#[derive(Clone, Debug)]
pub struct Whole<'a> {
    pub class: &'a str,
    /// The prompt and the negative prompt, where it reads texts.
    pub texts: Option<[&'a str; 2]>,
    /// Whether the guidance scale is one of its network's inputs.
    pub embeds_guidance: bool,
    /// Height and width of a picture.
    pub size: [usize; 2],
    /// Where it fills a hole: the files of the picture and of the mask, which is white where the picture stays.
    pub hole: Option<(&'a str, Option<&'a str>)>,
}

/// The script: each picture of a call of its own, with its own generator.
pub(super) fn script(run: &Scripted<'_>, whole: &Whole<'_>) -> Result<String, Unmapped> {
    let class = whole.class;
    let refused = |why: &str| Err(Unmapped(format!("a {class} {why}")));
    let follows = match run.spacing {
        Some(_) => false,
        None => diffusers::scheduled(run.scheduler_config, run.steps)?.is_run_of(
            run.sampler,
            &run.tuning,
            run.scheduler_config,
        ),
    };
    if !follows || !run.clips_as_scheduler {
        return refused(
            "draws as the scheduler of its folder says; set schedule and clip to model, and take its sampler",
        );
    }
    let labels = labels(run);
    let guided = run.guidance != 1.0;
    match &whole.texts {
        Some(_) if run.guidance < 1.0 && !whole.embeds_guidance => return refused("guides by scales above 1 only"),
        None if guided && run.null_class.is_some() => return refused("has no guidance; set guidance to 1"),
        None if labels.is_some() && class != CONSISTENCY => return refused("takes no class labels"),
        None if run.size.is_some() || whole.size[0] != whole.size[1] => {
            return refused("draws squares of its own size only");
        }
        _ => {}
    }

    let more = if whole.texts.is_some() { " transformers" } else { "" };
    let ops = if whole.hole.is_some() { ", ImageOps" } else { "" };
    let mut loaded = place(run, false);
    loaded.push("torch_dtype=torch.float32".to_owned());
    loaded
        .extend(WITHOUT.iter().filter(|(start, _)| class.starts_with(start)).map(|(_, without)| (*without).to_owned()));
    // diffusers writes an index of this class in which it does not find the scheduler again.
    let lost = (class == "KarrasVePipeline").then_some("KarrasVeScheduler");
    let imports = lost.map_or(String::new(), |lost| format!(", {lost}"));
    loaded.extend(lost.map(|lost| {
        let folder = python(&Value::from(run.place.folder));
        format!("scheduler={lost}.from_pretrained({folder}, subfolder=\"scheduler\")")
    }));
    let mut lines = vec![
        format!("# pip install torch diffusers==0.42.1 pillow{more}"),
        "import torch".to_owned(),
        format!("from diffusers import {class}{imports}"),
        format!("from PIL import Image{ops}"),
        String::new(),
        format!("pipe = {class}.from_pretrained({})", loaded.join(", ")),
    ];
    let mut call = vec![format!("num_inference_steps={}", run.steps)];
    if let Some([prompt, negative]) = whole.texts {
        call.push(named("prompt", prompt));
        call.extend((!negative.is_empty()).then(|| named("negative_prompt", negative)));
        let [height, width] = whole.size;
        call.push(format!("guidance_scale={:?}, height={height}, width={width}", run.guidance));
    }
    if let Some((image, mask)) = whole.hole {
        let [height, width] = whole.size;
        let open = |file: &str| format!("Image.open({})", python(&Value::from(file)));
        lines.push(format!("image = ImageOps.fit({}.convert(\"RGB\"), ({width}, {height}))", open(image)));
        lines.push(match mask {
            // White is what stays.
            Some(mask) => {
                format!("mask = ImageOps.invert(ImageOps.fit({}.convert(\"L\"), ({width}, {height})))", open(mask))
            }
            None => format!("mask = Image.new(\"L\", ({width}, {height}), 255)"),
        });
        call.push("image=image, mask_image=mask, strength=1.0".to_owned());
    }
    if let Some(labels) = labels {
        lines.push(labels);
        call.push("class_labels=labels[i : i + 1]".to_owned());
    }
    lines.extend([
        "pictures = []".to_owned(),
        format!("for i in range({}):", run.labels.len()),
        format!("    generator = {}", seeded(run)),
        format!("    pictures += pipe({}, generator=generator).images", call.join(", ")),
        String::new(),
    ]);
    lines.extend(tail());
    Ok(lines.join("\n") + "\n")
}

/// The one of these pipelines that takes class labels.
const CONSISTENCY: &str = "ConsistencyModelPipeline";

/// What is left out of pipelines whose names begin so: what hides a picture, or writes into it.
const WITHOUT: &[(&str, &str)] = &[
    ("StableDiffusionPipeline", "safety_checker=None"),
    ("StableDiffusionInpaint", "safety_checker=None"),
    ("LatentConsistency", "safety_checker=None"),
    ("StableDiffusionXL", "add_watermarker=False"),
];
