//! The judge of text models: its training beside Python's, and what the shipped one says.

use super::python;
use super::scratch::{NEVER, Scratch, device, values};
use super::text::{GOLDEN, KNOWN, copy, course, numbers, text, train};
use burn::tensor::{Tensor, TensorData};
use safetensors::SafeTensors;
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::Command;
use unnoise::models::judge::Judge;
use unnoise::pipeline::text::Tokenizer;
use unnoise::train::Outcome;

/// A judge and its tokenizer.
fn judge(folder: &Path) -> (Judge, Tokenizer) {
    let read = |name: &str| fs::read(folder.join(name)).unwrap_or_else(|e| panic!("{name}: {e}"));
    let config = String::from_utf8(read("config.json")).expect("a text");
    let net = Judge::load(&config, &[read("judge.safetensors")], &device()).unwrap_or_else(|e| panic!("{e}"));
    (net, Tokenizer::from_dir(&folder.join("tokenizer")).expect("a tokenizer"))
}

fn captions((net, tokenizer): &(Judge, Tokenizer), captions: &[&str]) -> Vec<f32> {
    let ids: Vec<_> = captions.iter().map(|caption| tokenizer.encode_padded(caption).ids).collect();
    values(net.captions(&ids))
}

/// The vectors are of length 1, and a dozen sums deep.
fn close(got: &[f32], known: &Value) {
    let known: Vec<f64> = known.as_array().expect("rows").iter().flat_map(numbers).collect();
    let far = got.iter().zip(&known).map(|(got, known)| (f64::from(*got) - known).abs()).fold(0.0, f64::max);
    eprintln!("{far:.1e}");
    assert_eq!(got.len(), known.len());
    assert!(far < 5e-6, "{far}");
}

#[test]
fn the_shipped_judge_says_what_it_says_in_python() {
    let judge = judge(&Path::new(env!("CARGO_MANIFEST_DIR")).join("training/emoji-judge"));
    let known = &KNOWN["judge"];
    let told: Vec<&str> = known["captions"].as_array().expect("a list").iter().filter_map(Value::as_str).collect();
    assert_eq!(told.len(), 4);
    close(&captions(&judge, &told), &known["of_captions"]);
    // The pictures of `judged` in training/make_text.py.
    let rows = [[[1, 0], [0, 1], [3, 2]], [[5, 1], [2, 7], [0, 2]]];
    let plane = |[across, down]: [usize; 2]| {
        (0..64 * 64).map(move |i| ((across * (i % 64) + down * (i / 64)) % 64) as f32 / 31.5 - 1.0)
    };
    let pixels = rows.into_iter().flatten().flat_map(plane).collect();
    let pictures = Tensor::<4>::from_data(TensorData::new(pixels, [2, 3, 64, 64]), &device());
    close(&values(judge.0.pictures(pictures)), &known["of_pictures"]);
    let scale = known["scale"].as_f64().expect("a number").min(4.6).exp();
    assert!((f64::from(values(judge.0.scale())[0]) / scale - 1.0).abs() < 1e-6);
}

/// Relative. Similarities are multiplied by 15, and AdamW's first steps are as long for a small gradient as for a large one: normal noise of 1e-5
/// in the pictures moves the losses of Python itself by up to 1.3e-4. The roundings of a place on a sprite are worth up to 4e-5, and a colour
/// that was rounded to the other byte 8e-3 (see `text.rs`).
const TOLERANCE: f64 = 1e-3;

#[test]
fn a_judge_learns_on_the_course_of_python() {
    let scratch = Scratch::new("judge");
    let (outcome, losses) = train(&scratch, "judge.toml", &[], "out", false, NEVER);
    course(&losses, "judge", TOLERANCE);
    assert_eq!(outcome, Outcome::Done { held_out: Vec::new(), accuracy: None });
    let tokenizer = "tokenizer/merges.txt";
    assert_eq!(scratch.read(&format!("out/{tokenizer}")), scratch.read(&format!("judge-start/{tokenizer}")));
    // The folder is Python's, tensor by tensor and section by section.
    let tensors = |folder: &str| -> Vec<_> {
        let bytes = scratch.read(&format!("{folder}/judge.safetensors"));
        let file = SafeTensors::deserialize(&bytes).expect("safetensors");
        let mut all: Vec<_> =
            file.tensors().into_iter().map(|(name, view)| (name, view.dtype(), view.shape().to_vec())).collect();
        all.sort_by(|a, b| a.0.cmp(&b.0));
        all
    };
    assert_eq!(tensors("out"), tensors("judge-start"));
    let config = |folder: &str| -> Value {
        serde_json::from_slice(&scratch.read(&format!("{folder}/config.json"))).expect("JSON")
    };
    assert_eq!(config("out"), config("judge-start"));
}

#[test]
fn a_judge_is_trained_from_nothing_and_goes_on_with_the_same_bits() {
    let scratch = Scratch::new("judge-anew");
    let anew = ("init = \"judge-start\"\n", "");
    let (_, straight) = train(&scratch, "judge.toml", &[anew], "straight", false, NEVER);
    // The same merges need not be learnt twice.
    copy(&scratch.0.join("straight/tokenizer"), &scratch.0.join("broken/tokenizer"));
    let (stopped, first) = train(&scratch, "judge.toml", &[anew], "broken", false, 5);
    assert_eq!(stopped, Outcome::Stopped { step: 5, steps: 12 });
    assert_eq!(first, straight[..5]);
    train(&scratch, "judge.toml", &[anew], "broken", true, NEVER);
    let weights = |out: &str| scratch.read(&format!("{out}/judge.safetensors"));
    assert!(weights("straight") == weights("broken"));
    // It started from torch's scale and from embeddings of transformers' deviation, 0.02.
    let made = judge(&scratch.0.join("straight"));
    assert!((values(made.0.scale())[0].ln() - 2.7).abs() < 0.05);
    let name = "text_encoder.embeddings.token_embedding.weight";
    let (embedding, _) = unnoise::models::values(&weights("straight"), name).expect("an embedding");
    let deviation = (embedding.iter().map(|v| v * v).sum::<f32>() / embedding.len() as f32).sqrt();
    assert!((0.015..0.03).contains(&deviation), "{deviation}");

    let Some(python) = python() else {
        eprintln!("no Python with torch and diffusers (UNNOISE_PYTHON names one): the folder is not read there");
        return;
    };
    let script = "import json, sys, torch; sys.path.insert(0, sys.argv[1]); from pathlib import Path; from judging import read_judge\n\
                  judge, tokens = read_judge(Path(sys.argv[2]), torch.device('cpu'))\n\
                  print(json.dumps(judge.captions(torch.from_numpy(tokens(['aao ball', '两只咦宆']))).tolist()))";
    let training = Path::new(env!("CARGO_MANIFEST_DIR")).join("training");
    let ran = Command::new(python)
        .args(["-c", script])
        .args([training, scratch.0.join("straight")])
        .env("OMP_NUM_THREADS", "1")
        .output()
        .expect("Python starts");
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    close(&captions(&made, &["aao ball", "两只咦宆"]), &serde_json::from_slice(&ran.stdout).expect("JSON"));
}

#[test]
fn what_is_no_judge_is_refused_in_a_sentence() {
    let config = text("judge-start/config.json");
    let weights = fs::read(GOLDEN.join("judge-start/judge.safetensors")).expect("weights");
    for (from, to, part) in [
        ("\"judge\"", "\"jury\"", "judge"),
        ("\"tokenizer\"", "\"tokens\"", "tokenizer"),
        ("\"side\"", "\"sides\"", "side"),
        ("\"size\": 16", "\"size\": 0", "size"),
        ("\"size\": 600", "\"size\": -1", "size"),
        ("\"length\": 32", "\"length\": 33", "length"),
        ("\"train\"", "\"more\": 1, \"train\"", "more"),
        ("\"hidden_size\": 16", "\"hidden_size\": 16, \"depth\": 3", "depth"),
        ("\"side\": 4", "\"side\": 5", "picture_head"),
        ("{", "[", "judge"),
    ] {
        assert!(config.contains(from), "{from}");
        let said = Judge::load(&config.replacen(from, to, 1), &[&weights], &device()).expect_err(to).to_string();
        assert!(said.contains(part) && !said.contains('\n'), "{from} to {to}: {said}");
    }
}

/// Another one would be looked for without end.
#[test]
fn a_single_emoji_is_refused_in_a_sentence() {
    let scratch = Scratch::new("judge-one");
    copy(&GOLDEN, &scratch.0);
    let (first, others) =
        text("toy.json").split_once("\"base\"").map(|(a, b)| (a.to_owned(), b.to_owned())).expect("a base");
    fs::write(scratch.0.join("toy.json"), first + "\"base\"" + &others.replace("\"base\"", "\"alternate\""))
        .expect("written");
    let shares =
        [("coloured = 0.2", "coloured = 0.0"), ("pairs = 0.21", "pairs = 0.0"), ("counts = 0.1", "counts = 0.0")];
    let recipe = scratch.recipe(&text("judge.toml"), &shares);
    let said = scratch.train(&recipe, "out", false, NEVER).expect_err("one emoji").to_string();
    assert!(said.contains("a single base emoji") && !said.contains('\n'), "{said}");
}
