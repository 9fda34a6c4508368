//! What is seen of a frame.

use super::FilmError;
use crate::picture;

/// What of a frame is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shows {
    /// The points `x_t`.
    Points,
    /// The estimates of `x_0`, which are there from the first step on.
    Estimates,
    /// Both, side by side.
    Both,
}

/// What is seen of frames of this shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scene {
    pub shows: Shows,
    /// The image alone, from 0 on, instead of the sheet of all.
    pub image: Option<usize>,
    /// Pixels a side of a pixel, from 1 on.
    pub zoom: usize,
    pub images: usize,
    /// Channels, height and width of an image.
    pub shape: [usize; 3],
}

/// A picture `[height, width, channels]`, grey or of red, green and blue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drawn {
    pub bytes: Vec<u8>,
    pub channels: usize,
    pub height: usize,
    pub width: usize,
}

/// Pixels between points and estimates, and what is there before there are estimates.
const GAP: usize = 2;
const BLANK: u8 = 128;

impl Scene {
    /// The longest side of a film.
    pub const LARGEST: usize = 4096;

    /// Width and height of the film.
    ///
    /// # Errors
    /// More than [`Self::LARGEST`], or an image that is not there.
    pub fn size(&self) -> Result<[usize; 2], FilmError> {
        let &Self { images, zoom, shape: [_, height, width], .. } = self;
        if let Some(image) = self.image.filter(|image| *image >= images) {
            return Err(FilmError::Image { image: image + 1, images });
        }
        let columns = picture::columns(images);
        let [across, down] = if self.image.is_some() { [1, 1] } else { [columns, images.div_ceil(columns)] };
        let [width, height] = [across.saturating_mul(width), down.saturating_mul(height)];
        let width = if self.shows == Shows::Both { width.saturating_mul(2).saturating_add(GAP) } else { width };
        let [width, height] = [width, height].map(|side| side.saturating_mul(zoom.max(1)));
        if width.max(height) > Self::LARGEST { Err(FilmError::Large { width, height }) } else { Ok([width, height]) }
    }

    /// A frame as it is seen, a pixel a pixel; `None` where only estimates are shown and there are none yet.
    pub fn draw(&self, x: &[u8], denoised: Option<&[u8]>) -> Option<Drawn> {
        match self.shows {
            Shows::Points => Some(self.sheet(x)),
            Shows::Estimates => denoised.map(|denoised| self.sheet(denoised)),
            Shows::Both => {
                let points = self.sheet(x);
                let blank = || Drawn { bytes: vec![BLANK; points.bytes.len()], ..points };
                let estimates = denoised.map_or_else(blank, |denoised| self.sheet(denoised));
                Some(points.beside(&estimates))
            }
        }
    }

    /// The sheet of all images, or the one that is shown alone.
    pub(super) fn sheet(&self, bytes: &[u8]) -> Drawn {
        let [channels, height, width] = self.shape;
        let bytes = match self.image {
            Some(image) => bytes.chunks_exact(channels * height * width).nth(image).unwrap_or_default(),
            None => bytes,
        };
        let (sheet, width, height) = picture::sheet(bytes, self.shape);
        // As on the page: one or two channels are grey, and what is beyond the third is not shown.
        let shown = if channels < 3 { 1 } else { 3 };
        let bytes = sheet.chunks_exact(channels).flat_map(|pixel| &pixel[..shown]).copied().collect();
        Drawn { bytes, channels: shown, height, width }
    }
}

impl Drawn {
    fn beside(&self, other: &Self) -> Self {
        let row = self.width * self.channels;
        let rows = self.bytes.chunks_exact(row).zip(other.bytes.chunks_exact(row));
        let gap = vec![0; GAP * self.channels];
        let bytes = rows.flat_map(|(left, right)| [left, gap.as_slice(), right].concat()).collect();
        Self { bytes, width: 2 * self.width + GAP, ..*self }
    }

    /// Every pixel as so many a side.
    pub fn enlarged(self, zoom: usize) -> Self {
        if zoom < 2 {
            return self;
        }
        let row = |row: &[u8]| row.chunks_exact(self.channels).flat_map(|pixel| pixel.repeat(zoom)).collect::<Vec<_>>();
        let rows = self.bytes.chunks_exact(self.width * self.channels);
        let bytes = rows.flat_map(|line| row(line).repeat(zoom)).collect();
        Self { bytes, channels: self.channels, height: self.height * zoom, width: self.width * zoom }
    }

    /// Red, green, blue and alpha.
    pub fn rgba(&self) -> Vec<u8> {
        self.colours().flat_map(|[r, g, b]| [r, g, b, 255]).collect()
    }

    pub(super) fn colours(&self) -> impl Iterator<Item = [u8; 3]> + '_ {
        let last = self.channels - 1;
        self.bytes.chunks_exact(self.channels).map(move |pixel| [pixel[0], pixel[last.min(1)], pixel[last]])
    }
}
