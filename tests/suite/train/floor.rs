//! The record of `unnoise quality`.
#![cfg(feature = "cli")]

use super::scratch::{CLASSIFIER, NEVER, Scratch, TINY};
use serde_json::Value;
use std::fs;
use std::process::Command;
use unnoise::math::TorchGenerator;

/// The floor is a matter of the test pictures alone. What was recorded by another rule goes, and the rows stay as they were measured.
#[test]
fn a_floor_is_renewed_where_no_row_is_new() {
    let scratch = Scratch::new("floor");
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
    let record = scratch.0.join("record.json");
    let measured = || -> Value {
        let mut quality = Command::new(env!("CARGO_BIN_EXE_unnoise"));
        quality
            .arg("quality")
            .arg("--record")
            .arg(&record)
            .arg("--data")
            .arg(&scratch.0)
            .arg("--models")
            .arg(scratch.0.join("model"));
        let out = quality
            .args(["--samplers", "ddim", "--steps", "2", "--guidance", "1", "--samples", "10"])
            .output()
            .expect("it starts");
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        serde_json::from_slice(&scratch.read("record.json")).expect("a record")
    };
    let first = measured();
    assert_eq!(first["model"]["rows"].as_array().map(Vec::len), Some(2), "{first}");
    let mut old = first.clone();
    old["model"]["test"]["frechet"] = 7.0.into();
    assert_ne!(old, first);
    fs::write(&record, old.to_string()).expect("written");
    assert_eq!(measured(), first);
}
