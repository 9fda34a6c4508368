//! What a network is conditioned on besides the time.

use super::Pipeline;
use super::text::Tokenizer;
use crate::models::clip_text::ClipText;
use burn::tensor::Tensor;

/// What says which picture is drawn.
pub enum Conditioning {
    None,
    /// The classes of the card, whose label of none the network was trained with where the card has one.
    Classes,
    Text(Box<TextEncoder>),
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

impl TextEncoder {
    /// The condition of a text: the states that the network reads, for any number of images.
    pub fn encode(&self, text: &str) -> Condition {
        let tokens = self.tokenizer.encode_padded(text);
        Condition::Text { text: text.to_owned(), states: Box::new(self.net.forward(&[tokens.ids]).last) }
    }
}

/// The condition of each image of a batch.
#[derive(Clone, Debug)]
pub enum Condition {
    Nothing,
    /// A row of the class embedding for each image.
    Classes(Vec<usize>),
    /// One text for all images, and its states `[1, positions, width]`.
    Text {
        text: String,
        states: Box<Tensor<3>>,
    },
}

impl PartialEq for Condition {
    /// Whether the network is told the same: equal texts have equal states.
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Nothing, Self::Nothing) => true,
            (Self::Classes(a), Self::Classes(b)) => a == b,
            (Self::Text { text: a, .. }, Self::Text { text: b, .. }) => a == b,
            _ => false,
        }
    }
}

impl Condition {
    /// The conditions of one batch of `images` after another.
    pub(super) fn joined(all: &[&Self], images: usize) -> Self {
        let rows = all.iter().filter_map(|condition| match condition {
            Self::Classes(rows) => Some(rows.as_slice()),
            _ => None,
        });
        let texts = all.iter().filter_map(|condition| match condition {
            Self::Text { states, .. } => Some(states.clone().repeat_dim(0, images)),
            _ => None,
        });
        match all {
            [Self::Nothing, ..] | [] => Self::Nothing,
            [Self::Classes(_), ..] => Self::Classes(rows.collect::<Vec<_>>().concat()),
            [Self::Text { text, .. }, ..] => {
                Self::Text { text: text.clone(), states: Box::new(Tensor::cat(texts.collect(), 0)) }
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
    /// The words of a prompt for which the text encoder has no place; none where no text is read.
    pub fn left_out(&self, text: &str) -> Vec<String> {
        match &self.conditioning {
            Conditioning::Text(encoder) => encoder.tokenizer.encode(text).left_out,
            _ => Vec::new(),
        }
    }

    /// The condition of images with these labels, `None` for no label. A network without classes has nothing to be told of
    /// them, and one that reads texts is told the empty one.
    ///
    /// # Panics
    /// If a label is no class of the model, or `None` for a model whose card names no
    /// [`null_class`](crate::models::Card::null_class).
    pub fn labelled(&self, labels: &[Option<usize>]) -> Condition {
        if let Conditioning::Text(encoder) = &self.conditioning {
            return encoder.encode("");
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
