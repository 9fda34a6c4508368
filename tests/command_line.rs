//! The command line as it is typed: what it refuses, and in which words; what it prints.
#![cfg(feature = "cli")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Runs the program in the repository's root.
fn unnoise(words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_unnoise"));
    command.args(words).current_dir(env!("CARGO_MANIFEST_DIR")).output().expect("it starts")
}

fn printed(words: &[&str]) -> String {
    let output = unnoise(words);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{words:?} failed: {said}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

fn refused(words: &[&str]) -> String {
    let output = unnoise(words);
    assert!(!output.status.success(), "{words:?} is accepted: {}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A place for a file of a test's own.
fn place(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("command-line");
    fs::create_dir_all(&folder).expect("a folder");
    folder.join(name)
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path of plain letters")
}

/// A model without classes and without a card, whose scheduler is one of the records'.
fn classless() -> PathBuf {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/schedulers");
    let folder = place("classless");
    fs::create_dir_all(folder.join("unet")).expect("a folder");
    for name in ["config.json", "diffusion_pytorch_model.safetensors"] {
        fs::copy(golden.join("networks/eps").join(name), folder.join("unet").join(name)).expect("a copy");
    }
    folder
}

#[test]
fn a_link_to_a_model_that_is_nowhere_here_says_how_to_get_it() {
    for (link, says) in [
        (
            "#model=hub:google/ddpm-cifar10-32@main&steps=2",
            "`hf download google/ddpm-cifar10-32 --revision main --local-dir ddpm-cifar10-32` (or `git clone https://huggingface.co/google/ddpm-cifar10-32`), and add `--model ddpm-cifar10-32`",
        ),
        ("#model=own:cats", "a folder cats on the computer of whoever made the link"),
    ] {
        let said = refused(&["sample", "--link", link, "--out", text(&place("nowhere.png"))]);
        assert!(said.contains(says) && said.trim().lines().count() == 1, "{link}: {said}");
    }
    let (model, out) = (text(&classless()).to_owned(), place("somewhere.png"));
    let link = "#model=hub:google/ddpm-cifar10-32&steps=2&images=1";
    printed(&["sample", "--link", link, "--model", &model, "--out", text(&out)]);
}

#[test]
fn what_cannot_act_is_refused_with_the_reason() {
    let (classless, out) = (classless(), place("refused.png"));
    if out.exists() {
        fs::remove_file(&out).expect("what an earlier run of this test left");
    }
    for (words, says) in [
        (&["--link", "foo"][..], "is no share link"),
        (&["--link", "#lab&data=moons"], "a link of the lab"),
        (&["--sampler", "eulr"], "did you mean euler?"),
        (&["--schedule", "karas"], "did you mean karras?"),
        (&["--set", "stesp=3"], "did you mean steps?"),
        (&["--guidance", "3"], "guidance changes nothing here"),
        (&["--rescale", "0.5"], "rescale changes nothing here"),
        (&["--perp-weight", "2"], "perp-weight changes nothing here"),
        (&["--sampler", "heun", "--noise", "brownian"], "the sampler draws no noise"),
        (&["--sampler", "dopri5", "--steps", "9"], "chooses its own steps"),
        (&["--sampler", "heun", "--churn-min", "1"], "churn-min changes nothing here"),
        (&["--schedule", "custom:3,2,1", "--steps", "9"], "lists 3 levels"),
        (&["--image", "examples/pictures"], "is a folder"),
        (&["--image", "README.md"], "no PNG but something else"),
        (&["--sampler", "dopri5", "--python"], "no scheduler of diffusers"),
    ] {
        let words = [&["sample", "--model", text(&classless), "--out", text(&out)], words].concat();
        // A script goes to the terminal.
        let words: Vec<_> = if words.contains(&"--python") {
            words.into_iter().filter(|word| *word != "--out" && *word != text(&out)).collect()
        } else {
            words
        };
        let said = refused(&words);
        assert!(said.contains(says), "{words:?}: {said}");
    }
    assert!(!out.exists());
    let said = refused(&["sample", "--model", "models/fashion-mnits", "--out", text(&out)]);
    assert!(said.contains("did you mean models/fashion-mnist?"), "{said}");
}

#[test]
fn a_folder_without_classes_or_card_is_drawn_as_its_scheduler_says_and_its_link_has_no_class() {
    let (classless, out) = (classless(), place("classless.png"));
    let words = ["sample", "--model", text(&classless), "--steps", "3", "--images", "1", "--out", text(&out)];
    let said = printed(&words);
    let link = said.split(' ').next_back().expect("a link").trim();
    assert_eq!(link, "#model=classless&sampler=ddpm&steps=3&schedule=model&seed=7&images=1");
    let pixels = fs::read(&out).expect("a picture");
    let linked = place("linked.png");
    printed(&["sample", "--link", link, "--model", text(&classless), "--out", text(&linked)]);
    assert_eq!(fs::read(&linked).expect("a picture"), pixels);
}

#[test]
fn lists_fit_a_terminal() {
    for words in [&["list"][..], &["list", "schedules"]] {
        let printed = printed(words);
        let longest = printed.lines().map(|line| line.chars().count()).max();
        assert!(longest <= Some(80) && printed.lines().count() > 19, "{longest:?} columns:\n{printed}");
    }
    assert!(printed(&["list", "--wide"]).contains("| diffusers | paper |"));
    assert!(refused(&["list", "schedules", "--wide"]).contains("--wide is of samplers"));
}

#[test]
fn a_comparison_keeps_the_given_order_and_takes_settings() {
    let rows = |words: &[&str]| {
        let printed = printed(&[&["compare", "--evaluations", "6", "--reference", "60"], words].concat());
        let rows: Vec<String> = printed.lines().filter(|line| line.starts_with("| `")).map(str::to_owned).collect();
        (printed, rows)
    };
    let (said, asked) = rows(&["--samplers", "heun,ddim,euler"]);
    assert!(said.contains("trailing spacing"), "{said}");
    let ids: Vec<&str> = asked.iter().filter_map(|row| row.split('`').nth(1)).collect();
    assert_eq!(ids, ["heun", "ddim", "euler"]);
    assert_ne!(rows(&["--samplers", "heun,ddim,euler", "--set", "schedule=karras"]).1, asked);
    let deis = |order: &str| rows(&["--samplers", "deis", "--set", &format!("order={order}")]).1;
    assert_ne!(deis("1"), deis("3"));
    for (words, says) in [
        (&["--samplers", "huen"][..], "did you mean heun?"),
        (&["--samplers", "heun", "--set", "eta=1"], "Heun has no eta"),
        (&["--set", "eta=1"], "name them with --samplers"),
        (&["--set", "guidance=3"], "guidance changes nothing on the Gaussians"),
        (&["--set", "schedule=model"], "choose a schedule by name"),
    ] {
        let said = refused(&[&["compare"], words].concat());
        assert!(said.contains(says), "{words:?}: {said}");
    }
    let words = ["--model", "models/selftest", "--samplers", "ddim", "--set", "class=1", "--set", "images=2"];
    let (said, one) = rows(&words);
    assert!(said.contains("2 pictures with values -1 to 1, guidance 1"), "{said}");
    assert_ne!(rows(&[&words[..4], &["--set", "class=0", "--set", "images=2"]].concat()).1, one);
}

#[test]
fn a_single_picture_is_measured_as_one() {
    let words = ["--model", "models/selftest", "--class", "0", "--data"];
    let likelihood = |data: &[&str]| unnoise(&[&["likelihood", "--steps", "1"], &words[..], data].concat());
    let said = |output: Output| String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    let one = said(likelihood(&["examples/boot.png"]));
    assert!(one.contains("bits/dim over 1 image"), "{one}");
    let two = said(likelihood(&["examples/pictures"]));
    assert!(two.contains("bits/dim over 2 images"), "{two}");
    let three = said(likelihood(&["examples/boot.png", "--images", "3"]));
    assert!(three.contains("holds 1 picture, 3 are needed"), "{three}");
}
