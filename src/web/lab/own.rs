//! Readers of points of one's own.

use super::array;
use crate::lab::Cloud;
use crate::lab::data::{CsvError, Own, OwnError, points_of, read_csv};
use crate::web::fault::{fault, fault_with, none, one};
use crate::web::given;
use js_sys::Float32Array;
use serde::Serialize;
use tsify::{Ts, Tsify};
use wasm_bindgen::prelude::*;

/// Points with the class of each.
#[derive(Serialize, Tsify)]
pub struct LabelledPoints {
    points: Vec<[f64; 2]>,
    labels: Vec<u8>,
}

/// How many there are, and how many there may be.
#[derive(Serialize)]
struct TooMany {
    got: usize,
    most: usize,
}

/// The points of pasted text.
#[wasm_bindgen]
pub fn lab_csv(text: &str) -> Result<Ts<LabelledPoints>, JsValue> {
    let own = read_csv(text).map_err(|e| match e {
        CsvError::Points(e) => own_fault(e),
        e => fault_with("csv", &e.to_string(), one("line", e.line())),
    })?;
    labelled(&own)
}

/// The points that a link keeps.
#[wasm_bindgen]
pub fn lab_unpack(text: &str) -> Result<Ts<LabelledPoints>, JsValue> {
    labelled(&Own::unpack(text).map_err(own_fault)?)
}

/// Points drawn from the darkness of a picture of grey levels: `x, y, x, y, ..`.
#[wasm_bindgen]
pub fn lab_image(gray: &[u8], width: usize, height: usize, count: usize, seed: u32) -> Result<Float32Array, JsValue> {
    let count = count.min(Own::MOST);
    let cloud = points_of(gray, (width, height), count, seed);
    Ok(array(&cloud.map_err(|e| fault_with("image", &e.to_string(), none()))?))
}

/// Points of one's own as the link keeps them.
#[wasm_bindgen]
pub fn lab_pack(points: &[f32], labels: Option<Vec<u8>>) -> Result<String, JsValue> {
    let own = Own::new(&Cloud::from_f32(points).0, &labels.unwrap_or_default());
    Ok(own.map_err(own_fault)?.pack())
}

fn labelled(own: &Own) -> Result<Ts<LabelledPoints>, JsValue> {
    given(&LabelledPoints { points: own.points().x.0.clone(), labels: own.points().label.clone() })
}

fn own_fault(e: OwnError) -> JsValue {
    let message = e.to_string();
    let many = |got, most| Some(TooMany { got, most });
    match e {
        OwnError::Empty => fault_with("points-none", &message, none()),
        OwnError::TooMany { got } => fault_with("points-many", &message, many(got, Own::MOST)),
        OwnError::Classes { got } => fault_with("points-classes", &message, many(got, Own::CLASSES)),
        // No form of the page makes these.
        e @ (OwnError::NotFinite { .. } | OwnError::Unequal { .. } | OwnError::Packed) => fault("lab", &e),
    }
}
