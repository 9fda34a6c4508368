//! From model values to pixels.

use crate::words::count;

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

/// A picture `[height, width]` of red, green and blue as a model takes it that makes pictures of `shape`, channels first:
/// scaled to cover that size, cut in the middle, and grey (Rec. 601, as Pillow's `L`) for one channel. Channels beyond the
/// third are full. A picture of that size already stays as it is.
pub fn fit(rgb: &[u8], [height, width]: [usize; 2], [channels, to_height, to_width]: [usize; 3]) -> Vec<u8> {
    let (rows, columns) = if [height, width] == [to_height, to_width] {
        (Resampling::identity(height), Resampling::identity(width))
    } else {
        let scale = (height as f64 / to_height as f64).min(width as f64 / to_width as f64);
        (Resampling::new(height, to_height, scale), Resampling::new(width, to_width, scale))
    };
    let mut out = Vec::with_capacity(to_height * to_width * channels);
    for row in &rows.0 {
        for column in &columns.0 {
            let mut colour = [0.0; 3];
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

    /// The middle of `from` places as `to`, each `scale` wide: a triangle filter, as wide as a place of the wider line, so that
    /// nothing of a picture that shrinks is passed over.
    fn new(from: usize, to: usize, scale: f64) -> Self {
        let reach = scale.max(1.0);
        let middle = |i: usize| (from as f64 - scale * to as f64) / 2.0 + (i as f64 + 0.5) * scale;
        let place = |i: usize| {
            let centre = middle(i);
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
