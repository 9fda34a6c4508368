//! The module of the page's main thread: the catalogue, the links and the rules of fit, without a network.
//!
//! A link that begins with `#lab` carries the lab's settings, any other those of a run. No value that JavaScript gives
//! makes these functions throw: what cannot be used is named among the problems.

mod branch;
mod catalogue;
mod grid;
mod made;
mod model;
mod race;
mod show;
mod start;
mod walk;

use super::{Settings, given, taken};
use crate::lab;
use crate::math::Spacing;
use crate::picture::{self, Placing};
use crate::settings::{self, Defaults, Levels, Link, Linked, Page, Problem, Value};
use catalogue::Catalogue;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use tsify::{Ts, Tsify};
use wasm_bindgen::prelude::*;

/// A row of `models/index.json`; its other fields are passed over.
#[derive(Deserialize, Tsify)]
pub struct Listed {
    id: String,
    #[serde(default)]
    #[tsify(type = "Settings")]
    defaults: Defaults,
    #[serde(default)]
    #[tsify(type = "object | null")]
    classifier: Option<IgnoredAny>,
    /// What tells it what to draw.
    #[serde(default)]
    #[tsify(optional, type = "\"none\" | \"classes\" | \"text\"")]
    conditioning: Option<String>,
}

#[derive(Deserialize, Tsify)]
pub struct Models(Vec<Listed>);

/// What the rules of fit must know of a loaded model.
#[derive(Deserialize, Tsify)]
#[tsify(missing_as_null)]
pub struct Facts {
    classes: usize,
    null_class: Option<usize>,
    /// Whether it reads texts.
    #[serde(default)]
    #[tsify(optional)]
    text: bool,
    /// Whether it draws latents.
    #[serde(default)]
    #[tsify(optional)]
    latent: bool,
    /// The least side of its pictures and what their sides are multiples of.
    #[serde(default)]
    #[tsify(optional, type = "[number, number] | null")]
    sizes: Option<[usize; 2]>,
}

/// How a link is to be written.
#[derive(Default, Deserialize, Tsify)]
pub struct LinkOptions {
    /// For somebody else: without the language, and the whole page.
    #[tsify(optional)]
    #[serde(default)]
    share: bool,
    /// Of what decides the pictures alone, without the page's own keys.
    #[tsify(optional)]
    #[serde(default)]
    run: bool,
    #[tsify(optional, type = "\"lab\"")]
    #[serde(default)]
    view: Option<String>,
}

/// Settings, and what could not be used of what was given.
#[derive(Serialize, Tsify)]
#[tsify(missing_as_null, hashmap_as_object)]
pub struct Checked {
    settings: Settings,
    #[tsify(type = "Problem[]")]
    problems: Vec<Named>,
}

#[wasm_bindgen(typescript_custom_section)]
const PROBLEM: &str = r#"
/** A value that could not be used. `code` says why, `used` what stands in its place; the other fields fill the sentence of the code. */
export interface Problem {
    key: string;
    value: string;
    code: "range" | "whole" | "one-of" | "name" | "form" | "schedule" | "no-knob" | "no-cfgpp" | "cfgpp-scale" | "plain-scale" | "start" | "class" | "no-guidance" | "no-classifier" | "no-text" | "no-classes" | "long" | "size" | "size-multiple" | "one-size" | "latent-clip" | "cells" | "frames" | "no-blend" | "blend-classifier" | "whole-way" | "legs" | "leg-step" | "leg" | "unknown-key" | "repaired";
    /** In English. */
    message: string;
    used: Value | null;
    [more: string]: unknown;
}
"#;

#[derive(Serialize)]
struct Named {
    message: String,
    #[serde(flatten)]
    problem: Problem,
}

impl From<Problem> for Named {
    fn from(problem: Problem) -> Self {
        Self { message: problem.to_string(), problem }
    }
}

impl<S: Linked> From<settings::Checked<S>> for Checked {
    fn from(settings::Checked { settings, page, problems }: settings::Checked<S>) -> Self {
        let record = settings.record(&page).into_iter().map(|(key, value)| (key.to_owned(), value));
        Self { settings: Settings(record.collect()), problems: problems.into_iter().map(Named::from).collect() }
    }
}

impl Models {
    fn listed(self) -> Vec<settings::Listed> {
        let listed = |Listed { id, defaults, classifier, conditioning }| settings::Listed {
            id,
            defaults,
            classifier: classifier.is_some(),
            text: conditioning.map(|conditioning| conditioning == "text"),
        };
        self.0.into_iter().map(listed).collect()
    }
}

impl From<Facts> for settings::Facts {
    fn from(Facts { classes, null_class, text, latent, sizes }: Facts) -> Self {
        Self { classes, null_class, text, latent, sizes }
    }
}

/// What a form needs: the rows of the settings tables, the samplers and the schedules.
#[wasm_bindgen]
pub fn catalogue() -> Result<Ts<Catalogue>, JsValue> {
    given(&Catalogue::new())
}

/// Reads a link, a whole address or only its hash, for these models.
#[wasm_bindgen]
pub fn read_link(link: &str, models: Ts<Models>) -> Result<Ts<Checked>, JsValue> {
    given(&match Link::new(link).view {
        Some(_) => Checked::from(lab::Settings::read_link(link)),
        None => settings::Settings::read_link(link, &taken(&models)?.listed()).into(),
    })
}

/// Settings as the hash of a link, which reads back to them.
#[wasm_bindgen]
pub fn write_link(settings: Ts<Settings>, options: Option<Ts<LinkOptions>>) -> Result<String, JsValue> {
    let pairs = taken(&settings)?.pairs();
    let LinkOptions { share, run, view } = options.map(|options| taken(&options)).transpose()?.unwrap_or_default();
    let shared = |page: Page| match (run, share) {
        (true, _) => Page::default(),
        (false, true) => page.shared(),
        (false, false) => page,
    };
    if view.is_some() {
        let settings::Checked { settings, page, .. } = lab::Settings::checked(pairs);
        return Ok(settings.write_link(&shared(page)));
    }
    let settings::Checked { settings, page, .. } = settings::Settings::checked(pairs, &[], None);
    Ok(settings.write_link(&shared(page)))
}

/// Whether a link says what to draw, and not only in which language or where.
#[wasm_bindgen]
pub fn is_run(link: &str) -> bool {
    let link = Link::new(link);
    link.view.is_none() && settings::TABLE.iter().any(|row| row.always && link.has(row.key))
}

/// Changes one setting as a person does; `null` puts it back to what the model starts with. A value that cannot be used
/// leaves the settings as they are and is named.
#[wasm_bindgen]
pub fn change(
    settings: Ts<Settings>,
    key: &str,
    #[wasm_bindgen(unchecked_param_type = "Value | null")] value: JsValue,
    models: Ts<Models>,
    facts: Option<Ts<Facts>>,
) -> Result<Ts<Checked>, JsValue> {
    let models = taken(&models)?.listed();
    let value: Option<Value> = serde_wasm_bindgen::from_value(value)?;
    let settings::Checked { settings, page, .. } = settings::Settings::checked(taken(&settings)?.pairs(), &[], None);
    given(&settings.change(page, (key, value), &models, known(facts)?).into())
}

/// The same of the lab's settings.
#[wasm_bindgen]
pub fn change_lab(
    settings: Ts<Settings>,
    key: &str,
    #[wasm_bindgen(unchecked_param_type = "Value | null")] value: JsValue,
) -> Result<Ts<Checked>, JsValue> {
    let value: Option<Value> = serde_wasm_bindgen::from_value(value)?;
    let settings::Checked { settings, page, .. } = lab::Settings::checked(taken(&settings)?.pairs());
    given(&settings.change(page, (key, value)).into())
}

/// Makes settings fit these models and the loaded one.
#[wasm_bindgen]
pub fn fit(settings: Ts<Settings>, models: Ts<Models>, facts: Option<Ts<Facts>>) -> Result<Ts<Checked>, JsValue> {
    let (pairs, models) = (taken(&settings)?.pairs(), taken(&models)?.listed());
    given(&settings::Settings::checked(pairs, &models, known(facts)?).into())
}

fn known(facts: Option<Ts<Facts>>) -> Result<Option<settings::Facts>, JsValue> {
    facts.map(|facts| taken(&facts).map(settings::Facts::from)).transpose()
}

/// The two spacings that the setting `schedule` blends, as it has them; none where it is no blend.
#[wasm_bindgen]
pub fn schedule_parts(schedule: &str) -> Vec<String> {
    match schedule.parse() {
        Ok(Levels::Spaced(Spacing::Blend { of, .. })) => of.iter().map(Spacing::to_string).collect(),
        _ => Vec::new(),
    }
}

/// The size of the pictures of these settings, by a model whose own size this is.
#[wasm_bindgen]
pub fn size_of(settings: Ts<Settings>, size: Ts<Size>) -> Result<Ts<Size>, JsValue> {
    let settings::Checked { settings, .. } = settings::Settings::checked(taken(&settings)?.pairs(), &[], None);
    let own = taken(&size)?;
    let [height, width] = settings.size.unwrap_or([own.height, own.width]);
    given(&Size { height, width, ..own })
}

/// A picture `[height, width, rgba]` as a model of this size takes it, `[height, width, channels]`: laid on the background, and
/// brought to the size as the setting `placing` says, by which it is else cut in the middle.
#[wasm_bindgen]
pub fn fit_picture(
    rgba: &[u8],
    width: usize,
    height: usize,
    size: Ts<Size>,
    placing: Option<String>,
) -> Result<Vec<u8>, JsValue> {
    let size = taken(&size)?;
    let rgb = picture::flatten(rgba, size.background);
    let shape = [size.channels, size.height, size.width];
    Ok(picture::fit(&rgb, [height, width], shape, placed(placing), size.background))
}

/// A mask `[height, width, rgba]` as a model of this size takes it, `[height, width]`: luminance times alpha, fitted as
/// pictures are.
#[wasm_bindgen]
pub fn fit_mask(
    rgba: &[u8],
    width: usize,
    height: usize,
    size: Ts<Size>,
    placing: Option<String>,
) -> Result<Vec<u8>, JsValue> {
    let size = taken(&size)?;
    let rgb = picture::flatten(rgba, [0; 3]);
    Ok(picture::fit(&rgb, [height, width], [1, size.height, size.width], placed(placing), [0; 3]))
}

/// What the setting `placing` says; what cannot be read is as if nothing was said.
fn placed(placing: Option<String>) -> Placing {
    placing.and_then(|text| text.parse().ok()).unwrap_or(Placing::MIDDLE)
}

/// The size of a model's pictures, and what transparent parts are laid on.
#[derive(Serialize, Deserialize, Tsify)]
pub struct Size {
    channels: usize,
    height: usize,
    width: usize,
    /// Red, green and blue; black where there is none.
    #[serde(default)]
    #[tsify(optional)]
    background: [u8; 3],
}
