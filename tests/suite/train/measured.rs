//! `unnoise eval` and `unnoise quality` on a model and a classifier of a moment's training.
#![cfg(feature = "cli")]

use super::scratch::{CLASSIFIER, NEVER, Scratch, TINY};
use serde_json::Value;
use std::fs;
use std::process::Command;
use unnoise::math::TorchGenerator;

/// A data set in the folder, and the folders `model` and `judge` made from it.
fn trained(tag: &str) -> Scratch {
    let scratch = Scratch::new(tag);
    let noise = TorchGenerator::new(3).rand_f64(40 * 64);
    scratch.write_idx("images.gz", &[40, 8, 8], &noise.iter().map(|v| (255.0 * v) as u8).collect::<Vec<_>>());
    scratch.write_idx("labels.gz", &[40], &[0, 1].repeat(20));
    let named = ("clip_denoised = true", "clip_denoised = true\nclassifier = \"judge\"");
    scratch
        .train(&scratch.recipe(TINY, &[("images = 1600", "images = 8"), named]), "model", false, NEVER)
        .expect("a model");
    scratch
        .train(&scratch.recipe(CLASSIFIER, &[("images = 800", "images = 8")]), "judge", false, NEVER)
        .expect("a judge");
    scratch
}

/// What `unnoise COMMAND --data FOLDER …` prints.
fn printed(scratch: &Scratch, command: &str, words: &[&str]) -> String {
    let mut program = Command::new(env!("CARGO_BIN_EXE_unnoise"));
    let out = program.current_dir(&scratch.0).args([command, "--data", "."]).args(words).output().expect("it starts");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).expect("text")
}

/// The floor is a matter of the test pictures alone. What was recorded by another rule goes, and the rows stay as they were measured.
#[test]
fn a_floor_is_renewed_where_no_row_is_new() {
    let scratch = trained("floor");
    let measured = || -> Value {
        let words = ["--record", "record.json", "--models", "model", "--samplers", "ddim", "--steps", "2"];
        printed(&scratch, "quality", &[&words[..], &["--guidance", "1", "--samples", "10"]].concat());
        serde_json::from_slice(&scratch.read("record.json")).expect("a record")
    };
    let first = measured();
    assert_eq!(first["model"]["rows"].as_array().map(Vec::len), Some(2), "{first}");
    let mut old = first.clone();
    old["model"]["test"]["frechet"] = 7.0.into();
    assert_ne!(old, first);
    fs::write(scratch.0.join("record.json"), old.to_string()).expect("written");
    assert_eq!(measured(), first);
}

#[test]
fn the_link_of_an_evaluation_names_its_model() {
    let words = ["--model", "model", "--sampler", "ddim", "--steps", "2", "--samples", "10"];
    let said = printed(&trained("eval-link"), "eval", &words);
    assert!(said.contains("#model=model&sampler=ddim&steps=2&"), "{said}");
}
