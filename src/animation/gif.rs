//! GIF89a.

use super::colours::{Collected, Palette};
use super::scene::{Drawn, Scene};
use super::{FilmError, unwritten};
use gif::{Encoder, Frame, Repeat};

pub enum Gif {
    /// Frames are looked at.
    Looking(Collected),
    /// Frames are added, the first of which ends the looking.
    Writing { palette: Palette, encoder: Encoder<Vec<u8>> },
}

impl Gif {
    pub fn new(scene: &Scene, frames: usize) -> Self {
        let zoom = scene.zoom.max(1);
        let pixels = scene.size().map_or(0, |[width, height]| width / zoom * (height / zoom));
        Self::Looking(Collected::new(pixels.saturating_mul(frames)))
    }

    pub fn look(&mut self, drawn: &Drawn) {
        if let Self::Looking(colours) = self {
            colours.extend(drawn.colours());
        }
    }

    /// Adds a frame that stays for so many hundredths of a second.
    pub fn add(&mut self, drawn: &Drawn, delay: u16) -> Result<(), FilmError> {
        let [width, height] = [drawn.width, drawn.height].map(|side| side as u16);
        if let Self::Looking(colours) = self {
            let palette = std::mem::replace(colours, Collected::new(0)).palette();
            let mut encoder = Encoder::new(Vec::new(), width, height, &palette.colours).map_err(unwritten)?;
            encoder.set_repeat(Repeat::Infinite).map_err(unwritten)?;
            *self = Self::Writing { palette, encoder };
        }
        let Self::Writing { palette, encoder } = self else { return Ok(()) };
        let buffer: Vec<u8> = drawn.colours().map(|colour| palette.place(colour)).collect();
        let frame = Frame { width, height, delay, buffer: buffer.into(), ..Frame::default() };
        encoder.write_frame(&frame).map_err(unwritten)
    }

    pub fn finish(self) -> Result<Vec<u8>, FilmError> {
        match self {
            Self::Looking(_) => Err(FilmError::Empty),
            Self::Writing { encoder, .. } => encoder.into_inner().map_err(unwritten),
        }
    }
}
