//! Latent diffusion in the page's worker.

use super::objects::{LabFrame, LatentCurve, LatentFrame, Reached};
use super::{Lab, LabRun, array, run_fault};
use crate::lab::{Autoencoder, Cloud, CloudNoise, Distances};
use crate::math::noise::node_seed;
use crate::web::stream::Frames;
use crate::web::{given, object};
use async_stream::try_stream;
use futures_util::StreamExt;
use js_sys::Float32Array;
use std::pin::pin;
use tsify::Ts;
use wasm_bindgen::prelude::*;

/// The stream of seeds of the data that samples are compared with.
const COMPARED: u64 = 6;

/// Points that the error of the reconstruction is averaged over.
const POINTS: usize = 4000;

#[wasm_bindgen]
impl Lab {
    /// The curve of the autoencoder, and how much of the data it keeps.
    pub fn latent(&self) -> Result<Ts<LatentCurve>, JsValue> {
        let scene = self.scene();
        let auto = scene.autoencoder();
        let error = auto.error(&scene.distribution.draw(POINTS, scene.settings.seed).x);
        given(&LatentCurve { curve: array(&auto.curve()), scale: auto.scale(), spread: auto.spread(), error })
    }

    /// The data of the settings as the decoder shows their latents.
    pub fn reconstructed(&self) -> Float32Array {
        let scene = self.scene();
        array(&scene.autoencoder().reconstruct(&scene.particles()))
    }

    /// The steps of the first pane's sampler in the plane, or, `within`, in the latent. The model is the exact one of either.
    pub fn latent_run(&self, within: bool) -> Result<LabRun, JsValue> {
        let scene = self.scene();
        let pane = scene.pane(1)?.clone();
        let n = scene.settings.particles;
        Ok(LabRun(Frames::new(try_stream! {
            let auto: &Autoencoder = scene.autoencoder();
            let plane = scene.stage(scene.distribution.mixture());
            let latent = crate::lab::run::Stage { narrowest: auto.narrowest(), model: auto, ..plane };
            let z = if within { CloudNoise::new(scene.settings.seed).draw(n.div_ceil(2)) } else { scene.noise() };
            let mut frames = pin!((if within { latent } else { plane }).frames(&pane, &z));
            while let Some(frame) = frames.next().await {
                let mut frame = frame.map_err(run_fault)?;
                if within {
                    let places = auto.placed(&frame.x, n, (&scene.process, frame.level));
                    frame.x = auto.decoded(&frame.x, n);
                    yield object(&LatentFrame::new(&frame, &scene.process, &places))?;
                } else {
                    yield object(&LabFrame::new(&frame, &scene.process))?;
                }
            }
        })))
    }

    /// The density of latents at every level, in cells: across by the latent, down from noise to data, each row up to its largest.
    pub fn latent_density(&self, cells: usize) -> Float32Array {
        let scene = self.scene();
        let values = scene.autoencoder().landscape(&scene.process, cells.clamp(1, 1024));
        Float32Array::from(&values[..])
    }

    /// How far points are off the curve, and from data.
    pub fn reached(&self, points: &[f32]) -> Result<Ts<Reached>, JsValue> {
        let scene = self.scene();
        let x = Cloud::from_f32(points);
        let data = scene.distribution.draw(x.0.len(), node_seed(scene.settings.seed.into(), COMPARED) as u32).x;
        let Distances { sliced_wasserstein, .. } = Distances::between(&x, &data);
        let auto = scene.autoencoder();
        given(&Reached { off: auto.error(&x), astray: auto.astray(&x), sliced_wasserstein })
    }
}
