//! What a model's folder needs, before it is downloaded.

use super::super::fault::fault;
use super::super::given;
use super::super::source::{Files, JsSource};
use super::Engine;
use crate::pipeline::{Needs, Pipeline};
use serde::Serialize;
use tsify::{Ts, Tsify};
use wasm_bindgen::prelude::*;

/// What has to be read of a model's folder.
#[derive(Serialize, Tsify)]
pub struct Needed {
    /// The files of its weights.
    files: Vec<FileSize>,
    /// Of those.
    bytes: f64,
    /// Bytes that its weights take on the device.
    memory: f64,
}

#[derive(Serialize, Tsify)]
pub struct FileSize {
    path: String,
    bytes: f64,
}

#[wasm_bindgen]
impl Engine {
    /// What a model's folder needs, as far as its configurations and the headers of its weights say. The loaded model stays.
    pub async fn needs(&self, files: Files) -> Result<Ts<Needed>, JsValue> {
        let source = JsSource::new(files);
        let needs = Pipeline::needs(&source, &self.device).await;
        let Needs { files, bytes, memory } =
            needs.map_err(|e| source.thrown().unwrap_or_else(|| fault("model", &e)))?;
        let file = |(path, bytes)| FileSize { path, bytes: bytes as f64 };
        given(&Needed { files: files.into_iter().map(file).collect(), bytes: bytes as f64, memory: memory as f64 })
    }
}
