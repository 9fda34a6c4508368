//! Masked words in the page's worker. A letter is its number in the alphabet, and one that is masked [`MASK`].
//!
//! [`MASK`]: crate::lab::discrete::MASK

use super::Lab;
use super::objects::{DiscreteKnown, DiscreteSteps, Masked, Unmasked};
use crate::lab::Settings;
use crate::web::given;
use serde_bytes::ByteBuf;
use tsify::Ts;
use wasm_bindgen::prelude::*;

/// Words that are masked and drawn at a time.
const ROWS: usize = 20;

/// The numbers of steps of which likelihood and bound are told.
const STEPS: [usize; 7] = [1, 2, 4, 8, 16, 32, 64];

#[wasm_bindgen]
impl Lab {
    /// Words of the data, and when each of their letters is masked.
    pub fn masked(&self) -> Result<Ts<Masked>, JsValue> {
        let Settings { masking, seed, .. } = self.scene().settings;
        let words = self.scene().settings.words();
        let (rows, times) = words.masked(ROWS, (masking, seed));
        given(&Masked {
            alphabet: words.letters().iter().collect(),
            length: words.length(),
            rows: ByteBuf::from(rows.concat()),
            times: times.concat(),
        })
    }

    /// Words that are drawn in so many steps, or in those of the settings.
    pub fn unmasked(&self, steps: Option<usize>) -> Result<Ts<Unmasked>, JsValue> {
        let Settings { masking, seed, unmask_steps, .. } = self.scene().settings;
        let words = self.scene().settings.words();
        let steps = steps.map_or(unmask_steps, |steps| steps.clamp(1, *Settings::UNMASK_STEPS.end()));
        let run = words.unmask(ROWS, steps, (masking, seed));
        given(&Unmasked {
            steps,
            words: run.frames[steps].iter().map(|row| words.has(row)).collect(),
            frames: run.frames.iter().map(|rows| ByteBuf::from(rows.concat())).collect(),
            guesses: run.guesses.iter().map(|shares| shares.concat()).collect(),
        })
    }

    /// `alpha_t` at `count` equal times from 0 to 1.
    pub fn shown(&self, count: usize) -> Vec<f64> {
        let Settings { masking, .. } = self.scene().settings;
        let last = count.saturating_sub(1).max(1) as f64;
        (0..count).map(|i| masking.alpha(i as f64 / last)).collect()
    }

    /// What is exactly known of the words, and of the reverse process in the steps of the settings and in others.
    pub fn discrete(&self) -> Result<Ts<DiscreteKnown>, JsValue> {
        let Settings { masking, unmask_steps, .. } = self.scene().settings;
        let words = self.scene().settings.words();
        let mut all: Vec<_> = STEPS.into_iter().chain([unmask_steps]).collect();
        all.sort_unstable();
        all.dedup();
        let steps = all.into_iter().map(|steps| DiscreteSteps::from(words.known(steps, masking))).collect();
        given(&DiscreteKnown { words: words.words().len(), entropy: words.entropy(), steps })
    }
}
