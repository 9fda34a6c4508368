//! What the laboratory says without being opened: its catalogue, and its readers of links, text and pictures.

use crate::lab::data::{CsvError, Own, OwnError, points_of, read_csv, sets};
use crate::lab::process::Kind;
use crate::lab::settings::{OBJECTIVES, Pane};
use crate::lab::{Cloud, Settings};
use crate::samplers::{method, methods};
use crate::web::{error, pairs_json, problem_json};
use js_sys::Float32Array;
use serde_json::json;
use wasm_bindgen::prelude::*;

/// Keys whose values are words even where they look like numbers.
const WORDS: [&str; 2] = ["data", "points"];

/// What the page needs to build the laboratory's controls, JSON: data sets, processes, objectives, samplers, limits and defaults.
#[wasm_bindgen]
pub fn lab_catalogue() -> String {
    let ids = |all: &[&str]| all.iter().map(ToString::to_string).collect::<Vec<_>>();
    let theory = Pane::THEORY.map(|(id, row)| {
        let row = row.and_then(method::<f64>);
        let stochastic = row.as_ref().is_none_or(|row| row.stochastic);
        json!({"id": id, "name": row.map_or("Langevin dynamics", |row| row.name), "stochastic": stochastic, "family": "theory"})
    });
    let known = Pane::THEORY.map(|(id, _)| id);
    let rows = methods::<f64>().into_iter().filter(|row| !known.contains(&row.id));
    let rows =
        rows.map(|row| json!({"id": row.id, "name": row.name, "stochastic": row.stochastic, "family": row.family}));
    json!({
        "data": sets().iter().map(|set| json!({"id": set.id, "components": set.law().classes()})).collect::<Vec<_>>(),
        "processes": ids(&Kind::ALL.map(|(id, _)| id)),
        "objectives": ids(&OBJECTIVES.map(|(id, _)| id)),
        "samplers": theory.into_iter().chain(rows).collect::<Vec<_>>(),
        "limits": {
            "depth": [Settings::DEPTH.start(), Settings::DEPTH.end()],
            "width": [Settings::WIDTH.start(), Settings::WIDTH.end()],
            "lr": [Settings::LR.start(), Settings::LR.end()],
            "batch": [Settings::BATCH.start(), Settings::BATCH.end()],
            "ema": [Settings::EMA.start(), Settings::EMA.end()],
            "train-steps": [Settings::TRAIN_STEPS.start(), Settings::TRAIN_STEPS.end()],
            "train-seed": [0, u32::MAX],
            "steps": [Settings::STEPS.start(), Settings::STEPS.end()],
            "particles": [Settings::PARTICLES.start(), Settings::PARTICLES.end()],
            "seed": [0, u32::MAX],
            "guidance": [Settings::GUIDANCE.start(), Settings::GUIDANCE.end()],
            "clock": [Settings::CLOCK.start(), Settings::CLOCK.end()],
            "points": [1, Own::MOST],
            "place": [Settings::PLACE.start(), Settings::PLACE.end()],
            "places": [1, Settings::MOST_PLACES],
        },
        "defaults": pairs_json(Settings::default().pairs(), &WORDS),
    })
    .to_string()
}

/// Reads a link of the laboratory: JSON `{settings, problems}`.
#[wasm_bindgen]
pub fn lab_check(link: &str) -> String {
    let (settings, problems) = Settings::from_link(link);
    let problems: Vec<_> = problems.iter().map(problem_json).collect();
    json!({"settings": pairs_json(settings.pairs(), &WORDS), "problems": problems}).to_string()
}

/// The points of pasted text: JSON `{points: [[x, y], ..], labels: [..]}`.
#[wasm_bindgen]
pub fn lab_csv(text: &str) -> Result<String, JsValue> {
    let own = read_csv(text).map_err(|e| match e {
        CsvError::Points(e) => own_error(e),
        e => {
            let values = json!({"line": e.line()});
            error("csv", &e, Some(values))
        }
    })?;
    Ok(json!({"points": own.points().x.0, "labels": own.points().label}).to_string())
}

/// Points drawn from the darkness of a picture of grey levels.
#[wasm_bindgen]
pub fn lab_image(gray: &[u8], width: usize, height: usize, count: usize, seed: u32) -> Result<Float32Array, JsValue> {
    let count = count.min(Own::MOST);
    let cloud = points_of(gray, (width, height), count, seed).map_err(|e| error("image", &e, Some(json!({}))))?;
    Ok(Float32Array::from(&cloud.to_f32()[..]))
}

/// Points of one's own as the link keeps them.
#[wasm_bindgen]
pub fn lab_pack(points: &[f32], labels: Option<Vec<u8>>) -> Result<String, JsValue> {
    let own = Own::new(&Cloud::from_f32(points).0, &labels.unwrap_or_default());
    Ok(own.map_err(own_error)?.pack())
}

fn own_error(e: OwnError) -> JsValue {
    let (code, values) = match &e {
        OwnError::Empty => ("points-none", Some(json!({}))),
        OwnError::TooMany { got } => ("points-many", Some(json!({"got": got, "most": Own::MOST}))),
        OwnError::Classes { got } => ("points-classes", Some(json!({"got": got, "most": Own::CLASSES}))),
        // No form of the page makes these.
        OwnError::NotFinite { .. } | OwnError::Unequal { .. } | OwnError::Packed => ("lab", None),
    };
    error(code, &e, values)
}
