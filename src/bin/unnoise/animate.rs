//! The steps of a run as an animation, or as a ZIP of PNGs.

use crate::output::{self, WriteError};
use clap::{Args as ClapArgs, ValueEnum};
use std::path::{Path, PathBuf};
use unnoise::animation::{self, Film, FilmError, Format, Pace, Scene, Step};
use unnoise::provenance::{Made, Part};
use unnoise::session::Frame;

#[derive(ClapArgs)]
pub struct Animate {
    /// Also write the steps as an animation (.gif, or .png and .apng with every colour), or as PNGs with a list of their levels (.zip)
    #[arg(long, value_name = "GIF|PNG|ZIP")]
    animate: Option<PathBuf>,
    /// What of a step the animation shows
    #[arg(long, value_enum, default_value_t = Shows::X, requires = "animate")]
    shows: Shows,
    /// Animate this image alone, from 1 on, instead of the sheet
    #[arg(long, value_name = "N", requires = "animate")]
    only: Option<usize>,
    /// Pixels a side of a pixel of the animation
    #[arg(long, value_name = "N", default_value_t = 1, requires = "animate")]
    zoom: usize,
    /// Frames a second of the animation
    #[arg(long, value_name = "N", default_value_t = 10.0, requires = "animate")]
    rate: f64,
    /// Seconds for which its last frame stays besides
    #[arg(long, value_name = "SECONDS", default_value_t = 2.0, requires = "animate")]
    hold: f64,
}

#[derive(Clone, Copy, ValueEnum)]
enum Shows {
    /// The points
    X,
    /// The estimates
    X0,
    /// Both, side by side
    Both,
}

impl From<Shows> for animation::Shows {
    fn from(shows: Shows) -> Self {
        match shows {
            Shows::X => Self::Points,
            Shows::X0 => Self::Estimates,
            Shows::Both => Self::Both,
        }
    }
}

/// The frames of a run that is going on.
pub struct Recorder {
    path: PathBuf,
    format: Format,
    scene: Scene,
    pace: Pace,
    frames: Vec<(Vec<u8>, Option<Vec<u8>>, Step)>,
}

impl Animate {
    /// What takes the frames of a run of so many images, if they are wanted; what no film can be is refused before the run.
    pub fn recorder(&self, images: usize, shape: [usize; 3]) -> Result<Option<Recorder>, Box<dyn std::error::Error>> {
        let Some(path) = self.animate.clone() else { return Ok(None) };
        output::has_place(&path)?;
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        let format = Format::of_ending(ending);
        let format =
            format.ok_or_else(|| format!("--animate writes .gif, .png, .apng or .zip, not {}", path.display()))?;
        let image = self.only.map(|n| n.checked_sub(1).ok_or(FilmError::Image { image: n, images })).transpose()?;
        let scene = Scene { shows: self.shows.into(), image, zoom: self.zoom.max(1), images, shape };
        let pace = Pace { rate: self.rate, hold: self.hold };
        Film::new(format, scene, pace, 2)?;
        Ok(Some(Recorder { path, format, scene, pace, frames: Vec::new() }))
    }
}

impl Recorder {
    /// Takes the bytes of a frame.
    pub fn push(&mut self, frame: &Frame, x: &[u8], denoised: Option<&[u8]>) {
        let level = frame.level;
        let [t, alpha, sigma] = [level.t, level.alpha, level.sigma];
        let step = Step { step: frame.step, t, alpha, sigma, texts: Vec::new() };
        self.frames.push((x.to_vec(), denoised.map(<[u8]>::to_vec), step));
    }

    /// Writes the file, whose PNGs say how they were made where that is given.
    pub fn write(mut self, made: Option<Made<'_>>, link: &str) -> Result<PathBuf, Box<dyn std::error::Error>> {
        let part = Part { image: self.scene.image.map(|image| image + 1), ..Part::default() };
        let texts = |step| made.map(|made| Made { part: Part { step, ..part }, ..made }.texts()).into_iter().flatten();
        let mut film = Film::new(self.format, self.scene, self.pace, self.frames.len())?;
        if film.looks() {
            self.frames.iter().for_each(|(x, denoised, _)| film.look(x, denoised.as_deref()));
        }
        let last = self.frames.last().map_or(0, |(.., step)| step.step);
        for (x, denoised, step) in &mut self.frames {
            if self.format == Format::Zip {
                // The last one is the picture itself.
                step.texts = texts((step.step != last).then_some(step.step))
                    .map(|(keyword, text)| (keyword.to_owned(), text))
                    .collect();
            }
            film.add(x, denoised.as_deref(), step)?;
        }
        let mut file = film.finish(link)?;
        if let (Format::Apng, Some(made)) = (self.format, made) {
            file = Made { part: Part { shows: Some("animation"), ..part }, ..made }.into_png(&file)?;
        }
        write(&self.path, &file)?;
        Ok(self.path)
    }
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), WriteError> {
    std::fs::write(path, bytes).map_err(|e| WriteError::new(path, &e))
}
