//! Failures as JavaScript gets them: an `Error` whose message is one sentence, with a `code` and the `values` that fill
//! the page's own sentence for that code.

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

/// No values, for a code that has a sentence without any.
pub fn none() -> Option<std::collections::BTreeMap<&'static str, u32>> {
    Some([].into())
}
