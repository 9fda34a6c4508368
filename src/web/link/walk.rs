//! Walks, for the page.

use super::super::{Settings, given, taken};
use super::{Facts, Models, Named, known};
use crate::settings::{self, Linked};
use serde::Serialize;
use tsify::{Ts, Tsify};
use wasm_bindgen::prelude::*;

/// The frames of settings with a `walk`.
#[derive(Serialize, Tsify)]
#[tsify(missing_as_null, hashmap_as_object)]
pub struct Walk {
    /// What changes: `seed`, `prompt` or `class`; `null` without a walk.
    key: Option<&'static str>,
    /// As a link has each of them, and all of them as they were typed.
    stops: Vec<String>,
    typed: String,
    /// From one stop to the next.
    steps: usize,
    /// None where there is a problem.
    frames: Vec<WalkFrame>,
    #[tsify(type = "Problem | null")]
    problem: Option<Named>,
}

/// A run of a walk.
#[derive(Serialize, Tsify)]
#[tsify(hashmap_as_object)]
pub struct WalkFrame {
    settings: Settings,
    /// The stop that it is at or after, from 0 on.
    stop: usize,
    /// Of the way to the next stop: 0 at a stop.
    share: f64,
}

/// The setting `walk` through these stops, as they are typed.
#[wasm_bindgen]
pub fn write_walk(key: &str, stops: &str, steps: &str) -> String {
    settings::Walk::text(key, stops, steps)
}

/// The frames of the settings' walk, each a run of its own.
#[wasm_bindgen]
pub fn walk(settings: Ts<Settings>, models: Ts<Models>, facts: Option<Ts<Facts>>) -> Result<Ts<Walk>, JsValue> {
    let (models, facts) = (taken(&models)?.listed(), known(facts)?);
    let checked = settings::Settings::checked(taken(&settings)?.pairs(), &models, facts);
    let page = checked.page.of_run();
    let frame = |settings::Stop { settings, stop, share }: settings::Stop| {
        let record = settings.record(&page).into_iter().map(|(key, value)| (key.to_owned(), value));
        WalkFrame { settings: Settings(record.collect()), stop, share }
    };
    let (frames, problem) = match checked.walk(facts) {
        Ok(frames) => (frames.into_iter().map(frame).collect(), None),
        Err(problem) => (Vec::new(), Some(Named::from(problem))),
    };
    let walk = checked.page.walk.as_ref();
    given(&Walk {
        key: walk.map(|walk| walk.axis.key),
        stops: walk.map_or(Vec::new(), |walk| walk.axis.values.clone()),
        typed: walk.map_or(String::new(), |walk| walk.axis.typed().to_owned()),
        steps: walk.map_or(settings::Walk::STEPS, |walk| walk.steps),
        frames,
        problem,
    })
}
