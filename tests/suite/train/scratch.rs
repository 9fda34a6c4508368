//! A folder of a test's own with pictures of stripes, and recipes for them.

use burn::tensor::{Device, Tensor};
use flate2::Compression;
use flate2::write::GzEncoder;
use pollster::block_on;
use std::fs;
use std::io::Write;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use unnoise::backend::{self, Backend};
use unnoise::train::{Job, Outcome, RunError, run};

pub const TINY: &str = include_str!("../../../recipes/tiny.toml");
pub const NEVER: usize = usize::MAX;
pub const CLASSIFIER: &str = r#"
[data]
dataset = "stripes"
format = "idx"
images = "images.gz"
labels = "labels.gz"
test_images = "images.gz"
test_labels = "labels.gz"
[classifier]
in_channels = 1
num_classes = 2
block_out_channels = [8, 16]
layers_per_block = 1
norm_num_groups = 4
[schedule]
kind = "linear"
timesteps = 1000
beta_start = 0.0001
beta_end = 0.02
[objective]
prediction = "class"
clean_share = 0.5
[train]
seed = 7
images = 800
batch = 8
lr = 3e-3
warmup_images = 80
betas = [0.9, 0.99]
weight_decay = 0.01
clip = 1.0
ema_decays = [0.9]
precision = "no"
checkpoint_minutes = 1.0
"#;

/// A folder that is gone when the test is.
pub struct Scratch(pub PathBuf);

impl Scratch {
    pub fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("unnoise-train-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).expect("a temporary folder");
        let scratch = Self(path);
        scratch.stripes(37);
        scratch
    }

    pub fn write_idx(&self, name: &str, shape: &[usize], bytes: &[u8]) {
        let mut file = GzEncoder::new(Vec::new(), Compression::fast());
        file.write_all(&[0, 0, 8, shape.len() as u8]).expect("memory");
        shape.iter().for_each(|&n| file.write_all(&(n as u32).to_be_bytes()).expect("memory"));
        file.write_all(bytes).expect("memory");
        fs::write(self.0.join(name), file.finish().expect("memory")).expect("written");
    }

    /// 8x8 pictures, striped across (class 0) or down (class 1); a batch of 8 does not divide their number.
    fn stripes(&self, count: usize) {
        let pixel = |i: usize, y: usize, x: usize| {
            if ((if i.is_multiple_of(2) { y } else { x }) + i) % 4 / 2 == 1 { 255 } else { 0 }
        };
        let bytes: Vec<u8> = (0..count * 64).map(|k| pixel(k / 64, k / 8 % 8, k % 8)).collect();
        self.write_idx("images.gz", &[count, 8, 8], &bytes);
        self.write_idx("labels.gz", &[count], &(0..count).map(|i| (i % 2) as u8).collect::<Vec<_>>());
    }

    /// `recipes/tiny.toml`, or `text` in its place, with these replacements.
    pub fn recipe(&self, text: &str, edits: &[(&str, &str)]) -> PathBuf {
        let edit = |text: String, (from, to): &(&str, &str)| {
            assert!(text.contains(from), "{from}");
            text.replace(from, to)
        };
        let path = self.0.join("recipe.toml");
        fs::write(&path, edits.iter().fold(text.to_owned(), edit)).expect("written");
        path
    }

    /// Trains into the folder `out`, and stops after step `stop`.
    pub fn train(&self, recipe: &Path, out: &str, resume: bool, stop: usize) -> Result<Outcome, RunError> {
        let (out, device) = (self.0.join(out), device());
        let job = Job { recipe, data: &self.0, out: &out, resume, device: &device };
        run(&job, &mut |progress| {
            if progress.step == stop { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })
    }

    pub fn read(&self, path: &str) -> Vec<u8> {
        fs::read(self.0.join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
    }

    /// The column `name` of a log, where it has a value.
    pub fn column(&self, out: &str, name: &str) -> Vec<f64> {
        let log = String::from_utf8(self.read(&format!("{out}/log.csv"))).expect("a text");
        let at = log.lines().next().expect("columns").split(',').position(|other| other == name).expect("the column");
        log.lines().skip(1).filter_map(|row| row.split(',').nth(at)?.parse().ok()).collect()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub fn device() -> Device {
    block_on(backend::open(Backend::Cpu)).expect("the CPU backend is compiled in").device
}

pub fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    block_on(backend::read(tensor)).expect("the CPU does not fail")
}
