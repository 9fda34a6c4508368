//! The table of a run's settings, and that of the page's own keys.

use super::model::model_name;
use super::problem::{Reason, prompt, unknown_sampler};
use super::table::{Row, Shown, choice, name, names, set};
use super::{Clip, Page, Preview, Settings, Source, Weighting, size};
use crate::samplers::{method, methods};
use std::str::FromStr;

/// More classes than any model has.
const MOST_CLASSES: i64 = 1 << 20;

/// What decides the pictures of a run, in the order of a link. The parameters of the sampler come after these, from its
/// [`knobs`](crate::samplers::Method::knobs).
pub const TABLE: &[Row<Settings>] = &[
    Row::<Settings>::text("model", |s| s.model.clone(), set!(model, model_name))
        .about("Name of the model's folder, or hub:OWNER/NAME@REVISION")
        .section("main")
        .always(),
    Row::<Settings>::text("prompt", |s| s.prompt.clone(), set!(prompt, prompt))
        .about("What to draw, in words")
        .section("main")
        .shown(Shown::Field)
        .needs("text")
        .free(),
    Row::<Settings>::text("negative", |s| s.negative.clone(), set!(negative, prompt))
        .about("What to keep away from, in words")
        .section("main")
        .shown(Shown::Field)
        .needs("text")
        .free(),
    Row::<Settings>::number("blend", Settings::SHARE, |s| s.blend, |s, share| s.blend = share)
        .about("Share of the way from the prompt to blend-prompt, or from the class to blend-class")
        .section("more")
        .slider(0.01)
        .needs("guidance"),
    Row::<Settings>::text("blend-prompt", |s| s.blend_prompt.clone(), set!(blend_prompt, prompt))
        .about("The prompt that blend is the share of the way to")
        .section("more")
        .shown(Shown::Field)
        .needs("text")
        .free(),
    Row::<Settings>::whole(
        "blend-class",
        [0, MOST_CLASSES],
        |s| s.blend_class as i64,
        |s, class| s.blend_class = class as usize,
    )
    .about("The class that blend is the share of the way to")
    .section("more")
    .needs("classes"),
    Row::<Settings>::choice(
        "weighting",
        || names(&Weighting::ALL),
        |s| name(&Weighting::ALL, &s.weighting),
        set!(weighting, |text: &str| choice(text, &Weighting::ALL)),
    )
    .about("Whether brackets of the prompts are weights: (a), [a] and (a:1.3), as AUTOMATIC1111's web UI reads them")
    .section("more")
    .needs("text"),
    Row::<Settings>::choice(
        "sampler",
        || methods::<f64>().iter().map(|m| m.id).collect(),
        |s| s.sampler.clone(),
        |s, text| {
            let id = method::<f64>(text).ok_or_else(|| unknown_sampler(text))?.id;
            // Parameters belong to one sampler.
            if s.sampler != id {
                s.knobs.clear();
            }
            s.sampler = id.to_owned();
            Ok(())
        },
    )
    .about("Sampler id, such as ddim or dpmpp-2m")
    .section("main")
    .always(),
    Row::<Settings>::whole(
        "steps",
        [*Settings::STEPS.start() as i64, *Settings::STEPS.end() as i64],
        |s| s.steps as i64,
        |s, steps| s.steps = steps as usize,
    )
    .about("Number of steps; a listed schedule has its own")
    .section("main")
    .slider(1.0)
    .needs("grid")
    .always(),
    Row::<Settings>::text("schedule", |s| s.schedule.to_string(), set!(schedule, str::parse))
        .about("Spacing of the noise levels, such as trailing, karras:5 or custom:14.6,3,0.5; model is that of the model's scheduler")
        .section("main")
        .always(),
    Row::<Settings>::whole("seed", [0, u32::MAX as i64], |s| s.seed.into(), |s, seed| s.seed = seed as u32)
        .about("Seed of the first image; the next ones have the numbers after it")
        .section("main")
        .always(),
    Row::<Settings>::number("variation", Settings::SHARE, |s| s.variation, |s, share| s.variation = share)
        .about("Share of the way from the noise of the seed to that of variation-seed, on the sphere: 1 is that seed's picture")
        .section("more")
        .slider(0.01),
    Row::<Settings>::whole(
        "variation-seed",
        [0, u32::MAX as i64],
        |s| s.variation_seed.into(),
        |s, seed| s.variation_seed = seed as u32,
    )
    .about("Seed that the noise of the first image varies towards; the next ones have the numbers after it")
    .section("more"),
    Row::<Settings>::whole(
        "images",
        [*Settings::IMAGES.start() as i64, *Settings::IMAGES.end() as i64],
        |s| s.images as i64,
        |s, images| s.images = images as usize,
    )
    .about("Number of images")
    .section("main")
    .slider(1.0)
    .always(),
    Row::<Settings>::text("size", |s| size::write(s.size), set!(size, size::read))
        .about("Width and height of a picture, such as 96x64")
        .section("more")
        .shown(Shown::Field)
        .needs("sizes"),
    Row::<Settings>::text("class", |s| s.class.to_string(), set!(class, str::parse))
        .about("Class number, all, or none")
        .section("main")
        .shown(Shown::Select)
        .needs("classes")
        .always(),
    Row::<Settings>::number("guidance", Settings::GUIDANCE, |s| s.guidance, |s, scale| s.guidance = scale)
        .about("Classifier-free guidance scale; 1 is none")
        .section("main")
        .slider_to(0.1, Settings::SLIDER_END)
        .needs("guidance")
        .always(),
    Row::<Settings>::text("guide", |s| s.guide.to_string(), set!(guide, str::parse))
        .about("Kind of guidance: cfg, cfgpp, perp (away from the negative prompt), or perp- and the class to push away from")
        .section("more")
        .shown(Shown::Select)
        .needs("guidance"),
    Row::<Settings>::number(
        "perp-weight",
        Settings::PERPENDICULAR,
        |s| s.perp_weight,
        |s, weight| s.perp_weight = weight,
    )
    .about("How far perpendicular guidance pushes away from its second class or the negative prompt")
    .section("more")
    .slider_to(0.1, 2.0)
    .needs("guidance"),
    Row::<Settings>::number("rescale", Settings::SHARE, |s| s.rescale, |s, share| s.rescale = share)
        .about("Share of the contrast of guided estimates that is brought back to the unguided ones'")
        .section("more")
        .slider(0.05)
        .needs("guidance"),
    Row::<Settings>::number(
        "guidance-min",
        Settings::RATIO,
        |s| s.guidance_range[0],
        |s, nsr| s.guidance_range[0] = nsr,
    )
    .about("Least noise-to-signal ratio at which guidance acts")
    .section("more")
    .needs("guidance"),
    Row::<Settings>::number(
        "guidance-max",
        Settings::RATIO,
        |s| s.guidance_range[1],
        |s, nsr| s.guidance_range[1] = nsr,
    )
    .about("Largest noise-to-signal ratio at which guidance acts")
    .section("more")
    .needs("guidance"),
    Row::<Settings>::number("classifier", Settings::CLASSIFIER, |s| s.classifier, |s, scale| s.classifier = scale)
        .about("Scale of a classifier's gradient")
        .section("more")
        .slider_to(0.1, Settings::SLIDER_END)
        .needs("classifier"),
    Row::<Settings>::choice(
        "clip",
        || names(&Clip::ALL),
        |s| name(&Clip::ALL, &s.clip),
        set!(clip, |text: &str| choice(text, &Clip::ALL)),
    )
    .about("What becomes of estimates beyond the model's range")
    .section("more"),
    Row::<Settings>::choice(
        "noise",
        || names(&Source::ALL),
        |s| name(&Source::ALL, &s.noise),
        set!(noise, |text: &str| choice(text, &Source::ALL)),
    )
    .about("Where fresh noise comes from")
    .section("more")
    .needs("stochastic"),
    Row::<Settings>::number("strength", Settings::SHARE, |s| s.strength, |s, share| s.strength = share)
        .about("Share of the run that changes a start picture: 0 leaves it, 1 starts from noise alone")
        .section("start")
        .slider(0.05)
        .needs("picture"),
    Row::<Settings>::text("start", |s| s.start.to_string(), set!(start, str::parse))
        .about("The picture that the run begins with, as a link of the page carries it")
        .section("start"),
    Row::<Settings>::text("placing", |s| s.placing.to_string(), set!(placing, str::parse))
        .about("How a start picture of another shape is brought to the model's size: crop, crop:ACROSS,DOWN (0 to 1), margins or stretch")
        .section("start"),
    Row::<Settings>::choice(
        "preview",
        || names(&Preview::ALL),
        |s| name(&Preview::ALL, &s.preview),
        set!(preview, |text: &str| choice(text, &Preview::ALL)),
    )
    .about("How the steps of latents are shown: decoded, by a linear map that costs little, or as their number allows")
    .section("more")
    .needs("latent"),
    Row::<Settings>::text("from", |s| s.from.to_string(), set!(from, str::parse))
        .about("The step of another run that this one goes on from, with the settings of that run, as a link of the page has it")
        .section("page"),
];

const BACKEND: Row<Page> = Row::<Page>::choice(
    "backend",
    || names(&Page::BACKENDS),
    |page| name(&Page::BACKENDS, &page.backend),
    set!(backend, |text: &str| choice(text, &Page::BACKENDS)),
)
.section("page");

const LANG: Row<Page> = Row::<Page>::choice(
    "lang",
    || Page::LANGUAGES.to_vec(),
    |page| page.lang.unwrap_or_default().to_owned(),
    set!(lang, |text: &str| choice(text, &Page::LANGUAGES.map(|id| (id, Some(id))))),
)
.section("page");

const TOUR: Row<Page> = Row::<Page>::choice(
    "tour",
    || Page::STOPS.to_vec(),
    |page| page.tour.unwrap_or_default().to_owned(),
    set!(tour, |text: &str| choice(text, &Page::STOPS.map(|id| (id, Some(id))))),
)
.section("page");

const X: Row<Page> =
    Row::<Page>::text("x", |page| written(&page.x), set!(x, read)).section("page").shown(Shown::Own).free();

const Y: Row<Page> =
    Row::<Page>::text("y", |page| written(&page.y), set!(y, read)).section("page").shown(Shown::Own).free();

fn written(value: &Option<impl ToString>) -> String {
    value.as_ref().map_or(String::new(), ToString::to_string)
}

fn read<T: FromStr<Err = Reason>>(text: &str) -> Result<Option<T>, Reason> {
    if text.is_empty() { Ok(None) } else { text.parse().map(Some) }
}

const BESIDE: Row<Page> = Row::<Page>::text("beside", |page| written(&page.beside), set!(beside, read)).section("page");

const WALK: Row<Page> = Row::<Page>::text("walk", |page| written(&page.walk), set!(walk, read)).section("page").free();

const RACE: Row<Page> = Row::<Page>::text("race", |page| written(&page.race), set!(race, read)).section("page");

const SHOW: Row<Page> = Row::<Page>::text("show", |page| written(&page.show), set!(show, read)).section("page");

/// `#bench` alone is enough.
const BENCH: Row<Page> = Row::<Page>::choice(
    "bench",
    || vec!["1"],
    |page| if page.bench { "1" } else { "" }.to_owned(),
    set!(bench, |text: &str| choice(if text.is_empty() { "1" } else { text }, &[("1", true)])),
)
.section("page");

const EMBED: Row<Page> = Row::<Page>::choice(
    "embed",
    || vec!["1"],
    |page| if page.embed { "1" } else { "" }.to_owned(),
    set!(embed, |text: &str| choice(text, &[("1", true)])),
)
.section("page");

/// The page's own keys: they decide no picture.
pub const PAGE: &[Row<Page>] = &[BACKEND, LANG, SHOW, BESIDE, X, Y, RACE, WALK, BENCH, EMBED];

/// The same in the lab, which has a guided tour.
pub const LAB_PAGE: &[Row<Page>] = &[BACKEND, LANG, TOUR];
