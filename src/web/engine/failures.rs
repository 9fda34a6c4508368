//! What an engine's failures are called in JavaScript.

use crate::backend::BackendError;
use crate::math::GridError;
use crate::samplers::GaveUp;
use crate::session::SessionError;
use crate::web::fault::{fault_with, none, one};
use wasm_bindgen::prelude::*;

pub fn session(e: SessionError) -> JsValue {
    let message = e.to_string();
    match e {
        SessionError::Backend(e) => backend(e),
        SessionError::Setting(problem) => fault_with("setting", &message, Some(problem)),
        SessionError::Ended { step, .. } => fault_with("branch-ended", &message, one("step", step)),
        SessionError::NoLevels { step } => fault_with("branch-levels", &message, one("step", step)),
        SessionError::Apart { step } => fault_with("branch-apart", &message, one("step", step)),
        SessionError::NotFinite { step } => fault_with("not-finite", &message, one("step", step)),
        SessionError::NoPicture => fault_with("no-picture", &message, none()),
        SessionError::NoStrength => fault_with("no-strength", &message, none()),
        SessionError::NothingToClassify => fault_with("nothing-to-classify", &message, none()),
        SessionError::GaveUp(GaveUp { attempts, .. }) => fault_with("gave-up", &message, one("attempts", attempts)),
        SessionError::Grid(GridError::NotFalling { index, .. }) => {
            fault_with("not-falling", &message, one("index", index))
        }
        _ => fault_with("run", &message, None::<()>),
    }
}

pub fn backend(e: BackendError) -> JsValue {
    let message = e.to_string();
    match e {
        BackendError::NotCompiled { .. } => fault_with("backend", &message, None::<()>),
        BackendError::Unavailable(why) => fault_with("no-device", &message, one("why", why)),
        BackendError::Failed(why) => fault_with("device-failed", &message, one("why", why)),
        BackendError::Canvas(why) => fault_with("canvas", &message, one("why", why)),
    }
}
