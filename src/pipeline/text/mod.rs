//! From a prompt to the token ids that a text encoder is given.

mod bpe;
mod files;
mod prompt;
mod tokenizer;

pub use bpe::{END_OF_WORD, symbol};
pub use files::{END, START, TokenizerError, TokenizerFiles};
pub use prompt::Prompt;
pub use tokenizer::{Tokenizer, Tokens, Word, words};
