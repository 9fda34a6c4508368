//! A run that is drawn on canvases.

use super::{Engine, Given, Run, Settings, failures};
use crate::backend::canvas::{Canvases, OffscreenCanvas};
use crate::web::fault::{fault_with, none};
use crate::web::taken;
use js_sys::Function;
use tsify::Ts;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
impl Engine {
    /// A run as `run` begins it, whose steps are drawn on canvases where they are computed: `x_t` on `x` and the estimate of `x_0` on
    /// `denoised`, with so many pixels of `gap` between pictures. Of its frames only the first and the last have bytes.
    pub fn present(
        &self,
        settings: Ts<Settings>,
        given: Option<Ts<Given>>,
        #[wasm_bindgen(unchecked_param_type = "(phase: 'text' | 'decoding') => void")] phase: Option<Function>,
        x: Option<OffscreenCanvas>,
        denoised: Option<OffscreenCanvas>,
        gap: u32,
    ) -> Result<Run, JsValue> {
        let given = given.map(|given| taken(&given)).transpose()?.unwrap_or_default();
        if given.details {
            let message = "The details of a step are computed from frames that are read back, and a run on canvases reads none; \
                           leave out `details` or the canvases.";
            return Err(fault_with("canvas-details", message, none()));
        }
        let range = self.model()?.card.range;
        let canvases = Canvases::new([x, denoised], range, gap).map_err(failures::backend)?;
        self.begin(taken(&settings)?, given, phase, Some(Box::new(canvases)))
    }
}
