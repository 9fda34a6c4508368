//! Failures as JavaScript gets them: an `Error` whose message is one sentence, with a `code` and the `values` that fill
//! the page's own sentence for that code.

use crate::backend::BackendError;
use crate::math::GridError;
use crate::samplers::GaveUp;
use crate::session::SessionError;
use serde::Serialize;
use wasm_bindgen::prelude::*;

#[wasm_bindgen(typescript_custom_section)]
const FAULT: &str = r#"
/** What every rejected promise and every thrown error of this module is. */
export interface Fault extends Error {
    code: string;
    values?: Record<string, string | number>;
}
"#;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(extends = js_sys::Error)]
    type Fault;
    #[wasm_bindgen(method, setter)]
    fn set_code(this: &Fault, code: &str);
    #[wasm_bindgen(method, setter)]
    fn set_values(this: &Fault, values: JsValue);
}

/// A failure that names no values.
pub fn fault(code: &str, e: &dyn std::error::Error) -> JsValue {
    fault_with(code, &e.to_string(), None::<()>)
}

pub fn fault_with(code: &str, message: &str, values: Option<impl Serialize>) -> JsValue {
    let fault: Fault = js_sys::Error::new(message).unchecked_into();
    fault.set_code(code);
    // Numbers and texts always become an object.
    if let Some(values) = values.and_then(|values| super::object(&values).ok()) {
        fault.set_values(values);
    }
    fault.into()
}

/// The value of a sentence.
pub fn one<T>(name: &'static str, value: T) -> Option<std::collections::BTreeMap<&'static str, T>> {
    Some([(name, value)].into())
}

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
    }
}

/// No values, for a code that has a sentence without any.
pub fn none() -> Option<std::collections::BTreeMap<&'static str, u32>> {
    Some([].into())
}
