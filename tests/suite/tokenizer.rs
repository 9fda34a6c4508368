//! CLIP's tokenizer against transformers' own.
#![cfg(feature = "cli")]

use flate2::read::GzDecoder;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use unnoise::pipeline::text::{Tokenizer, TokenizerFiles};

fn golden(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/tokenizer").join(name);
    fs::read_to_string(path).expect("a golden file")
}

fn small() -> TokenizerFiles {
    TokenizerFiles {
        vocab: Some(golden("vocab.json")),
        merges: Some(golden("merges.txt")),
        ..TokenizerFiles::default()
    }
}

fn configured(config: Value) -> Tokenizer {
    Tokenizer::load(&TokenizerFiles { config: Some(config.to_string()), ..small() }).expect("it loads")
}

/// CLIP's own vocabulary, where it is at hand.
fn clip() -> Option<(PathBuf, Tokenizer)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/reference/tokenizer");
    if !folder.exists() {
        println!("skipped: {} is not here", folder.display());
        return None;
    }
    let text = |name: &str| {
        let mut text = String::new();
        let file = fs::File::open(folder.join(name)).expect("a file of the vocabulary");
        GzDecoder::new(file).read_to_string(&mut text).expect("gzip");
        Some(text)
    };
    let files = TokenizerFiles { vocab: text("vocab.json.gz"), merges: text("merges.txt.gz"), ..Default::default() };
    let tokenizer = Tokenizer::load(&files).expect("it loads");
    Some((folder, tokenizer))
}

fn ids(value: &Value) -> Vec<u32> {
    serde_json::from_value(value.clone()).expect("ids")
}

#[test]
fn random_texts_have_the_ids_of_transformers() {
    let object = |content: &str| json!({"content": content, "normalized": true});
    let normalized = json!({"bos_token": object("<|startoftext|>"), "eos_token": object("<|endoftext|>"),
        "unk_token": object("<|endoftext|>")});
    let mut all = normalized.clone();
    all["pad_token"] = object("<|endoftext|>");
    let tokenizers = [json!({}), json!({"pad_token": "!"}), all, normalized].map(configured);
    let clip = clip();
    let rows: Vec<Vec<Value>> = serde_json::from_str(&golden("cases.json")).expect("rows");
    assert_eq!(rows.len(), 400);
    for row in rows {
        let text = row[0].as_str().expect("a text");
        if let Some((_, clip)) = &clip {
            assert_eq!(clip.encode(text).ids, ids(&row[1]), "CLIP, {text:?}");
        }
        for (i, tokenizer) in tokenizers.iter().enumerate() {
            let expected = if row[2 + i].is_null() { &row[2] } else { &row[2 + i] };
            assert_eq!(tokenizer.encode(text).ids, ids(expected), "tokenizer {i}, {text:?}");
        }
    }
}

#[test]
fn the_reference_texts_have_their_ids() {
    let Some((folder, clip)) = clip() else { return };
    let cases: Vec<Value> =
        serde_json::from_str(&fs::read_to_string(folder.join("cases.json")).expect("cases")).expect("cases");
    assert!(cases.len() > 20);
    for case in cases {
        let text = case["text"].as_str().expect("a text");
        assert_eq!(clip.encode(text).ids, ids(&case["ids"]), "{text:?}");
    }
}

/// The same vocabulary in one file, as newer folders have it.
#[test]
fn tokenizer_json_is_the_same_tokenizer() {
    let pairs: Vec<Value> =
        golden("merges.txt").lines().skip(1).map(|line| json!(line.split(' ').collect::<Vec<_>>())).collect();
    let lines: Vec<Value> = golden("merges.txt").lines().skip(1).map(|line| json!(line)).collect();
    let vocab: Value = serde_json::from_str(&golden("vocab.json")).expect("a vocabulary");
    let separate = configured(json!({}));
    for merges in [pairs, lines] {
        let model = json!({"type": "BPE", "end_of_word_suffix": "</w>", "vocab": vocab, "merges": merges});
        let added = json!([{"id": 1112, "content": "<|startoftext|>"}, {"id": 1113, "content": "<|endoftext|>"}]);
        let whole = json!({"model": model, "added_tokens": added}).to_string();
        let whole =
            Tokenizer::load(&TokenizerFiles { tokenizer: Some(whole), ..Default::default() }).expect("it loads");
        for text in ["a red heart, 3 cats", "naïve 猫 <|endoftext|> !"] {
            assert_eq!(whole.encode(text), separate.encode(text));
        }
    }
}

#[test]
fn what_does_not_fit_is_left_out_by_word_and_the_rest_is_padded() {
    let tokenizer = configured(json!({"model_max_length": 5}));
    let whole = tokenizer.encode("cat");
    assert!(whole.left_out.is_empty());
    let padded = tokenizer.encode_padded("cat");
    assert_eq!((padded.ids.len(), padded.ids[4], tokenizer.length()), (5, 1113, 5));
    assert_eq!(padded.ids[..whole.ids.len()], whole.ids);
    let bang = configured(json!({"model_max_length": 5, "pad_token": "!"}));
    assert_eq!(bang.encode_padded("").ids, [1112, 1113, 0, 0, 0]);
    let long = tokenizer.encode("1 2 3 4 five<|endoftext|>");
    assert_eq!(long.ids.len(), 5);
    assert_eq!(long.left_out, ["4", "five", "<|endoftext|>"]);
    let in_part = tokenizer.encode("猫猫");
    assert_eq!((in_part.ids.len(), in_part.left_out), (5, vec!["猫猫".to_owned()]));
}

/// `special_tokens_map.json` is above `tokenizer_config.json`, unless that lists its tokens itself.
#[test]
fn the_padding_token_is_the_one_that_transformers_takes() {
    let load = |config: Value| {
        let special_tokens = Some(json!({"pad_token": {"content": "!"}}).to_string());
        Tokenizer::load(&TokenizerFiles { config: Some(config.to_string()), special_tokens, ..small() })
            .expect("it loads")
    };
    let padding = |config| load(config).encode_padded("").ids[2];
    assert_eq!(padding(json!({"pad_token": "<|endoftext|>"})), 0);
    assert_eq!(padding(json!({"pad_token": "<|endoftext|>", "added_tokens_decoder": {}})), 1113);
}

#[test]
fn what_cannot_be_used_is_refused_in_a_sentence() {
    let json = |text: &str| Some(text.to_owned());
    let unigram = json(r#"{"model": {"type": "Unigram"}}"#);
    let gpt2 = json(r#"{"model": {"type": "BPE", "vocab": {}, "merges": []}}"#);
    for (files, part) in [
        (TokenizerFiles { merges: None, ..small() }, "no merges.txt"),
        (TokenizerFiles::default(), "no vocab.json"),
        (TokenizerFiles { vocab: json("["), ..small() }, "vocab.json"),
        (TokenizerFiles { vocab: json(r#"{"a": "b"}"#), ..small() }, "ids"),
        (TokenizerFiles { merges: json("#version: 0.2\na b c"), ..small() }, "\"a b c\""),
        (TokenizerFiles { merges: json("qq qqq"), ..small() }, "merge 1"),
        (TokenizerFiles { config: json("{"), ..small() }, "tokenizer_config.json"),
        (TokenizerFiles { config: json(r#"{"pad_token": "<pad>"}"#), ..small() }, "padding token \"<pad>\""),
        (TokenizerFiles { config: json(r#"{"model_max_length": 1}"#), ..small() }, "model_max_length is 1"),
        (TokenizerFiles { tokenizer: unigram, ..Default::default() }, "Unigram"),
        (TokenizerFiles { tokenizer: gpt2, ..Default::default() }, "</w>"),
    ] {
        let refusal = Tokenizer::load(&files).err().unwrap_or_else(|| panic!("accepted: {part}")).to_string();
        assert!(refusal.contains(part) && refusal.ends_with('.'), "{refusal}");
    }
}

proptest! {
    #[test]
    fn any_text_has_ids(text in any::<String>(), length in 2_usize..40) {
        let tokenizer = configured(json!({"model_max_length": length}));
        let tokens = tokenizer.encode(&text);
        prop_assert!(tokens.ids.len() <= length && tokens.ids.len() >= 2);
        prop_assert!(tokens.ids.iter().all(|id| *id < 1114));
        prop_assert_eq!(tokenizer.encode_padded(&text).ids.len(), length);
    }
}
