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

/// Pixels of `samples` bytes each laid on `background`, a colour of red, green and blue: of an even number of samples the
/// last one is the opacity. Gives 1 or 3 bytes a pixel.
pub fn flatten(bytes: &[u8], samples: usize, background: [u8; 3]) -> Vec<u8> {
    if !samples.is_multiple_of(2) {
        return bytes.to_vec();
    }
    let grey = [luminance(background)];
    let below = if samples == 2 { &grey[..] } else { &background[..] };
    let pixel = |pixel: &[u8]| -> Vec<u8> {
        let opacity = u32::from(pixel[samples - 1]);
        let blend = |(above, below): (&u8, &u8)| {
            // To the nearest byte, in whole numbers.
            ((u32::from(*above) * opacity + u32::from(*below) * (255 - opacity) + 127) / 255) as u8
        };
        pixel.iter().zip(below).map(blend).collect()
    };
    bytes.chunks_exact(samples).flat_map(pixel).collect()
}

/// The grey of a colour (ITU-R BT.601), as Pillow's mode `L` has it.
pub fn luminance([red, green, blue]: [u8; 3]) -> u8 {
    (0.299 * f64::from(red) + 0.587 * f64::from(green) + 0.114 * f64::from(blue)).round() as u8
}

/// Width, height and channels in words.
pub fn size([channels, height, width]: [usize; 3]) -> String {
    format!("{width} x {height} pixels with {}", count(channels, "channel"))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_clip_round_and_interleave() {
        let two_channels = [-1.0, 0.0, 1.0, 2.0, f32::NEG_INFINITY, f32::NAN, 0.5, -0.5];
        assert_eq!(to_bytes(&two_channels, [2, 1, 2], [-1.0, 1.0]), [0, 255, 128, 255, 0, 191, 0, 64]);
    }

    #[test]
    fn bytes_come_back() {
        let bytes: Vec<u8> = (0..24).map(|i| i * 10).collect();
        let shape = [3, 2, 2];
        assert_eq!(to_bytes(&from_bytes(&bytes, shape, [-1.0, 1.0]), shape, [-1.0, 1.0]), bytes);
    }

    #[test]
    fn transparency_is_laid_on_the_background() {
        let rgba = [200, 100, 0, 255, 200, 100, 0, 0, 200, 100, 0, 51];
        assert_eq!(flatten(&rgba, 4, [0, 50, 255]), [200, 100, 0, 0, 50, 255, 40, 60, 204]);
        assert_eq!(flatten(&[10, 255, 10, 0], 2, [255, 255, 255]), [10, 255]);
        assert_eq!(flatten(&[10, 0], 2, [255, 0, 0]), [76], "the background's grey");
        assert_eq!(flatten(&[1, 2, 3], 3, [9; 3]), [1, 2, 3]);
    }

    #[test]
    fn five_pictures_fill_a_sheet_of_three_columns() {
        let bytes: Vec<u8> = (1..=5).flat_map(|i| [i * 10, i * 10 + 1]).collect();
        let (sheet, width, height) = sheet(&bytes, [1, 2, 1]);
        assert_eq!((width, height), (3, 4));
        assert_eq!(sheet, [10, 20, 30, 11, 21, 31, 40, 50, 0, 41, 51, 0]);
    }
}
