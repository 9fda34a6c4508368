//! From model values to pixels.

#[cfg(any(feature = "animation", feature = "files"))]
pub(crate) mod encode;
pub mod texts;

use crate::words::count;
use std::fmt;

/// Values in `range` as bytes, channels last: what a canvas and a PNG want.
///
/// `values` has shape `[images, channels, height, width]`; the result `[images, height, width, channels]`.
/// `range` maps linearly to 0..=255 and what lies outside is clipped, rounding to nearest as diffusers' image processor
/// does.
pub fn to_bytes(values: &[f32], [channels, height, width]: [usize; 3], range: [f64; 2]) -> Vec<u8> {
    let plane = height * width;
    let [low, high] = range.map(|v| v as f32);
    let byte = |v: f32| ((v - low) / (high - low) * 255.0).round() as u8;
    values
        .chunks_exact(channels * plane)
        .flat_map(|image| (0..plane).flat_map(move |p| (0..channels).map(move |c| image[c * plane + p])))
        .map(byte)
        .collect()
}

/// The inverse of [`to_bytes`], but for what it rounded.
pub fn from_bytes(bytes: &[u8], [channels, height, width]: [usize; 3], range: [f64; 2]) -> Vec<f32> {
    let plane = height * width;
    let [low, high] = range.map(|v| v as f32);
    let value = |byte: u8| low + f32::from(byte) / 255.0 * (high - low);
    let images = bytes.chunks_exact(channels * plane);
    let planes =
        images.flat_map(|image| (0..channels).flat_map(move |c| (0..plane).map(move |p| image[p * channels + c])));
    planes.map(value).collect()
}

/// Pixels of red, green, blue and alpha laid on an opaque background, as red, green and blue.
pub fn flatten(rgba: &[u8], background: [u8; 3]) -> Vec<u8> {
    let laid = |[r, g, b, a]: [u8; 4]| {
        let over = |top: u8, below: u8| {
            let alpha = f32::from(a) / 255.0;
            (f32::from(top) * alpha + f32::from(below) * (1.0 - alpha)).round() as u8
        };
        [over(r, background[0]), over(g, background[1]), over(b, background[2])]
    };
    rgba.as_chunks().0.iter().copied().flat_map(laid).collect()
}

/// How a picture of another shape is brought to a size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Placing {
    /// Scaled to cover the size, and cut: of what is too much, so large a share before the part that stays, from 0 to 1.
    Crop { across: f64, down: f64 },
    /// Scaled to lie within the size, in its middle.
    Margins,
    /// Each side scaled by itself.
    Stretch,
}

impl Placing {
    pub const MIDDLE: Self = Self::Crop { across: 0.5, down: 0.5 };
}

impl fmt::Display for Placing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::MIDDLE => f.write_str("crop"),
            Self::Crop { across, down } => write!(f, "crop:{across},{down}"),
            Self::Margins => f.write_str("margins"),
            Self::Stretch => f.write_str("stretch"),
        }
    }
}

/// A picture `[height, width]` of red, green and blue as a model takes it that makes pictures of `shape`, channels first:
/// brought to that size as `placing` says, with margins of the background, and grey (Rec. 601, as Pillow's `L`) for one channel.
/// Channels beyond the third are full. A picture of that size already stays as it is.
pub fn fit(
    rgb: &[u8],
    [height, width]: [usize; 2],
    [channels, to_height, to_width]: [usize; 3],
    placing: Placing,
    background: [u8; 3],
) -> Vec<u8> {
    let scales = [height as f64 / to_height as f64, width as f64 / to_width as f64];
    let (scales, shares) = match placing {
        Placing::Crop { across, down } => ([scales[0].min(scales[1]); 2], [down, across]),
        Placing::Margins => ([scales[0].max(scales[1]); 2], [0.5; 2]),
        Placing::Stretch => (scales, [0.5; 2]),
    };
    let (rows, columns) = if [height, width] == [to_height, to_width] {
        (Resampling::identity(height), Resampling::identity(width))
    } else {
        let side = |from, to, i: usize| Resampling::new(from, to, scales[i], shares[i]);
        (side(height, to_height, 0), side(width, to_width, 1))
    };
    let mut out = Vec::with_capacity(to_height * to_width * channels);
    for row in &rows.0 {
        for column in &columns.0 {
            let outside = row.is_empty() || column.is_empty();
            let mut colour = if outside { background.map(f64::from) } else { [0.0; 3] };
            for (y, wy) in row {
                for (x, wx) in column {
                    let at = 3 * (y * width + x);
                    for (sum, value) in colour.iter_mut().zip(&rgb[at..at + 3]) {
                        *sum += wy * wx * f64::from(*value);
                    }
                }
            }
            let [r, g, b] = colour;
            let grey = 0.299 * r + 0.587 * g + 0.114 * b;
            let value = |c| if channels == 1 { grey } else { colour.get(c).copied().unwrap_or(255.0) };
            out.extend((0..channels).map(|c| value(c).round() as u8));
        }
    }
    out
}

/// For each place of a line, the places of another line that it is made of, with their weights.
struct Resampling(Vec<Vec<(usize, f64)>>);

impl Resampling {
    fn identity(n: usize) -> Self {
        Self((0..n).map(|i| vec![(i, 1.0)]).collect())
    }

    /// So many of `from` places as make `to`, each `scale` wide, after this `share` of those that are left: a triangle filter, as wide
    /// as a place of the wider line, so that nothing of a picture that shrinks is passed over. A place beyond the line is made of none.
    fn new(from: usize, to: usize, scale: f64, share: f64) -> Self {
        let reach = scale.max(1.0);
        let middle = |i: usize| (from as f64 - scale * to as f64) * share + (i as f64 + 0.5) * scale;
        let place = |i: usize| {
            let centre = middle(i);
            if !(0.0..=from as f64).contains(&centre) {
                return Vec::new();
            }
            let near = |x: usize| 1.0 - (x as f64 + 0.5 - centre).abs() / reach;
            let weights: Vec<_> = (0..from).map(|x| (x, near(x))).filter(|(_, weight)| *weight > 0.0).collect();
            let total: f64 = weights.iter().map(|(_, weight)| weight).sum();
            weights.into_iter().map(|(x, weight)| (x, weight / total)).collect()
        };
        Self((0..to).map(place).collect())
    }
}

/// How far each value of a picture is from that of another one of the same size.
pub fn difference(one: &[u8], other: &[u8]) -> Vec<u8> {
    one.iter().zip(other).map(|(a, b)| a.abs_diff(*b)).collect()
}

/// The root mean square of the difference, where black and white are 1 apart; `None` of pictures of other sizes, or of none.
pub fn rms(one: &[u8], other: &[u8]) -> Option<f64> {
    let squares = difference(one, other).into_iter().map(|d| (f64::from(d) / 255.0).powi(2));
    (one.len() == other.len() && !one.is_empty()).then(|| (squares.sum::<f64>() / one.len() as f64).sqrt())
}

/// Columns of the sheet that shows `images` pictures: the smallest square that holds them.
pub fn columns(images: usize) -> usize {
    (1..).find(|n| n * n >= images).unwrap_or(1)
}

/// All pictures of `[images, height, width, channels]` bytes on one sheet, row by row, [`columns`] to a row. Places
/// without a picture stay black. Returns the sheet's bytes, its width and its height in pixels.
pub fn sheet(bytes: &[u8], shape: [usize; 3]) -> (Vec<u8>, usize, usize) {
    rows(bytes, shape, columns(bytes.len() / shape.iter().product::<usize>().max(1)))
}

/// As [`sheet`], with this many columns.
pub fn rows(bytes: &[u8], [channels, height, width]: [usize; 3], columns: usize) -> (Vec<u8>, usize, usize) {
    let row = width * channels;
    let images = bytes.len() / (height * row);
    let (sheet_row, rows) = (columns * row, images.div_ceil(columns));
    let mut out = vec![0; rows * height * sheet_row];
    for (i, line) in bytes.chunks_exact(row).enumerate() {
        let (image, y) = (i / height, i % height);
        let at = (image / columns * height + y) * sheet_row + image % columns * row;
        out[at..at + row].copy_from_slice(line);
    }
    (out, columns * width, rows * height)
}

/// Width, height and channels in words.
pub fn size([channels, height, width]: [usize; 3]) -> String {
    format!("{width} x {height} pixels with {}", count(channels, "channel"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_clip_round_and_interleave() {
        let two_channels = [-1.0, 0.0, 1.0, 2.0, f32::NEG_INFINITY, f32::NAN, 0.5, -0.5];
        assert_eq!(to_bytes(&two_channels, [2, 1, 2], [-1.0, 1.0]), [0, 255, 128, 255, 0, 191, 0, 64]);
    }

    #[test]
    fn a_difference_has_a_picture_and_a_number() {
        assert_eq!(difference(&[0, 255, 7], &[255, 254, 7]), [255, 1, 0]);
        assert_eq!(rms(&[0, 255], &[255, 255]), Some(0.5f64.sqrt()));
        assert_eq!(rms(&[9, 9], &[9, 9]), Some(0.0));
        assert_eq!((rms(&[0], &[0, 1]), rms(&[], &[])), (None, None));
    }

    #[test]
    fn transparent_parts_show_the_background() {
        let rgba = [200, 100, 0, 255, 200, 100, 0, 0, 200, 100, 0, 51];
        assert_eq!(flatten(&rgba, [255; 3]), [200, 100, 0, 255, 255, 255, 244, 224, 204]);
        assert_eq!(flatten(&rgba, [0; 3]), [200, 100, 0, 0, 0, 0, 40, 20, 0]);
    }

    #[test]
    fn pictures_of_another_size_or_colour_are_fitted() {
        let fit = |rgb: &[u8], size, shape| fit(rgb, size, shape, Placing::MIDDLE, [0; 3]);
        let rgb: Vec<u8> = (0..12).map(|i| i * 20).collect();
        assert_eq!(fit(&rgb, [2, 2], [3, 2, 2]), rgb);
        assert_eq!(fit(&rgb, [2, 2], [1, 2, 2]), [16, 76, 136, 196]);
        // Shrunk to one pixel it is the mean; a wide one loses its sides.
        assert_eq!(fit(&rgb, [2, 2], [3, 1, 1]), [90, 110, 130]);
        let wide = [9, 9, 9, 50, 50, 50, 90, 90, 90, 9, 9, 9];
        assert_eq!(fit(&wide, [1, 4], [1, 1, 2]), fit(&wide[3..9], [1, 2], [1, 1, 2]));
        // One pixel fills any size, and alpha is full.
        assert_eq!(fit(&[1, 2, 3], [1, 1], [4, 1, 2]), [1, 2, 3, 255, 1, 2, 3, 255]);
    }

    #[test]
    fn a_picture_is_cut_where_it_is_to_be_or_has_margins_or_is_stretched() {
        let grey = |values: &[u8]| values.iter().flat_map(|v| [*v; 3]).collect::<Vec<u8>>();
        let wide = grey(&[10, 20, 30, 40]);
        let fit = |placing| fit(&wide, [1, 4], [1, 1, 2], placing, [200; 3]);
        assert_eq!(fit(Placing::Crop { across: 0.0, down: 0.5 }), fit_of(&wide[..6]));
        assert_eq!(fit(Placing::Crop { across: 1.0, down: 0.0 }), fit_of(&wide[6..]));
        assert_eq!(fit(Placing::Stretch), super::fit(&wide, [1, 4], [1, 1, 2], Placing::Stretch, [0; 3]));
        assert!(fit(Placing::Stretch)[0] < 20 && fit(Placing::Stretch)[1] > 30);
        // Half as high as it is wide, it lies within a square between two margins.
        let margins = super::fit(&grey(&[10; 8]), [2, 4], [1, 4, 4], Placing::Margins, [200; 3]);
        assert_eq!(margins, [[200; 4], [10; 4], [10; 4], [200; 4]].concat());
        // What has the shape already is the same in every way.
        for placing in [Placing::MIDDLE, Placing::Margins, Placing::Stretch] {
            assert_eq!(super::fit(&wide, [2, 2], [3, 1, 1], placing, [0; 3]), grey(&[25]), "{placing}");
        }
    }

    fn fit_of(rgb: &[u8]) -> Vec<u8> {
        fit(rgb, [1, 2], [1, 1, 2], Placing::MIDDLE, [0; 3])
    }

    #[test]
    fn bytes_come_back() {
        let bytes: Vec<u8> = (0..24).map(|i| i * 10).collect();
        let shape = [3, 2, 2];
        assert_eq!(to_bytes(&from_bytes(&bytes, shape, [-1.0, 1.0]), shape, [-1.0, 1.0]), bytes);
    }

    #[test]
    fn five_pictures_fill_a_sheet_of_three_columns() {
        let bytes: Vec<u8> = (1..=5).flat_map(|i| [i * 10, i * 10 + 1]).collect();
        let (sheet, width, height) = sheet(&bytes, [1, 2, 1]);
        assert_eq!((width, height), (3, 4));
        assert_eq!(sheet, [10, 20, 30, 11, 21, 31, 40, 50, 0, 41, 51, 0]);
    }
}
