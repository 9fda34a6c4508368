//! A race of samplers.

use super::{Engine, Settings, failures};
use crate::eval::comparison::{CompareError, Comparison, News};
use crate::eval::convergence::TaskError;
use crate::samplers::GaveUp;
use crate::session::SessionError;
use crate::web::fault::{fault, fault_with, none, one};
use crate::web::stream::Frames;
use crate::web::taken;
use async_stream::try_stream;
use futures_util::StreamExt;
use serde::Serialize;
use serde_bytes::ByteBuf;
use std::pin::pin;
use tsify::{Ts, Tsify};
use wasm_bindgen::prelude::*;

/// What a race has to say after a step.
#[derive(Serialize, Tsify)]
#[tsify(missing_as_null)]
pub struct RaceNews {
    /// Evaluations of the model so far, and of the whole race as far as that is known before.
    evaluations: usize,
    total: usize,
    /// Whether a limit is known from now on: that of `sampler`, or where it is `null` the end of the ODE, which all samplers have that draw
    /// no noise.
    limit: bool,
    /// Whose point or limit this is; `null` for a step on the way.
    sampler: Option<&'static str>,
    /// A point: the sampler was given at most so many evaluations,
    most: Option<usize>,
    /// took so many, or `null` where even one step takes more,
    taken: Option<usize>,
    /// and ended so far from its limit.
    distance: Option<f64>,
    images: usize,
    channels: usize,
    height: usize,
    width: usize,
    /// Its pictures, `[images, height, width, channels]`; those of latents by a linear map.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[tsify(optional, type = "Uint8Array")]
    x: Option<ByteBuf>,
}

/// A race under way. Nothing is computed ahead of the step that is awaited.
#[wasm_bindgen]
pub struct RaceRun(Frames);

#[wasm_bindgen]
impl RaceRun {
    /// The next step; `undefined` at the end.
    #[wasm_bindgen(unchecked_return_type = "RaceNews | undefined")]
    pub async fn next(&self) -> Result<JsValue, JsValue> {
        self.0.next().await
    }
}

#[wasm_bindgen]
impl Engine {
    /// The race of these settings, their key `race`, on the loaded model.
    pub fn race(&self, settings: Ts<Settings>) -> Result<RaceRun, JsValue> {
        let model = self.model()?;
        let (settings, page) = taken(&settings)?.complete_with_page(&model)?;
        let race = page.race.ok_or_else(|| {
            let message = "No race is set; name its samplers, as race: \"ddim,heun\" does.";
            fault_with("no-race", message, none())
        })?;
        let comparison =
            Comparison::of(&race, &settings, Some(model.facts())).map_err(|e| failures::session(e.into()))?;
        let total = comparison.cost(&model.schedule).map_err(failed)?.evaluations;
        let [channels, height, width] = model.picture_of(&settings);
        Ok(RaceRun(Frames::new(try_stream! {
            let mut evaluations = 0;
            let mut events = pin!(comparison.of_model(&model, &settings));
            while let Some(event) = events.next().await {
                let step = RaceNews {
                    evaluations, total, limit: false, sampler: None, most: None, taken: None, distance: None,
                    images: settings.images, channels, height, width, x: None,
                };
                let (news, x) = match event.map_err(failed)? {
                    News::Step { evaluations: now } => {
                        evaluations = now;
                        (RaceNews { evaluations, ..step }, None)
                    }
                    News::Limit { sampler, x } => (RaceNews { limit: true, sampler, ..step }, Some(x)),
                    News::Point { sampler, evaluations: most, found } => {
                        let (taken, distance) = found.as_ref().map(|f| (f.evaluations, f.distance)).unzip();
                        (RaceNews { sampler: Some(sampler), most: Some(most), taken, distance, ..step }, found.map(|f| f.x))
                    }
                };
                let x = match x {
                    Some(x) => Some(model.seen(&settings, x).await.map_err(failures::session)?.into()),
                    None => None,
                };
                yield crate::web::object(&RaceNews { x, ..news })?;
            }
        })))
    }
}

fn failed(e: CompareError) -> JsValue {
    let message = e.to_string();
    match e {
        CompareError::Session(e) => failures::session(e),
        CompareError::Task(TaskError::Backend(e)) => failures::backend(e),
        CompareError::Task(TaskError::Grid(e)) => failures::session(SessionError::Grid(e)),
        CompareError::Task(TaskError::GaveUp(GaveUp { attempts, .. })) => {
            fault_with("gave-up", &message, one("attempts", attempts))
        }
        e @ CompareError::NoSampler(_) => fault("run", &e),
    }
}
