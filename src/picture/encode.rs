//! PNG files of bytes.

use png::{BitDepth, ColorType, Encoder};
use std::io::Write;

/// How a PNG has so many channels.
///
/// # Errors
/// There is no such PNG.
pub fn colour(channels: usize) -> Result<ColorType, String> {
    match channels {
        1 => Ok(ColorType::Grayscale),
        3 => Ok(ColorType::Rgb),
        4 => Ok(ColorType::Rgba),
        n => Err(format!("a PNG has 1, 3 or 4 channels, and the pictures have {n}")),
    }
}

/// What writes a PNG of this many channels, height and width.
///
/// # Errors
/// There is no PNG with so many channels.
pub fn encoder<W: Write>(to: W, [channels, height, width]: [usize; 3]) -> Result<Encoder<'static, W>, String> {
    let mut encoder = Encoder::new(to, width as u32, height as u32);
    encoder.set_color(colour(channels)?);
    encoder.set_depth(BitDepth::Eight);
    Ok(encoder)
}

/// A PNG of `bytes`, channels last, with this many channels (1, 3 or 4), height and width.
///
/// # Errors
/// Another number of channels, or of bytes.
pub fn png(bytes: &[u8], shape: [usize; 3]) -> Result<Vec<u8>, String> {
    let mut png = Vec::new();
    let write = |encoder: Encoder<'_, &mut Vec<u8>>| {
        let mut writer = encoder.write_header()?;
        writer.write_image_data(bytes)?;
        writer.finish()
    };
    write(encoder(&mut png, shape)?).map_err(|e| e.to_string())?;
    Ok(png)
}
