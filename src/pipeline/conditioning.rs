//! What a network is conditioned on besides the time.

use super::Pipeline;
use super::encodings::Encodings;
use super::text::{Prompt, Tokenizer, Tokens};
use crate::models::clip_text::{ClipText, TextStates};
use crate::models::unet2d_condition::Added;
use burn::tensor::{Tensor, TensorData};

/// What says which picture is drawn.
pub enum Conditioning {
    None,
    /// The classes of the card, whose label of none the network was trained with where the card has one.
    Classes,
    Text(Box<TextEncoders>),
}

impl Conditioning {
    /// In a word.
    pub fn id(&self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Classes => "classes",
            Self::Text(_) => "text",
        }
    }
}

/// A tokenizer and the network that reads its tokens.
pub struct TextEncoder {
    pub tokenizer: Tokenizer,
    pub net: ClipText,
}

/// What reads the texts of a pipeline: one encoder, or two whose states stand side by side.
pub struct TextEncoders {
    pub first: TextEncoder,
    pub second: Option<TextEncoder>,
    /// Whether no negative prompt stands for states of zeros instead of an empty text.
    pub zeros: bool,
    /// Height and width of a picture, which SDXL is told.
    pub size: [usize; 2],
    /// What they made of the last texts.
    pub(super) encodings: Encodings,
}

impl TextEncoder {
    /// The states of a prompt. Those at the words are multiplied by their weights, and then all of them by one number that gives
    /// them the mean they had, as AUTOMATIC1111's web UI does.
    fn states(&self, prompt: &Prompt) -> TextStates {
        let Tokens { ids, words, .. } = self.tokenizer.encode_prompt_padded(prompt);
        let states = self.net.forward(&[ids]);
        if words.iter().all(|word| word.weight == 1.0) {
            return states;
        }
        let mut weights = vec![1.0; self.tokenizer.length()];
        for word in words {
            weights[word.tokens].fill(word.weight as f32);
        }
        let length = weights.len();
        let weights = Tensor::<3>::from_data(TensorData::new(weights, [1, length, 1]), &states.last.device());
        let weighted = |states: Tensor<3>| {
            let weighted = states.clone() * weights.clone();
            let ratio = states.mean() / weighted.clone().mean();
            weighted * ratio.reshape([1, 1, 1])
        };
        let TextStates { last, penultimate, pooled } = states;
        TextStates { last: weighted(last), penultimate: weighted(penultimate), pooled }
    }
}

impl TextEncoders {
    /// The condition of a text: the states that the network reads, for any number of images.
    pub fn encode(&self, text: &str) -> Condition {
        self.encode_prompt(&Prompt::plain(text), self.size)
    }

    /// The same of a prompt, for pictures of this height and width.
    pub fn encode_prompt(&self, prompt: &Prompt, size: [usize; 2]) -> Condition {
        self.encodings.of(&format!("{size:?} {prompt:?}"), || self.encode_anew(prompt, size))
    }

    fn encode_anew(&self, prompt: &Prompt, size: [usize; 2]) -> Condition {
        let first = self.first.states(prompt);
        let told = match &self.second {
            None => Told { states: first.last, added: None, guidance: None, towards: None },
            Some(second) => {
                let second = second.states(prompt);
                let [height, width] = size.map(|side| side as f64);
                // The picture is as large as it was, and nothing is cut off.
                let sizes = [height, width, 0.0, 0.0, height, width];
                let added = Added { text: second.pooled, sizes: vec![sizes] };
                let states = Tensor::cat(vec![first.penultimate, second.penultimate], 2);
                Told { states, added: Some(added), guidance: None, towards: None }
            }
        };
        Condition::Text { text: Some(prompt.clone()), told: Box::new(told) }
    }

    /// The condition of no text at all, for pictures of this height and width.
    pub fn nothing(&self, size: [usize; 2]) -> Condition {
        match self.encode_prompt(&Prompt::plain(""), size) {
            Condition::Text { told, .. } if self.zeros => {
                let Told { states, added, .. } = *told;
                let added = added.map(|Added { text, sizes }| Added { text: text.zeros_like(), sizes });
                let told = Told { states: states.zeros_like(), added, guidance: None, towards: None };
                Condition::Text { text: None, told: Box::new(told) }
            }
            empty => empty,
        }
    }

    /// Bytes of what the network is given of one text, which is kept of the last [`TEXTS_KEPT`](super::TEXTS_KEPT) texts.
    pub fn bytes(&self) -> usize {
        let width = |encoder: &TextEncoder| encoder.net.config().hidden_size;
        let widths = width(&self.first) + self.second.as_ref().map_or(0, width);
        size_of::<f32>() * self.length() * widths
    }

    /// The most tokens of a text, the start and the end among them.
    pub fn length(&self) -> usize {
        self.first.tokenizer.length()
    }
}

/// The condition of each image of a batch.
#[derive(Clone, Debug)]
pub enum Condition {
    Nothing,
    /// A row of the class embedding for each image.
    Classes(Vec<usize>),
    /// For each image a row on the way to another one.
    Between(Vec<ClassRow>),
    /// One text for all images; `None` where there is not even an empty one.
    Text {
        text: Option<Prompt>,
        told: Box<Told>,
    },
}

/// The mean `(1 - share) a + share b` of two rows of the class embedding.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClassRow {
    pub class: usize,
    pub towards: usize,
    /// From 0 to 1.
    pub share: f32,
}

impl From<usize> for ClassRow {
    fn from(class: usize) -> Self {
        Self { class, towards: class, share: 0.0 }
    }
}

/// What a network is told of a text.
#[derive(Clone, Debug)]
pub struct Told {
    /// `[batch, positions, width]`, where the batch may be 1 for any number of images.
    pub states: Tensor<3>,
    /// What SDXL is told besides.
    pub added: Option<Added>,
    /// The guidance scale, where the network has learned what guidance does.
    pub guidance: Option<f64>,
    /// The prompt that the states are on the way to, and the share of the way.
    pub towards: Option<(Prompt, f64)>,
}

impl Told {
    /// For so many images.
    fn repeated(&self, images: usize) -> Self {
        let added =
            |added: &Added| Added { text: added.text.clone().repeat_dim(0, images), sizes: added.sizes.repeat(images) };
        let states = self.states.clone().repeat_dim(0, images);
        let (guidance, towards) = (self.guidance, self.towards.clone());
        Self { states, added: self.added.as_ref().map(added), guidance, towards }
    }
}

impl Condition {
    /// The same with a guidance scale for networks that have learned what guidance does.
    #[must_use]
    pub fn guided(self, scale: f64) -> Self {
        match self {
            Self::Text { text, told } => Self::Text { text, told: Box::new(Told { guidance: Some(scale), ..*told }) },
            other => other,
        }
    }
}

impl Condition {
    /// The condition at this share of the way to another one, in a straight line: the mean of the states of two texts, or of the
    /// rows of two classes. At 0 and 1 it is one of the two.
    #[must_use]
    pub fn towards(self, other: Self, share: f64) -> Self {
        let mean = |a: Tensor<3>, b: Tensor<3>| a * (1.0 - share) + b * share;
        match (self, other) {
            (own, _) if share <= 0.0 => own,
            (_, other) if share >= 1.0 => other,
            (Self::Text { text, told: a }, Self::Text { text: Some(prompt), told: b }) => {
                let added = a
                    .added
                    .zip(b.added)
                    .map(|(a, b)| Added { text: a.text * (1.0 - share) + b.text * share, sizes: a.sizes });
                let (states, towards) = (mean(a.states, b.states), Some((prompt, share)));
                Self::Text { text, told: Box::new(Told { states, added, guidance: a.guidance, towards }) }
            }
            (Self::Classes(a), Self::Classes(b)) => {
                let row = |(class, towards)| ClassRow { class, towards, share: share as f32 };
                Self::Between(a.into_iter().zip(b).map(row).collect())
            }
            (own, _) => own,
        }
    }
}

impl PartialEq for Condition {
    /// Whether the network is told the same: equal texts have equal states.
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Nothing, Self::Nothing) => true,
            (Self::Classes(a), Self::Classes(b)) => a == b,
            (Self::Between(a), Self::Between(b)) => a == b,
            (Self::Text { text: a, told: x }, Self::Text { text: b, told: y }) => a == b && x.towards == y.towards,
            _ => false,
        }
    }
}

impl Condition {
    /// Of one image out of a batch.
    pub(super) fn part(&self, image: usize) -> Self {
        match self {
            Self::Classes(rows) => Self::Classes(vec![rows[image]]),
            Self::Between(rows) => Self::Between(vec![rows[image]]),
            other => other.clone(),
        }
    }

    /// The conditions of one batch of `images` after another.
    pub(super) fn joined(all: &[&Self], images: usize) -> Self {
        let rows = all.iter().filter_map(|condition| match condition {
            Self::Classes(rows) => Some(rows.as_slice()),
            _ => None,
        });
        let between = all.iter().any(|condition| matches!(condition, Self::Between(_)));
        let mixed = all.iter().flat_map(|condition| match condition {
            Self::Classes(rows) => rows.iter().copied().map(ClassRow::from).collect(),
            Self::Between(rows) => rows.clone(),
            _ => Vec::new(),
        });
        let texts = all.iter().filter_map(|condition| match condition {
            Self::Text { told, .. } => Some(told.repeated(images)),
            _ => None,
        });
        match all {
            [Self::Nothing, ..] | [] => Self::Nothing,
            _ if between => Self::Between(mixed.collect()),
            [Self::Between(_) | Self::Classes(_), ..] => Self::Classes(rows.collect::<Vec<_>>().concat()),
            [Self::Text { text, told }, ..] => {
                let texts: Vec<Told> = texts.collect();
                let states = Tensor::cat(texts.iter().map(|told| told.states.clone()).collect(), 0);
                let all: Option<Vec<Added>> = texts.into_iter().map(|told| told.added).collect();
                let added = all.filter(|all| !all.is_empty()).map(|all| Added {
                    text: Tensor::cat(all.iter().map(|added| added.text.clone()).collect(), 0),
                    sizes: all.into_iter().flat_map(|added| added.sizes).collect(),
                });
                Self::Text { text: text.clone(), told: Box::new(Told { states, added, ..(**told).clone() }) }
            }
        }
    }
}

/// What the branches of guidance are conditioned on.
#[derive(Clone, Debug)]
pub struct Conditions {
    pub conditional: Condition,
    /// No class, an empty text, or the negative prompt, which diffusers puts in its place. A network that was never
    /// trained without a class has none.
    pub unconditional: Option<Condition>,
    /// What perpendicular guidance pushes away from; the unconditional one where there is nothing else.
    pub negative: Option<Condition>,
}

impl Pipeline {
    /// The tokens of a prompt, its words, and those for which the text encoder has no place; `None` where no text is read.
    pub fn tokens(&self, prompt: &Prompt) -> Option<Tokens> {
        match &self.conditioning {
            Conditioning::Text(encoders) => Some(encoders.first.tokenizer.encode_prompt(prompt)),
            _ => None,
        }
    }

    /// The condition of images with these labels, `None` for no label. A network without classes has nothing to be told of
    /// them, and one that reads texts is told the empty one.
    ///
    /// # Panics
    /// If a label is no class of the model, or `None` for a model whose card names no
    /// [`null_class`](crate::models::Card::null_class).
    pub fn labelled(&self, labels: &[Option<usize>]) -> Condition {
        if let Conditioning::Text(encoders) = &self.conditioning {
            return encoders.encode("");
        }
        let Some(known) = self.network.classes() else { return Condition::Nothing };
        let row = |label: &Option<usize>| {
            let row =
                label.or(self.card.null_class).expect("a model trained without unlabelled pictures needs a label");
            assert!(row < known, "class {row} of a model that has {known}");
            row
        };
        Condition::Classes(labels.iter().map(row).collect())
    }

    /// The conditions of images with these labels, and of the class that is pushed away from.
    ///
    /// # Panics
    /// As [`labelled`](Self::labelled).
    pub fn conditions_of_labels(&self, labels: &[Option<usize>], negative: Option<usize>) -> Conditions {
        let all = |label| self.labelled(&vec![label; labels.len()]);
        let unlabelled = self.network.classes().is_none() || self.card.null_class.is_some();
        Conditions {
            conditional: self.labelled(labels),
            unconditional: unlabelled.then(|| all(None)),
            negative: negative.map(|class| all(Some(class))),
        }
    }
}
