//! The size of pictures: the `size` of a link, `96x64`.

use super::Settings;
use super::problem::Reason;

/// Width and height; nothing for the model's own.
pub(super) fn write(size: Option<[usize; 2]>) -> String {
    size.map_or(String::new(), |[height, width]| format!("{width}x{height}"))
}

/// # Errors
/// It is neither empty nor two numbers of pixels.
pub(super) fn read(text: &str) -> Result<Option<[usize; 2]>, Reason> {
    let form = || {
        let (from, to) = (*Settings::SIDE.start(), *Settings::SIDE.end());
        Reason::Size { from, to }
    };
    if text.is_empty() {
        return Ok(None);
    }
    let (width, height) = text.split_once('x').ok_or_else(form)?;
    let side = |text: &str| text.parse().ok().filter(|side| Settings::SIDE.contains(side)).ok_or_else(form);
    Ok(Some([side(height)?, side(width)?]))
}

/// The size nearest to one whose sides must be at least the first number and multiples of the second.
pub(super) fn nearest(size: [usize; 2], [least, multiple]: [usize; 2]) -> [usize; 2] {
    let most = Settings::SIDE.end() / multiple * multiple;
    size.map(|side| ((side + multiple / 2) / multiple * multiple).min(most).max(least.next_multiple_of(multiple)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn width_comes_first_and_both_are_in_range() {
        assert_eq!(read("96x64"), Ok(Some([64, 96])));
        assert_eq!(write(Some([64, 96])), "96x64");
        assert_eq!((read(""), write(None)), (Ok(None), String::new()));
        for text in ["96", "96x", "x64", "7x64", "64x4096", "64x64x64", "-64x64", "64 x 64"] {
            assert_eq!(read(text), Err(Reason::Size { from: 8, to: 2048 }), "{text}");
        }
    }

    #[test]
    fn the_nearest_size_is_one_that_the_model_takes() {
        assert_eq!(nearest([63, 97], [8, 4]), [64, 96]);
        assert_eq!(nearest([66, 8], [32, 4]), [68, 32]);
        assert_eq!(nearest([2048, 2047], [8, 48]), [2016, 2016]);
    }
}
