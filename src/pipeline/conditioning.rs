//! What a network is conditioned on besides the time.

use super::{Pipeline, PipelineError};
use crate::denoise::{Branch, Branches, Estimate, Prediction};
use crate::math::{Level, NoiseSchedule};
use crate::models::clip_text::ClipText;
use crate::pipeline::text::Tokenizer;
use burn::tensor::Tensor;

/// What says which picture is drawn.
pub enum Conditioning {
    None,
    /// Classes below `count`; `null` is the row that stands for none, where the network was trained with one.
    Classes {
        count: usize,
        null: Option<usize>,
    },
    /// Once the prompts are encoded, this can be dropped: the network needs only the states that it made of them.
    Text(Box<TextEncoder>),
}

/// A tokenizer and the network that reads its tokens.
pub struct TextEncoder {
    pub tokenizer: Tokenizer,
    pub net: ClipText,
}

/// The condition of each image of a batch.
#[derive(Clone, Debug)]
pub enum Condition {
    Nothing,
    /// A row of the class embedding for each image.
    Classes(Vec<usize>),
    /// The states of a text for each image: `[batch, positions, width]`.
    Text(Box<Tensor<3>>),
}

impl TextEncoder {
    /// The condition for `images` pictures of `prompt`, and the words that had no place.
    ///
    /// # Errors
    /// A token that the network has no embedding for.
    pub fn encode(&self, prompt: &str, images: usize) -> Result<(Condition, Vec<String>), PipelineError> {
        let tokens = self.tokenizer.encode_padded(prompt);
        let known = self.net.config().vocab_size;
        if let Some(id) = tokens.ids.iter().copied().find(|id| *id as usize >= known) {
            return Err(PipelineError::Token { id, known });
        }
        let states = self.net.forward(&[tokens.ids]).last;
        Ok((Condition::Text(Box::new(states.repeat_dim(0, images))), tokens.left_out))
    }
}

impl Condition {
    /// The conditions of one batch after another.
    fn joined(all: &[&Self]) -> Self {
        let rows = all.iter().filter_map(|condition| match condition {
            Self::Classes(rows) => Some(rows.as_slice()),
            _ => None,
        });
        let texts = all.iter().filter_map(|condition| match condition {
            Self::Text(text) => Some(*text.clone()),
            _ => None,
        });
        match all.first() {
            Some(Self::Classes(_)) => Self::Classes(rows.collect::<Vec<_>>().concat()),
            Some(Self::Text(_)) => Self::Text(Box::new(Tensor::cat(texts.collect(), 0))),
            _ => Self::Nothing,
        }
    }
}

/// A pipeline's network with a condition, and with what guidance pushes away from: no class, an empty text, or a negative
/// prompt.
pub struct Conditioned<'a> {
    pipeline: &'a Pipeline,
    conditional: Condition,
    unconditional: Condition,
}

impl<'a> Conditioned<'a> {
    /// Both conditions are of the kind that the pipeline's network takes, for the same number of images.
    pub fn new(pipeline: &'a Pipeline, conditional: Condition, unconditional: Condition) -> Self {
        Self { pipeline, conditional, unconditional }
    }
}

impl Branches<Tensor<4>> for Conditioned<'_> {
    /// All branches go through the network as one batch. diffusers puts the negative prompt in the place of the
    /// unconditional text, and so does this.
    fn branches(&self, x: &Tensor<4>, at: Level, which: &[Branch]) -> Vec<Estimate<Tensor<4>>> {
        let condition = which.iter().map(|branch| match branch {
            Branch::Conditional => &self.conditional,
            Branch::Unconditional | Branch::Negative => &self.unconditional,
        });
        let condition = Condition::joined(&condition.collect::<Vec<_>>());
        let [images, channels, ..] = x.dims();
        let batch = Tensor::cat(vec![x.clone(); which.len()], 0);
        let Pipeline { network, schedule, prediction, .. } = self.pipeline;
        let output = network.forward(batch, &vec![schedule.conditioning_time(at); images * which.len()], &condition);
        let [_, outputs, ..] = output.dims();
        let answer = |k: usize| {
            let output = output.clone().narrow(0, k * images, images);
            let x0 = prediction.to_x0(x, &output.clone().narrow(1, 0, channels), at);
            // A learned variance follows the prediction in further channels.
            let variance = (outputs > channels).then(|| output.narrow(1, channels, channels));
            Estimate { variance, ..Estimate::of_x0(x, x0, at) }
        };
        (0..which.len()).map(answer).collect()
    }

    fn output(&self) -> Prediction {
        self.pipeline.prediction
    }
}
