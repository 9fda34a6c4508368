//! The command line as it is typed: what it refuses, and in which words; what it prints.
#![cfg(feature = "cli")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use unnoise::dataset::pictures::{self, Format};

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

/// Width and height of a PNG.
fn size(path: &Path) -> [u32; 2] {
    let bytes = fs::read(path).expect("a picture");
    // What the first chunk begins with.
    [16, 20].map(|at| u32::from_be_bytes(*bytes[at..].first_chunk().expect("a header")))
}

/// A small pipeline of words with random weights, whose latents are half as large as its pictures.
const WORDS: &str = "tests/golden/pipelines/text";

#[test]
fn where_each_word_looked_is_written_as_pictures_or_numbers() {
    let run =
        ["sample", "--model", WORDS, "--prompt", "a cat, the moon", "--steps", "2", "--images", "2", "--size", "24x16"];
    let out = place("words.png");
    let to = [&run[..], &["--out", text(&out), "--attention"]].concat();
    let [sheet, tensors, other] = ["attention.png", "attention.safetensors", "attention.npz"].map(place);
    let said = printed(&[&to[..], &[text(&sheet)]].concat());
    assert!(said.contains("a · cat · , · the · moon"), "{said}");
    // A row for each picture: itself and five words.
    assert_eq!(size(&sheet), [6 * 24, 2 * 16]);
    printed(&[&to[..], &[text(&tensors)]].concat());
    let bytes = fs::read(&tensors).expect("a file");
    let (_, metadata) = safetensors::SafeTensors::read_metadata(&bytes).expect("safetensors");
    assert!(metadata.metadata().as_ref().is_some_and(|about| about["words"].contains("\"cat\"")));
    let file = safetensors::SafeTensors::deserialize(&bytes).expect("safetensors");
    assert_eq!(file.tensor("maps").expect("maps").shape(), [2, 2, 12, 8, 12]);
    let said = refused(&[&to[..], &[text(&other)]].concat());
    assert!(said.contains("ends in .png or .safetensors"), "{said}");
    let said = refused(&["sample", "--model", "models/selftest", "--attention", text(&sheet)]);
    assert!(said.contains("reads no prompt"), "{said}");
}

#[test]
fn sizes_that_a_model_does_not_draw_are_refused_with_the_nearest() {
    let said = refused(&["sample", "--model", WORDS, "--size", "25x16", "--out", text(&place("size.png"))]);
    assert!(said.contains("multiples of 2") && said.contains("the nearest is 26x16"), "{said}");
    let said = refused(&["sample", "--model", WORDS, "--size", "wide", "--out", text(&place("size.png"))]);
    assert!(said.contains("such as 96x64"), "{said}");
    let printed = printed(&["info", WORDS]);
    assert!(printed.contains("sizes       from 4 pixels a side, in multiples of 2"), "{printed}");
}

#[test]
fn latents_are_inverted_and_compared_and_their_density_is_refused() {
    let (back, latent) = (place("back.png"), place("latent.safetensors"));
    let invert = ["invert", "--model", WORDS, "--image", "examples/boot.png", "--steps", "3", "--out", text(&back)];
    let invert = [&invert[..], &["--latent", text(&latent)]].concat();
    let said = printed(&invert);
    assert!(said.contains("round trip: RMS") && said.contains("of which the autoencoder alone: RMS"), "{said}");
    assert_eq!(size(&back), [16, 16]);
    let bytes = fs::read(&latent).expect("a file");
    let file = safetensors::SafeTensors::deserialize(&bytes).expect("safetensors");
    assert_eq!(file.tensor("latent").expect("a latent").shape(), [1, 4, 8, 8]);
    let noise = file.tensor("latent").expect("a latent").data().to_vec();
    printed(&[&invert[..], &["--prompt", "a cat"]].concat());
    let bytes = fs::read(&latent).expect("a file");
    let file = safetensors::SafeTensors::deserialize(&bytes).expect("safetensors");
    assert_ne!(file.tensor("latent").expect("a latent").data(), noise, "the prompt changes nothing");
    let said = refused(&[
        "invert",
        "--model",
        "models/selftest",
        "--class",
        "0",
        "--prompt",
        "a",
        "--image",
        "examples/boot.png",
    ]);
    assert!(said.contains("reads no texts"), "{said}");

    let sheet = place("sheet.png");
    let words =
        ["sheet", "--model", WORDS, "--samplers", "ddim,heun", "--steps", "2", "--prompt", "a cat", "--size", "16x24"];
    printed(&[&words[..], &["--out", text(&sheet)]].concat());
    assert_eq!(size(&sheet), [8 * 16, 2 * 24]);

    for measure in ["likelihood", "bound"] {
        let said = refused(&[measure, "--model", WORDS, "--data", "examples/boot.png"]);
        assert!(said.contains("density is none of pictures") && said.trim_end().ends_with('.'), "{said}");
    }
}

/// The rows of a grey PNG.
fn grey(path: &Path) -> Vec<Vec<f64>> {
    let [width, height] = size(path).map(|side| side as usize);
    let format = Format {
        shape: [1, height, width],
        range: [0.0, 1.0],
        background: [0; 3],
        placing: unnoise::picture::Placing::MIDDLE,
    };
    let all = pictures::read_one(path, &format).expect("a picture");
    all.chunks(width).map(<[f64]>::to_vec).collect()
}

/// The values of a grey PNG that is as high as wide.
fn values(path: &Path, side: usize) -> Vec<f64> {
    let format = Format {
        shape: [1, side, side],
        range: [0.0, 1.0],
        background: [0; 3],
        placing: unnoise::picture::Placing::MIDDLE,
    };
    pictures::read_one(path, &format).expect("a picture")
}

#[test]
fn a_grid_has_the_pictures_of_its_runs_and_their_numbers() {
    let [grid, one, table] = ["cells.png", "one.png", "cells.csv"].map(place);
    let link = "#model=selftest&sampler=ddim&images=1&class=1&guidance=1&seed=3&x=steps:2,5&y=sampler:ddim,heun";
    let to = ["grid", "--link", link, "--model", "models/selftest"];
    let said = printed(&[&to[..], &["--out", text(&grid), "--csv", text(&table)]].concat());
    assert!(said.contains("columns: steps 2, 5\nrows: sampler ddim, heun\n4 cells, 19 evaluations\n"), "{said}");
    assert!(said.contains("x=steps:2,5&y=sampler:ddim,heun"), "{said}");
    // Cells of 96 pixels with 8 between, 16 around the sheet, two lines of 11 above them and beside them room for the longest word.
    let (side, head) = (7 * 6 + 2 * 8, 2 * 11_usize);
    assert_eq!(size(&grid).map(|side| side as usize), [16 + side + 96 + 8 + 96 + 16, 16 + head + 96 + 8 + 96 + 16]);
    let run = ["sample", "--link", link, "--model", "models/selftest", "--steps", "5", "--sampler", "heun"];
    printed(&[&run[..], &["--out", text(&one)]].concat());
    let (sheet, picture) = (grey(&grid), values(&one, 12));
    let [left, top] = [16 + side + 96 + 8, 16 + head + 96 + 8];
    let corner = (0..12).flat_map(|y| (0..12).map(move |x| [left + 8 * x + 7, top + 8 * y]));
    assert_eq!(corner.map(|[x, y]| sheet[y][x]).collect::<Vec<_>>(), picture);
    let inked = |rows: std::ops::Range<usize>, columns: std::ops::Range<usize>| {
        rows.flat_map(|y| sheet[y][columns.clone()].to_vec()).filter(|v| *v < 0.5).count()
    };
    // "steps" above, "2" and "5" under it; "sampler", "ddim" and "heun" at the left.
    for (rows, columns) in [
        (16..24, 74..110),
        (27..35, 74..82),
        (27..35, 178..186),
        (27..35, 16..58),
        (38..46, 16..40),
        (142..150, 16..40),
    ] {
        assert!(inked(rows.clone(), columns.clone()) > 8, "{rows:?} {columns:?}");
    }
    assert_eq!(inked(0..16, 0..290) + inked(46..142, 0..74), 0, "between the words there is paper");
    let rows = fs::read_to_string(&table).expect("a table");
    let rows: Vec<Vec<&str>> = rows.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(rows[0], ["steps", "sampler", "evaluations", "seconds", "rms"]);
    let counted: Vec<_> = rows[1..].iter().map(|row| row[..3].join(" ")).collect();
    assert_eq!(counted, ["2 ddim 2", "5 ddim 5", "2 heun 3", "5 heun 9"]);
    assert_eq!((rows[1][4], rows[4][4] == "0.000000"), ("0.000000", false));

    let said = refused(&["grid", "--model", "models/selftest", "--out", text(&grid)]);
    assert!(said.contains("nothing changes across or down"), "{said}");
    let said =
        refused(&["grid", "--model", "models/selftest", "--x", "steps:1-9", "--y", "seed:1-9", "--out", text(&grid)]);
    assert!(said.contains("at most 64 cells"), "{said}");
    let eta = [
        "grid",
        "--model",
        "models/selftest",
        "--images",
        "1",
        "--steps",
        "2",
        "--x",
        "eta:0,1",
        "--y",
        "sampler:ddim,heun",
    ];
    let output = unnoise(&[&eta[..], &["--out", text(&grid)]].concat());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("column 1, row 2 is left empty: Heun has no eta"), "{said}");
}

#[test]
fn views_of_several_runs_are_named_where_one_is_drawn() {
    let link = "#images=1&steps=2&walk=seed:1,2&race=ddim&x=steps:2,3";
    let out = place("one-of-several.png");
    let output = unnoise(&["sample", "--link", link, "--model", "models/selftest", "--out", text(&out)]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    for (view, command) in [("walk", "unnoise walk"), ("race", "unnoise compare"), ("grid", "unnoise grid")] {
        assert!(said.contains(&format!("the link's {view} is left out; `{command}")), "{said}");
    }
}
