//! What a run gives: frames, and the pictures at its end.

use crate::math::Level;
use crate::picture;
use crate::pipeline::text::Word;
use crate::samplers::Tally;
use std::time::Duration;

/// One finished step.
#[derive(Clone, Debug)]
pub struct Frame {
    /// 0 is where the run starts, then 1, 2, ..
    pub step: usize,
    /// Number of the last step; `None` where the method chooses its steps as it goes.
    pub steps: Option<usize>,
    /// How much of the run is done, from 0 to 1.
    pub done: f64,
    /// The level of the picture that has the most noise.
    pub level: Level,
    /// The level of each picture: where a method chooses its steps, each has its own.
    pub levels: Vec<Level>,
    /// `x_t`, `[images, channels, height, width]`: pictures or latents. Empty where the step was
    /// [presented](super::Given::present) and not read back.
    pub x: Vec<f32>,
    /// The model's estimate of `x_0` that the step was built on; the first frame has none.
    pub denoised: Option<Vec<f32>>,
    /// The pictures of both where they are latents.
    pub shown: Option<Shown>,
    /// Where the step looked in the prompt, if that was asked for.
    pub attention: Option<Attention>,
    /// The steps that were tried, where the method chooses them as it goes.
    pub tally: Option<Tally>,
    pub timing: Timing,
}

impl Frame {
    /// `x_t` and the estimate of `x_0` as bytes `[images, height, width, channels]` of pictures of this `shape`. `x_t` is
    /// first divided by its level's [`marginal_std`](Level::marginal_std), so that every process shows its noise in the
    /// same contrast.
    pub fn pixels(&self, shape: [usize; 3], range: [f64; 2]) -> (Vec<u8>, Option<Vec<u8>>) {
        let bytes = |values: &[f32]| picture::to_bytes(values, shape, range);
        if let Some(Shown { x, denoised }) = &self.shown {
            return (bytes(x), denoised.as_deref().map(bytes));
        }
        let size = shape.iter().product();
        let x = self.x.chunks(size).zip(&self.levels).flat_map(|(x, at)| {
            let std = at.marginal_std();
            picture::to_bytes(x, shape, range.map(|v| v * std))
        });
        (x.collect(), self.denoised.as_deref().map(bytes))
    }
}

/// What a run does besides its steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// It reads the prompts.
    Text,
    /// It decodes the pictures that it ends in.
    Decoding,
}

impl Phase {
    /// In a word.
    pub fn id(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Decoding => "decoding",
        }
    }
}

/// What is seen of latents: pictures, `[images, channels, height, width]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Shown {
    /// Of `x_t`, divided by its level's [`marginal_std`](Level::marginal_std).
    pub x: Vec<f32>,
    /// Of the estimate of `x_0`.
    pub denoised: Option<Vec<f32>>,
}

/// Where the network looked in the prompt while it drew a step: cross-attention of the conditional branch, averaged over
/// heads, layers and the evaluations of the step.
#[derive(Clone, Debug, PartialEq)]
pub struct Attention {
    /// `[images, tokens, height, width]`; at each place the weights of all tokens sum to 1.
    pub maps: Vec<f32>,
    /// The start, the end and the padding among them.
    pub tokens: usize,
    pub height: usize,
    pub width: usize,
}

impl Attention {
    /// The mean over steps; `None` of none.
    pub fn mean(steps: &[Self]) -> Option<Self> {
        let mut mean = steps.first()?.clone();
        for step in &steps[1..] {
            mean.maps.iter_mut().zip(&step.maps).for_each(|(sum, weight)| *sum += weight);
        }
        mean.maps.iter_mut().for_each(|sum| *sum /= steps.len() as f32);
        Some(mean)
    }

    /// The maps of words, each the sum of those of its tokens: `[images, words, height, width]`.
    pub fn of(&self, words: &[Word]) -> Vec<f32> {
        let places = self.height * self.width;
        let image = |image: &[f32]| {
            let map = |word: &Word| {
                let tokens = word.tokens.clone().filter(|token| *token < self.tokens);
                let mut map = vec![0.0; places];
                for token in tokens {
                    let own = &image[token * places..(token + 1) * places];
                    map.iter_mut().zip(own).for_each(|(sum, weight)| *sum += weight);
                }
                map
            };
            words.iter().flat_map(map).collect::<Vec<f32>>()
        };
        self.maps.chunks_exact(self.tokens * places).flat_map(image).collect()
    }
}

/// Where the time of a run went so far.
#[derive(Clone, Copy, Debug, Default)]
pub struct Timing {
    /// Since the run began, without the time between the frames that their receiver took.
    pub total: Duration,
    /// Spent in calls of the network. On the CPU they are its work; on a GPU they only queue it.
    pub network: Duration,
    /// Spent in reading frames back. On a GPU this waits for all that was queued, so here is the network's work.
    pub read: Duration,
    /// Evaluations of the model.
    pub evaluations: usize,
}

impl Timing {
    /// The sum of the network's times and evaluations of two parts of a batch.
    pub(super) fn and(self, other: Self) -> Self {
        Self { network: self.network + other.network, evaluations: self.evaluations + other.evaluations, ..self }
    }
}

/// The pictures that a run ends in.
#[derive(Clone, Debug, PartialEq)]
pub struct Images {
    /// `[images, height, width, channels]`.
    pub bytes: Vec<u8>,
    /// Channels, height and width of each.
    pub shape: [usize; 3],
}

impl Images {
    /// Number of pictures.
    pub fn count(&self) -> usize {
        self.bytes.len() / self.shape.iter().product::<usize>()
    }

    /// The bytes of picture `i`, `[height, width, channels]`.
    ///
    /// # Panics
    /// If there are not so many.
    pub fn get(&self, i: usize) -> &[u8] {
        let size = self.shape.iter().product::<usize>();
        &self.bytes[i * size..(i + 1) * size]
    }
}
