//! Floor 3: a run as a file that moves, GIF or APNG, or as a ZIP of its steps.
//!
//! What is seen of a frame is a [`Scene`]; a [`Film`] takes the frames one after the other, twice where its format has one palette for
//! all of them, and is the file in the end.

mod apng;
mod archive;
mod colours;
mod gif;
mod scene;

pub use archive::Step;
pub use scene::{Drawn, Scene, Shows};

use std::fmt::Display;
use std::ops::RangeInclusive;
use thiserror::Error;

/// What a film becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// At most 256 colours, the same for all frames.
    Gif,
    /// Every colour.
    Apng,
    /// A PNG for each step, and a list of their levels.
    Zip,
}

impl Format {
    /// By the ending of a file's name.
    pub fn of_ending(ending: &str) -> Option<Self> {
        match ending.to_ascii_lowercase().as_str() {
            "gif" => Some(Self::Gif),
            "apng" | "png" => Some(Self::Apng),
            "zip" => Some(Self::Zip),
            _ => None,
        }
    }
}

/// How fast a film runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace {
    /// Frames a second, within [`Pace::RATE`].
    pub rate: f64,
    /// Seconds for which the last frame stays besides, within [`Pace::HOLD`].
    pub hold: f64,
}

impl Pace {
    /// Browsers show no GIF faster.
    pub const RATE: RangeInclusive<f64> = 0.5..=50.0;
    pub const HOLD: RangeInclusive<f64> = 0.0..=60.0;

    /// How long a frame stays, in parts of a second of which there are so many.
    fn delay(self, last: bool, parts: f64) -> u16 {
        let seconds = 1.0 / self.rate + if last { self.hold } else { 0.0 };
        (seconds * parts).round().clamp(1.0, f64::from(u16::MAX)) as u16
    }
}

/// Why there is no film.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum FilmError {
    #[error("{rate} frames a second cannot be shown; take {} to {}", Pace::RATE.start(), Pace::RATE.end())]
    Rate { rate: f64 },
    #[error("the last frame cannot stay for {hold} s; take {} to {}", Pace::HOLD.start(), Pace::HOLD.end())]
    Hold { hold: f64 },
    #[error("{width} x {height} pixels are more than {} a side; take a smaller size", Scene::LARGEST)]
    Large { width: usize, height: usize },
    #[error("there is no picture {image} among {images}")]
    Image { image: usize, images: usize },
    #[error("there is no frame to show")]
    Empty,
    #[error("the file cannot be written: {0}")]
    Unwritten(String),
}

fn unwritten(why: impl Display) -> FilmError {
    FilmError::Unwritten(why.to_string())
}

/// A film that is being made.
pub struct Film {
    scene: Scene,
    pace: Pace,
    file: File,
    /// Frames that are still to come.
    left: usize,
}

enum File {
    Gif(gif::Gif),
    Apng(apng::Apng),
    Zip(archive::Archive),
}

impl Film {
    /// A film of so many frames, of which each is added, and looked at before where there are two passes.
    ///
    /// # Errors
    /// A pace or a size that no file has, or no frames.
    pub fn new(format: Format, scene: Scene, pace: Pace, frames: usize) -> Result<Self, FilmError> {
        let Pace { rate, hold } = pace;
        if !Pace::RATE.contains(&rate) {
            return Err(FilmError::Rate { rate });
        }
        if !Pace::HOLD.contains(&hold) {
            return Err(FilmError::Hold { hold });
        }
        // No estimate is known before the first step.
        let frames = if scene.shows == Shows::Estimates { frames.saturating_sub(1) } else { frames };
        if frames == 0 {
            return Err(FilmError::Empty);
        }
        scene.size()?;
        let file = match format {
            Format::Gif => File::Gif(gif::Gif::new(&scene, frames)),
            Format::Apng => File::Apng(apng::Apng::new(frames)),
            Format::Zip => File::Zip(archive::Archive::default()),
        };
        Ok(Self { scene, pace, file, left: frames })
    }

    /// Whether every frame has to be looked at before the first is added.
    pub fn looks(&self) -> bool {
        matches!(self.file, File::Gif(_))
    }

    /// Takes the colours of a frame `[images, height, width, channels]`.
    pub fn look(&mut self, x: &[u8], denoised: Option<&[u8]>) {
        if let (File::Gif(gif), Some(drawn)) = (&mut self.file, self.scene.draw(x, denoised)) {
            gif.look(&drawn);
        }
    }

    /// Adds a frame. Its step is what a ZIP says of it.
    ///
    /// # Errors
    /// The file cannot take it.
    pub fn add(&mut self, x: &[u8], denoised: Option<&[u8]>, step: &Step) -> Result<(), FilmError> {
        if let File::Zip(archive) = &mut self.file {
            return archive.add(&self.scene, x, denoised, step);
        }
        let Some(drawn) = self.scene.draw(x, denoised) else { return Ok(()) };
        self.left = self.left.saturating_sub(1);
        let (last, drawn) = (self.left == 0, drawn.enlarged(self.scene.zoom));
        match &mut self.file {
            File::Gif(gif) => gif.add(&drawn, self.pace.delay(last, 100.0)),
            File::Apng(apng) => apng.add(&drawn, self.pace.delay(last, 1000.0)),
            File::Zip(_) => Ok(()),
        }
    }

    /// The file. `link` is of the run, for the list of a ZIP.
    ///
    /// # Errors
    /// It cannot be written, or has no frame.
    pub fn finish(self, link: &str) -> Result<Vec<u8>, FilmError> {
        match self.file {
            File::Gif(gif) => gif.finish(),
            File::Apng(apng) => apng.finish(),
            File::Zip(archive) => archive.finish(link),
        }
    }
}

#[cfg(test)]
mod tests;
