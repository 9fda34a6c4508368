//! What reads from outside. A new target is a function, a row here, and a folder in `corpus/`.

mod binary;
mod configs;
mod links;
mod text;

use std::path::Path;

/// What a target is given: bytes, which are also those of a file.
pub struct Input<'a> {
    pub bytes: &'a [u8],
    pub path: &'a Path,
}

/// A reader of what comes from outside.
pub struct Target {
    /// Also that of its folder in `corpus/`.
    pub name: &'static str,
    /// Words of the format, which change what is read more than bytes do.
    pub words: &'static [&'static str],
    /// Reads an input and says what came of it.
    pub read: fn(&Input) -> String,
}

pub const TARGETS: &[Target] = &[
    links::LINK,
    links::LAB_LINK,
    configs::SCHEDULER,
    configs::NETWORK,
    configs::INDEX,
    configs::CARD,
    configs::RECIPE,
    binary::SAFETENSORS,
    text::TOKENIZER,
    text::PROMPT,
    text::CSV,
    binary::PNG,
    binary::PROVENANCE,
    binary::IDX,
    binary::NPZ,
];

/// An outcome in words.
fn said<T, E: ToString>(read: Result<T, E>, made: impl FnOnce(T) -> String) -> String {
    read.map_or_else(|error| error.to_string(), made)
}

/// The text of an input, read as files of a folder are.
fn text_of(input: &Input) -> String {
    unnoise::models::folder::text(input.bytes)
}
