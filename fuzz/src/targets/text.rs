//! What people type and paste, and the files of tokenizers.

use super::{Input, Target, said, text_of};
use std::path::Path;
use std::sync::LazyLock;
use unnoise::lab::data::{Own, read_csv};
use unnoise::pipeline::text::{Prompt, Tokenizer, TokenizerFiles};

/// Parts the texts of a tokenizer's files in an input.
const BETWEEN: char = '\u{1e}';

pub const TOKENIZER: Target = Target {
    name: "tokenizer",
    words: &[
        "\u{1e}",
        "#version: 0.2",
        "a b",
        "</w>",
        "<|startoftext|>",
        "<|endoftext|>",
        "model",
        "type",
        "BPE",
        "vocab",
        "merges",
        "end_of_word_suffix",
        "added_tokens",
        "added_tokens_decoder",
        "content",
        "normalized",
        "id",
        "bos_token",
        "eos_token",
        "pad_token",
        "unk_token",
        "model_max_length",
        "1000000000000000019884624838656",
        "999999999",
        "4294967295",
    ],
    read: tokenizer,
};

fn tokenizer(input: &Input) -> String {
    let text = text_of(input);
    let mut parts = text.split(BETWEEN).map(|part| (!part.is_empty()).then(|| part.to_owned()));
    let mut next = || parts.next().flatten();
    let files = TokenizerFiles {
        vocab: next(),
        merges: next(),
        tokenizer: next(),
        config: next(),
        special_tokens: next(),
        added_tokens: next(),
    };
    said(Tokenizer::load(&files), |tokenizer| {
        let (length, largest) = (tokenizer.length(), tokenizer.largest());
        let ids = ["", "a (red:1.2) heart", "ab ab<|endoftext|>心"].map(|text| {
            let prompt = Prompt::weighted(text);
            // A pipeline refuses one that is longer than its text encoder has places.
            let ids = match length <= 4096 {
                true => tokenizer.encode_prompt_padded(&prompt).ids,
                false => tokenizer.encode_prompt(&prompt).ids,
            };
            assert!(ids.len() <= length && (ids.len() == length || length > 4096), "as many as were asked for");
            ids
        });
        let [least, most] = [ids.iter().flatten().min(), ids.iter().flatten().max()];
        format!("{} {}", least == most, most <= Some(&largest))
    })
}

pub const PROMPT: Target = Target {
    name: "prompt",
    words: &[
        "(",
        ")",
        "[",
        "]",
        ":1.3)",
        ":-0.5)",
        ": 1e3 )",
        "\\",
        "\\(",
        "BREAK",
        "<|endoftext|>",
        "<|startoftext|>",
        "'s",
        "'re",
        " ",
        "\u{3000}",
        "\u{a0}",
        "ﬁ",
        "Å",
        "ß",
        "Ǆ",
        "한",
        "ไทย",
        "\u{10ffff}",
    ],
    read: prompt,
};

/// That of the shipped model of words.
static EMOJI: LazyLock<Tokenizer> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/emoji-text");
    Tokenizer::from_dir(&folder).expect("the shipped model has a tokenizer")
});

fn prompt(input: &Input) -> String {
    let text = text_of(input);
    let prompt = Prompt::weighted(&text);
    assert!(prompt.parts().iter().all(|(_, weight)| !weight.is_nan()), "no weight is NaN");
    let (weighted, plain) = (EMOJI.encode_prompt(&prompt), EMOJI.encode(&text));
    for tokens in [&weighted, &plain] {
        assert!(tokens.ids.len() <= EMOJI.length(), "no more than fit");
        let inside = |word: &unnoise::pipeline::text::Word| word.tokens.end < tokens.ids.len();
        assert!(tokens.words.iter().all(inside), "words have tokens between the start and the end");
    }
    let [few, many] = [&weighted, &plain].map(|tokens| tokens.words.len().min(4));
    let kinds = prompt.parts().len().min(4);
    let letters = |n| ["none", "one", "two", "three", "many"][n];
    format!(
        "{} {} {} {} {}",
        letters(few),
        letters(many),
        letters(kinds),
        prompt.is_plain(),
        weighted.left_out.is_empty()
    )
}

pub const CSV: Target = Target {
    name: "csv",
    words: &[
        "x,y",
        "x;y;label",
        "\t",
        ";",
        ",",
        "\n",
        "\r",
        "\r\n",
        "\"",
        "\"\"",
        "'",
        "1,5",
        "1.5",
        "1e308",
        "-1e308",
        "index",
        "nan",
        "inf",
        "a",
        "\u{feff}",
    ],
    read: csv,
};

/// Pasted points, or those of a link.
fn csv(input: &Input) -> String {
    let text = text_of(input);
    let packed = said(Own::unpack(&text), |own| kept(&own));
    format!("{}; {packed}", said(read_csv(&text), |own| kept(&own)))
}

fn kept(own: &Own) -> String {
    let again = Own::unpack(&own.pack());
    let points = own.points();
    assert_eq!(
        again.as_ref().map(|own| own.pack()),
        Ok(own.pack()),
        "the points that are packed are those that are unpacked"
    );
    assert!(points.x.0.iter().flatten().all(|v| v.is_finite()), "points are finite");
    format!("{} {}", own.distribution().is_some(), points.label.iter().any(|class| *class > 0))
}
