//! What saved pictures say of how they were made, for the page.

use super::super::{Settings, given, taken};
use crate::provenance::{self, Program};
use crate::settings::{self, Linked, Value};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use tsify::{Ts, Tsify};
use wasm_bindgen::prelude::*;

/// What of a run a picture shows, where it is not the last step of all its images.
#[derive(Default, Deserialize, Tsify)]
#[serde(default)]
pub struct Part {
    /// SHA-256 in hexadecimal of each file of weights, by its place in the model's folder; those that are known.
    #[tsify(optional, type = "Record<string, string>")]
    weights: BTreeMap<String, String>,
    #[tsify(optional)]
    step: Option<usize>,
    /// From 1 on.
    #[tsify(optional)]
    image: Option<usize>,
    /// What is to be seen of it, if it is not the point `x_t`: `denoised`, `grid`.
    #[tsify(optional)]
    shows: Option<String>,
}

/// What a picture says of how it was made.
#[derive(Serialize, Tsify)]
#[tsify(missing_as_null, hashmap_as_object)]
pub struct Found {
    #[tsify(type = "\"unnoise\" | \"a1111\" | \"comfy-ui\" | \"pipeline-call\"")]
    program: Program,
    /// A link that has what the picture says: the whole run of a picture of ours, otherwise the settings alone, without a model.
    link: String,
    /// Settings that those of another program have a place in here, whether or not their values do.
    #[tsify(type = "[string, Value][]")]
    settings: Vec<(String, Value)>,
    /// What has none, by its name there.
    left: Vec<(String, String)>,
    /// SHA-256 of each file of weights, of a picture of ours.
    #[tsify(type = "Record<string, string>")]
    weights: BTreeMap<String, String>,
    /// The step that a picture of ours shows, where it is not the last.
    step: Option<usize>,
}

/// SHA-256 by file.
#[derive(Deserialize, Tsify)]
pub struct Weights(#[tsify(type = "Record<string, string>")] BTreeMap<String, String>);

/// A PNG that says how it was made. Throws where the bytes are no PNG.
#[wasm_bindgen]
pub fn write_made(png: &[u8], settings: Ts<Settings>, part: Option<Ts<Part>>) -> Result<Vec<u8>, JsValue> {
    with_made(&settings, part, |made| Ok(made.into_png(png).map_err(JsError::from)?))
}

/// Texts by their keywords.
#[derive(Serialize, Tsify)]
pub struct Texts(Vec<(&'static str, String)>);

/// The texts of such a PNG alone, by their keywords.
#[wasm_bindgen]
pub fn made_texts(settings: Ts<Settings>, part: Option<Ts<Part>>) -> Result<Ts<Texts>, JsValue> {
    with_made(&settings, part, |made| given(&Texts(made.texts().into())))
}

fn with_made<T>(
    settings: &Ts<Settings>,
    part: Option<Ts<Part>>,
    make: impl FnOnce(provenance::Made<'_>) -> Result<T, JsValue>,
) -> Result<T, JsValue> {
    let settings::Checked { settings, page, .. } = settings::Settings::checked(taken(settings)?.pairs(), &[], None);
    let Part { weights, step, image, shows } = part.map(|part| taken(&part)).transpose()?.unwrap_or_default();
    let part = provenance::Part { step, image, shows: shows.as_deref() };
    let link = settings.write_link(&page.shared());
    make(provenance::Made { settings: &settings, link: &link, weights: &weights, part })
}

/// What a picture says, by this package or by another program; `null` where it is no PNG, or says nothing that is known here.
#[wasm_bindgen(unchecked_return_type = "Found | null")]
pub fn read_made(png: &[u8]) -> Result<JsValue, JsValue> {
    let Ok(Some(found)) = provenance::read(png) else { return Ok(JsValue::NULL) };
    let provenance::Found { program, link, settings, left, weights, step } = found;
    Ok(given(&Found { program, link, settings, left, weights, step })?.into())
}

/// The files whose weights are others here than those that a picture was made with, of those that both know.
#[wasm_bindgen]
pub fn other_weights(made: Ts<Weights>, here: Ts<Weights>) -> Result<Vec<String>, JsValue> {
    let (Weights(made), Weights(here)) = (taken(&made)?, taken(&here)?);
    Ok(provenance::other_weights(&made, &here).into_iter().map(str::to_owned).collect())
}
