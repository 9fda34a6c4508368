//! Branches of runs, for the page.

use super::super::{Settings, given, taken};
use super::Checked;
use crate::settings::{self, Linked, Value, Way};
use serde::Serialize;
use tsify::{Ts, Tsify};
use wasm_bindgen::prelude::*;

/// The legs of a run, the first one first.
#[derive(Serialize, Tsify)]
#[tsify(hashmap_as_object)]
pub struct Legs(Vec<Leg>);

/// A part of the way of a run that goes on from another one.
#[derive(Serialize, Tsify)]
#[tsify(hashmap_as_object)]
pub struct Leg {
    /// The step at which it begins, counted from the start of the whole way.
    step: usize,
    /// What differs from the leg before; of the first one the sampler and its steps.
    changes: Vec<Change>,
    /// Those of the run up to this leg, as if it went on to its end.
    settings: Settings,
}

#[derive(Serialize, Tsify)]
pub struct Change {
    key: &'static str,
    #[tsify(type = "Value")]
    value: Value,
}

/// Settings as a branch of a run that goes on from one of its steps. What decides where that run begins stays as it is there, and
/// each such difference is named. A problem of the key `from` says that there can be no such branch.
#[wasm_bindgen]
pub fn branch(settings: Ts<Settings>, run: Ts<Settings>, step: usize) -> Result<Ts<Checked>, JsValue> {
    let settings::Checked { settings, page, .. } = settings::Settings::checked(taken(&settings)?.pairs(), &[], None);
    let run = settings::Settings::checked(taken(&run)?.pairs(), &[], None).settings;
    let branched = settings.clone().branch(&run, step);
    given(&match branched {
        Ok(branched) => settings::Checked { page, ..branched }.into(),
        Err(problem) => Checked::from(settings::Checked { settings, page, problems: vec![problem] }),
    })
}

/// The legs of a run of these settings.
#[wasm_bindgen]
pub fn read_legs(settings: Ts<Settings>) -> Result<Ts<Legs>, JsValue> {
    let settings::Checked { settings, page, .. } = settings::Settings::checked(taken(&settings)?.pairs(), &[], None);
    let leg = |Way { step, changes, settings }: Way| Leg {
        step,
        changes: changes.into_iter().map(|(key, value)| Change { key, value }).collect(),
        settings: Settings(settings.record(&page).into_iter().map(|(key, value)| (key.to_owned(), value)).collect()),
    };
    given(&Legs(settings.ways().into_iter().map(leg).collect()))
}
