//! The kernels on this machine's graphics card, timed.

use super::{Engine, failures};
use crate::nn::gpu::bench::{Bench, Timed, layers};
use crate::web::fault::{fault_with, none};
use crate::web::stream::Frames;
use async_stream::try_stream;
use serde::Serialize;
use tsify::Tsify;
use wasm_bindgen::prelude::*;

/// How fast a kernel is. The first is a plain loop of multiplications and additions, which shows the most that can be had.
#[derive(Serialize, Tsify)]
#[tsify(missing_as_null)]
pub struct KernelRate {
    /// How many are timed by now, and how many there are.
    done: usize,
    total: usize,
    #[tsify(type = "'peak' | 'convolution' | 'attention'")]
    kind: &'static str,
    /// Whose layer it is; `null` of the peak.
    network: Option<&'static str>,
    /// Of a convolution pictures, inputs, outputs, height, width and kernel; of an attention pictures, positions, sources, heads and
    /// channels of a head.
    shape: Vec<usize>,
    /// Operations a second, and the share of the peak.
    rate: f64,
    share: f64,
}

/// Timings under way. Nothing is computed ahead of the kernel that is awaited.
#[wasm_bindgen]
pub struct BenchRun(Frames);

#[wasm_bindgen]
impl BenchRun {
    /// The next kernel; `undefined` at the end.
    #[wasm_bindgen(unchecked_return_type = "KernelRate | undefined")]
    pub async fn next(&self) -> Result<JsValue, JsValue> {
        self.0.next().await
    }
}

#[wasm_bindgen]
impl Engine {
    /// Times the kernels.
    pub fn bench(&self) -> Result<BenchRun, JsValue> {
        let bench = Bench::new(&self.device).ok_or_else(|| {
            fault_with("no-webgpu", "The engine is not on a graphics card, so there is nothing to time.", none())
        })?;
        Ok(BenchRun(Frames::new(try_stream! {
            let total = layers().count() + 1;
            let peak = bench.peak().await.map_err(failures::backend)?;
            let plain = |done| KernelRate { done, total, kind: "peak", network: None, shape: Vec::new(), rate: peak, share: 1.0 };
            yield crate::web::object(&plain(1))?;
            for (i, (network, layer)) in layers().enumerate() {
                let rate = bench.rate(&layer).await.map_err(failures::backend)?;
                let (kind, shape) = described(&layer);
                yield crate::web::object(&KernelRate {
                    kind,
                    network: Some(network),
                    shape,
                    rate,
                    share: rate / peak,
                    ..plain(i + 2)
                })?;
            }
        })))
    }
}

fn described(layer: &Timed) -> (&'static str, Vec<usize>) {
    match layer {
        Timed::Convolution(c) => ("convolution", vec![c.batch, c.inputs, c.outputs, c.size[0], c.size[1], c.kernel[0]]),
        Timed::Attention(a) => ("attention", vec![a.batch, a.positions, a.sources, a.heads, a.width]),
    }
}
