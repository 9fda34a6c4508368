//! What the measures of a model have in common: the model, the pictures, a bar, a table.

use crate::Outcome;
use crate::device::{Device, load};
use crate::output::{self, WriteError};
use clap::Args as ClapArgs;
use indicatif::{ProgressBar, ProgressStyle};
use std::path::{Path, PathBuf};
use unnoise::dataset::pictures::{self, Format};
use unnoise::eval::Pictures;
use unnoise::eval::statistics::{mean, spread};
use unnoise::picture::Placing;
use unnoise::pipeline::Pipeline;
use unnoise::settings::Settings;

#[derive(ClapArgs)]
pub struct OfModel {
    /// Model folder in the diffusers layout
    #[arg(long, value_name = "DIR", default_value = "models/fashion-mnist")]
    model: PathBuf,
    /// Class number of the pictures [default: no label]
    #[arg(long, value_name = "CLASS")]
    class: Option<usize>,
}

#[derive(ClapArgs)]
pub struct OfData {
    /// Pictures: a PNG, a folder of PNGs, or an IDX file of images, gzipped or not
    #[arg(long, value_name = "PATH")]
    data: PathBuf,
    /// Number of pictures, the first ones of the data [default: 2, or 1 where there is only one]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    images: Option<u16>,
    /// Also write a table of comma-separated values
    #[arg(long, value_name = "CSV")]
    pub csv: Option<PathBuf>,
}

/// Pictures that are measured, unless it is said otherwise.
const IMAGES: usize = 2;

impl OfModel {
    /// Opens the processor, loads the model and hands both to `work`.
    pub async fn run(&self, work: impl FnOnce(&Pipeline, &Pictures) -> Outcome) -> Outcome {
        let (model, opened) = load(&self.model, Device::Cpu).await?;
        work(&model, &Pictures::new(&model, self.class, &opened.device)?)
    }

    /// The same for a prompt, of a model that may draw latents.
    pub async fn run_prompt(&self, prompt: &str, work: impl FnOnce(&Pipeline, &Pictures) -> Outcome) -> Outcome {
        let (model, opened) = load(&self.model, Device::Cpu).await?;
        Settings { prompt: prompt.to_owned(), ..Settings::default() }.fitted(Some(model.facts()))?;
        work(&model, &Pictures::or_latents(&model, self.class, &opened.device)?.of_prompt(prompt))
    }
}

impl OfData {
    pub fn pictures(&self, model: &Pipeline) -> Result<Vec<Vec<f64>>, Box<dyn std::error::Error>> {
        if let Some(csv) = &self.csv {
            output::has_place(csv)?;
        }
        let format = format(model);
        Ok(match self.images {
            Some(images) => pictures::read(&self.data, images.into(), &format)?,
            None => pictures::read_some(&self.data, IMAGES, &format)?,
        })
    }
}

/// How pictures are read for a model.
pub fn format(model: &Pipeline) -> Format {
    Format {
        shape: model.picture(),
        range: model.card.range,
        background: model.card.background,
        placing: Placing::MIDDLE,
    }
}

/// A bar of `len` things called `unit`.
pub fn bar(len: usize, unit: &str) -> ProgressBar {
    let template = format!("{{bar:30}} {{pos}}/{{len}} {unit} · {{eta}} left · {{msg}}");
    ProgressBar::new(len as u64).with_style(ProgressStyle::with_template(&template).expect("the template is sound"))
}

/// What `work` makes, behind a bar of `len` pictures.
pub fn watched<T, E>(len: usize, what: &str, work: impl FnOnce(&mut dyn FnMut(usize)) -> Result<T, E>) -> Result<T, E> {
    let bar = bar(len, what);
    let made = work(&mut |done| bar.set_position(done as u64));
    bar.finish_and_clear();
    made
}

/// Writes `rows` of comma-separated values below the names of their columns.
pub fn table(path: &Path, columns: &str, rows: impl Iterator<Item = String>) -> Result<(), WriteError> {
    let lines = [columns.to_owned()].into_iter().chain(rows).map(|line| line + "\n");
    output::text(path, &lines.collect::<String>())
}

/// Mean and standard deviation of noise that should be standard normal, in words.
pub fn noise(values: &[f64]) -> String {
    let (mean, deviation) = spread(values);
    format!("noise: mean {mean:.4}, standard deviation {deviation:.4}")
}

/// `mean ± standard error`, or the mean alone.
pub fn stated(values: &[f64]) -> String {
    match mean(values) {
        (mean, Some(error)) => format!("{mean:.4} ± {error:.4}"),
        (mean, None) => format!("{mean:.4}"),
    }
}
