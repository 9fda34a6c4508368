//! The last texts that were encoded.

use super::Condition;
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

/// How many are kept, beside the weights that made them: without those each new prompt would wait for hundreds of megabytes
/// once more, for an eighth of what Stable Diffusion takes on the device. The states of a text take 0.2 MB for Stable Diffusion 1 and 0.6 MB for XL, and a run needs two or three.
pub const KEPT: usize = 8;

/// Conditions of texts, so that a text encoder runs once for a text that is drawn again.
#[derive(Default)]
pub struct Encodings(Mutex<VecDeque<(String, Condition)>>);

impl Encodings {
    /// The condition of `text`, which `encode` makes if it is none of the last texts.
    pub fn of(&self, text: &str, encode: impl FnOnce() -> Condition) -> Condition {
        // What a panic elsewhere leaves is whole: it is changed in one step.
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = kept.iter().position(|(known, _)| known == text).and_then(|place| kept.remove(place));
        let (text, condition) = known.unwrap_or_else(|| (text.to_owned(), encode()));
        kept.push_front((text, condition.clone()));
        kept.truncate(KEPT);
        condition
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    #[test]
    fn a_text_is_encoded_once_while_it_is_one_of_the_last() {
        let (encodings, runs) = (Encodings::default(), Cell::new(0));
        let encode = |text: &str| {
            encodings.of(text, || {
                runs.set(runs.get() + 1);
                Condition::Classes(vec![text.len()])
            })
        };
        assert_eq!(encode("red"), Condition::Classes(vec![3]));
        assert_eq!(encode("heart"), Condition::Classes(vec![5]));
        assert_eq!(encode("red"), Condition::Classes(vec![3]));
        assert_eq!(runs.get(), 2);
        // `heart` was used longest ago.
        (0..KEPT - 1).for_each(|i| drop(encode(&i.to_string())));
        assert_eq!(runs.get(), 2 + KEPT - 1);
        encode("red");
        assert_eq!(runs.get(), 2 + KEPT - 1, "it is still one of the last");
        encode("heart");
        assert_eq!(runs.get(), 2 + KEPT);
    }
}
