//! A step of a run as JavaScript gets it.

use super::numbers::StepNumbers;
use crate::pipeline::text::Word;
use crate::session;
use serde::Serialize;
use serde_bytes::ByteBuf;
use tsify::Tsify;
use wasm_bindgen::prelude::*;

/// One finished step.
#[derive(Serialize, Tsify)]
#[tsify(missing_as_null)]
pub struct Frame {
    /// 0 is where the run starts.
    step: usize,
    /// Number of the last step; `null` where the sampler chooses its steps.
    steps: Option<usize>,
    /// From 0 to 1.
    done: f64,
    images: usize,
    channels: usize,
    height: usize,
    width: usize,
    t: f64,
    alpha: f64,
    sigma: f64,
    /// Logarithm of `alpha^2 / sigma^2`; infinite at either end.
    log_snr: f64,
    /// Of the model, so far.
    evaluations: usize,
    /// Steps that were accepted so far, of all pictures together; `null` for a sampler on a grid.
    accepted: Option<usize>,
    /// Steps that were tried and rejected, counted likewise.
    rejected: Option<usize>,
    /// Time in calls of the network so far; on a GPU they only queue its work.
    network_ms: f64,
    /// Time of reading back so far; on a GPU it waits for the network's work.
    read_ms: f64,
    total_ms: f64,
    /// `[images, height, width, channels]`; empty where the step was drawn on a canvas and not read back.
    #[tsify(type = "Uint8Array")]
    x: ByteBuf,
    /// The model's estimate of the picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[tsify(optional, type = "Uint8Array")]
    denoised: Option<ByteBuf>,
    /// Where the step looked in the prompt, if that was asked for: `[images, words, attention_height, attention_width]`, 255 times
    /// the square root of the weight of a word among all tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[tsify(optional, type = "Uint8Array")]
    attention: Option<ByteBuf>,
    /// Of a map, where there is one.
    attention_height: Option<usize>,
    attention_width: Option<usize>,
    /// The noise that the step found in the point before, by its estimate of the picture: `[images, height, width, channels]`, grey
    /// where there is none. As the two below, only where `details` were asked for, and not of the first frame.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[tsify(optional, type = "Uint8Array")]
    noise: Option<ByteBuf>,
    /// The mean of the posterior `q(x_s | x_t, x_0)`, likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[tsify(optional, type = "Uint8Array")]
    posterior: Option<ByteBuf>,
    /// The step in numbers, of each image.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[tsify(optional)]
    numbers: Option<Vec<StepNumbers>>,
}

impl Frame {
    pub fn new(
        frame: &session::Frame,
        (shape, range): ([usize; 3], [f64; 2]),
        words: &[Word],
        detail: Option<session::Detail>,
    ) -> Self {
        let [channels, height, width] = shape;
        let (x, denoised) = frame.pixels(shape, range);
        let map = |maps: &session::Attention| maps.of(words).into_iter().map(|w| (255.0 * w.sqrt()).round() as u8);
        let attention = frame.attention.as_ref();
        let (noise, posterior, numbers) = detail.map_or_else(Default::default, |detail| {
            let numbers = detail.numbers.into_iter().map(StepNumbers::from).collect();
            (Some(detail.noise.into()), Some(detail.mean.into()), Some(numbers))
        });
        let ms = |time: std::time::Duration| time.as_secs_f64() * 1e3;
        Self {
            step: frame.step,
            steps: frame.steps,
            done: frame.done,
            images: frame.levels.len(),
            channels,
            height,
            width,
            t: frame.level.t,
            alpha: frame.level.alpha,
            sigma: frame.level.sigma,
            log_snr: frame.level.log_snr(),
            evaluations: frame.timing.evaluations,
            accepted: frame.tally.map(|tally| tally.accepted),
            rejected: frame.tally.map(|tally| tally.rejected),
            network_ms: ms(frame.timing.network),
            read_ms: ms(frame.timing.read),
            total_ms: ms(frame.timing.total),
            x: ByteBuf::from(x),
            denoised: denoised.map(ByteBuf::from),
            attention: attention.map(|maps| map(maps).collect::<Vec<u8>>().into()),
            attention_height: attention.map(|maps| maps.height),
            attention_width: attention.map(|maps| maps.width),
            noise,
            posterior,
            numbers,
        }
    }
}
