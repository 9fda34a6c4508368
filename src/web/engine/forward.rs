//! The forward process on a picture.

use super::{Engine, Given, Settings, failures};
use crate::eval::{Decoder, Variance, pixels, prior, term};
use crate::picture;
use crate::session;
use crate::web::stream::Frames;
use crate::web::taken;
use async_stream::try_stream;
use futures_util::StreamExt;
use serde::Serialize;
use serde_bytes::ByteBuf;
use std::pin::pin;
use tsify::{Ts, Tsify};
use wasm_bindgen::prelude::*;

/// A picture at one level of the forward process, as `[height, width, channels]`.
#[derive(Serialize, Tsify)]
#[tsify(missing_as_null)]
pub struct Noised {
    /// 0 is the picture itself.
    step: usize,
    /// Number of the last step.
    steps: usize,
    /// From 0 to 1.
    done: f64,
    channels: usize,
    height: usize,
    width: usize,
    t: f64,
    alpha: f64,
    sigma: f64,
    /// Logarithm of `alpha^2 / sigma^2`; infinite at the picture itself, and where there is noise alone.
    log_snr: f64,
    /// The strength with which a run of the same settings begins here.
    strength: f64,
    /// The term of the variational bound for the step from this level to the one before, in nats; of models of latents, in
    /// nats of latents and without the last one, which is a decoder's.
    nats: Option<f64>,
    /// The same in bits a dimension.
    bits: Option<f64>,
    /// At the noisiest level, `L_T = KL(q(x_T | x_0) || N(0, I))` in nats, or to the noise of its own width that a run begins with, and
    /// in bits a dimension; of models of latents, in latents.
    prior: Option<f64>,
    prior_bits: Option<f64>,
    /// Mean square of the noise less the network's estimate of it.
    error: Option<f64>,
    /// By the closed form, `alpha x_0 + sigma eps` with one `eps` at all levels.
    #[tsify(type = "Uint8Array")]
    x: ByteBuf,
    /// By the chain, with fresh noise at each step.
    #[tsify(type = "Uint8Array")]
    chain: ByteBuf,
    /// The network's estimate of the picture; the picture itself has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[tsify(optional, type = "Uint8Array")]
    denoised: Option<ByteBuf>,
    /// Its estimate of the noise, grey where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[tsify(optional, type = "Uint8Array")]
    noise: Option<ByteBuf>,
}

/// The forward process under way. Nothing is computed ahead of the item that is awaited.
#[wasm_bindgen]
pub struct Forward(Frames);

#[wasm_bindgen]
impl Forward {
    /// The next level; `undefined` at the end.
    #[wasm_bindgen(unchecked_return_type = "Noised | undefined")]
    pub async fn next(&self) -> Result<JsValue, JsValue> {
        self.0.next().await
    }
}

#[wasm_bindgen]
impl Engine {
    /// The forward process on a picture, through the levels of a run of these settings, and what the loaded model makes of it at each.
    pub fn forward(&self, settings: Ts<Settings>, given: Option<Ts<Given>>) -> Result<Forward, JsValue> {
        let model = self.model()?;
        let settings = taken(&settings)?.complete(&model)?;
        let Given { picture, .. } = given.map(|given| taken(&given)).transpose()?.unwrap_or_default();
        let (shape, range) = (model.picture_of(&settings), model.card.range);
        let picture = picture.map(|bytes| picture::from_bytes(&bytes, shape, range));
        Ok(Forward(Frames::new(try_stream! {
            let given = session::Given { picture, ..Default::default() };
            let mut levels = pin!(model.forward(&settings, given));
            let mut clean = Vec::new();
            while let Some(level) = levels.next().await {
                let level = level.map_err(failures::session)?;
                if level.step == 0 {
                    clean = wide(&level.x);
                }
                // The last term of a model of latents is its autoencoder's.
                let measured = level.denoised.as_deref().filter(|_| level.from.sigma > 0.0 || !model.is_latent());
                let nats = measured.map(|denoised| {
                    let decoder = Decoder::Pixels { range };
                    term((level.level, level.from), (&clean, &wide(denoised)), (Variance::Small, decoder))
                });
                let last = level.step == level.steps && level.level.sigma > 0.0;
                let square = || clean.iter().map(|v| v * v).sum();
                let prior = last.then(|| prior(square(), clean.len(), level.level));
                yield crate::web::object(&Noised::new(level, shape, [nats, prior], clean.len()))?;
            }
        })))
    }
}

fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().copied().map(f64::from).collect()
}

impl Noised {
    fn new(noised: session::Noised, shape: [usize; 3], [nats, prior]: [Option<f64>; 2], dimensions: usize) -> Self {
        let bits = |nats: Option<f64>| nats.map(|nats| pixels::bits_per_dimension(nats, dimensions));
        let [channels, height, width] = shape;
        let session::Noised { step, steps, level, strength, error, shown, .. } = noised;
        let session::NoisedPictures { x, chain, denoised, noise } = shown;
        Self {
            step,
            steps,
            done: step as f64 / steps as f64,
            channels,
            height,
            width,
            t: level.t,
            alpha: level.alpha,
            sigma: level.sigma,
            log_snr: level.log_snr(),
            strength,
            nats,
            bits: bits(nats),
            prior,
            prior_bits: bits(prior),
            error,
            x: x.into(),
            chain: chain.into(),
            denoised: denoised.map(ByteBuf::from),
            noise: noise.map(ByteBuf::from),
        }
    }
}
