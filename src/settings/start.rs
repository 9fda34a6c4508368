//! The picture that a run begins with and the part of it that stays, as a link carries them.

use super::problem::Reason;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::fmt;
use std::str::FromStr;

/// What a run begins with besides noise.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Start {
    /// Nothing.
    #[default]
    Noise,
    /// A picture that the link does not carry: whoever runs it has to give one.
    Asked,
    Picture(StartPicture),
}

/// A small picture, and which of its pixels stay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartPicture {
    shape: [usize; 3],
    pixels: Vec<u8>,
    kept: Option<Vec<bool>>,
}

impl Start {
    const NOISE: &'static str = "noise";
    const ASKED: &'static str = "asked";

    /// Whether this is what stands where nothing is said.
    pub fn is_noise(&self) -> bool {
        *self == Self::Noise
    }

    /// The picture, where there is one.
    pub fn picture(&self) -> Option<&StartPicture> {
        match self {
            Self::Picture(picture) => Some(picture),
            Self::Noise | Self::Asked => None,
        }
    }
}

impl StartPicture {
    /// Most values that a link carries: 64×64 in grey, 36×36 in colour.
    pub const MOST: usize = 64 * 64;

    /// Set in the third byte where a mask follows the pixels.
    const MASKED: u8 = 0x80;

    /// A picture `[height, width, channels]` of this shape, and 255 for each pixel `[height, width]` that stays; half of it
    /// counts. `None` where a link cannot carry it: too large, or not of this shape.
    pub fn new(pixels: &[u8], kept: Option<&[u8]>, shape: [usize; 3]) -> Option<Self> {
        let [height, width, channels] = shape;
        let fits = |side: usize| (1..=usize::from(u8::MAX)).contains(&side);
        let known = fits(height) && fits(width) && (1..usize::from(Self::MASKED)).contains(&channels);
        let values = height * width * channels;
        let whole = pixels.len() == values && kept.is_none_or(|kept| kept.len() == height * width);
        let kept = kept.map(|kept| kept.iter().map(|v| *v >= 128).collect());
        (known && whole && values <= Self::MOST).then(|| Self { shape, pixels: pixels.to_vec(), kept })
    }

    /// Height, width and channels.
    pub fn shape(&self) -> [usize; 3] {
        self.shape
    }

    /// `[height, width, channels]`.
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// 255 where the picture is to stay and 0 where it is to be made anew, `[height, width]`.
    pub fn kept(&self) -> Option<Vec<u8>> {
        let byte = |kept: &bool| if *kept { 255 } else { 0 };
        self.kept.as_ref().map(|kept| kept.iter().map(byte).collect())
    }

    /// The picture that [`Display`](fmt::Display) wrote; `None` for any other text.
    fn unpack(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let ([height, width, third], rest) = bytes.split_first_chunk()?;
        let shape = [*height, *width, third & !Self::MASKED].map(usize::from);
        let (pixels, bits) = rest.split_at_checked(shape.iter().product())?;
        let area = shape[0] * shape[1];
        let masked = third & Self::MASKED != 0;
        if bits.len() != if masked { area.div_ceil(8) } else { 0 } {
            return None;
        }
        let bit = |p: usize| if bits[p / 8] & (0x80 >> (p % 8)) == 0 { 0 } else { 255 };
        let kept = masked.then(|| (0..area).map(bit).collect::<Vec<_>>());
        Self::new(pixels, kept.as_deref(), shape)
    }
}

/// Base64 (RFC 4648, section 5, without padding) of a byte each of height, width and channels, the pixels row by row with
/// their channels side by side and, where the highest bit of the third byte is set, the mask: a bit a pixel, the first one
/// highest, 1 where the picture stays.
impl fmt::Display for StartPicture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [height, width, channels] = self.shape.map(|side| side as u8);
        let masked = if self.kept.is_some() { Self::MASKED } else { 0 };
        let mut bytes = vec![height, width, channels | masked];
        bytes.extend(&self.pixels);
        let byte = |bits: &[bool]| bits.iter().enumerate().fold(0, |byte, (i, bit)| byte | (u8::from(*bit) << (7 - i)));
        bytes.extend(self.kept.iter().flat_map(|kept| kept.chunks(8)).map(byte));
        f.write_str(&URL_SAFE_NO_PAD.encode(bytes))
    }
}

impl fmt::Display for Start {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Noise => f.write_str(Self::NOISE),
            Self::Asked => f.write_str(Self::ASKED),
            Self::Picture(picture) => picture.fmt(f),
        }
    }
}

impl FromStr for Start {
    type Err = Reason;

    fn from_str(text: &str) -> Result<Self, Reason> {
        match text {
            Self::NOISE => Ok(Self::Noise),
            Self::ASKED => Ok(Self::Asked),
            packed => StartPicture::unpack(packed).map(Self::Picture).ok_or(Reason::Start),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Settings;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_picture_takes_its_bytes_and_a_mask_an_eighth_of_its_pixels() {
        let dot = StartPicture::new(&[0xff], None, [1, 1, 1]).unwrap();
        assert_eq!(dot.to_string(), "AQEB_w");
        let dot = StartPicture::new(&[0xff], Some(&[255]), [1, 1, 1]).unwrap();
        assert_eq!(dot.to_string(), "AQGB_4A");
        let digit = StartPicture::new(&[7; 28 * 28], Some(&[0; 28 * 28]), [28, 28, 1]).unwrap();
        assert_eq!(digit.to_string().len(), (4 * (3 + 784 + 98_usize)).div_ceil(3));
        let longest = StartPicture::new(&[7; 64 * 64], Some(&[255; 64 * 64]), [64, 64, 1]).unwrap();
        assert_eq!(longest.to_string().len(), 6148);
    }

    #[test]
    fn what_no_link_carries_is_none() {
        assert_eq!(StartPicture::new(&[0; 64 * 64 * 3], None, [64, 64, 3]), None);
        assert_eq!(StartPicture::new(&[0; 5], None, [2, 2, 1]), None);
        assert_eq!(StartPicture::new(&[0; 4], Some(&[0; 3]), [2, 2, 1]), None);
        assert_eq!(StartPicture::new(&[], None, [0, 2, 1]), None);
    }

    #[test]
    fn a_broken_picture_is_refused_in_words_and_asked_for() {
        let whole = StartPicture::new(&[9; 12], Some(&[255, 0, 0, 0]), [2, 2, 3]).unwrap().to_string();
        let cut = &whole[..whole.len() - 3];
        for text in ["", "AQEB", "AQEB_w==", "AQEB_wA", "AAEB", "%%", "nosie", cut] {
            assert_eq!(text.parse::<Start>(), Err(Reason::Start), "{text}");
        }
        let (settings, problems) = Settings::from_link(&format!("#seed=3&start={cut}"));
        assert_eq!(settings.start, Start::Asked);
        assert!(problems[0].to_string().starts_with("start must be a picture as the page packs it into a link"));
    }

    #[test]
    fn a_strength_without_a_picture_asks_for_one() {
        let (settings, problems) = Settings::from_link("#strength=0.6");
        assert_eq!((settings.start, problems), (Start::Asked, vec![]));
        assert!(settings_link("#strength=0.6").contains("start=asked"));
        assert!(!settings_link("#seed=3").contains("start"));
    }

    fn settings_link(link: &str) -> String {
        Settings::from_link(link).0.to_link()
    }

    proptest! {
        #[test]
        fn a_link_keeps_the_picture_and_its_mask(
            [height, width] in prop::array::uniform2(1_usize..9),
            channels in prop::sample::select(vec![1_usize, 3]),
            masked in any::<bool>(),
            seed in any::<u64>(),
        ) {
            let byte = |i: usize| (seed.wrapping_mul(2 * i as u64 + 1) >> 24) as u8;
            let pixels: Vec<u8> = (0..height * width * channels).map(byte).collect();
            let kept: Vec<u8> = (0..height * width).map(|i| if byte(i) < 100 { 255 } else { 0 }).collect();
            let kept = masked.then_some(&kept[..]);
            let start = StartPicture::new(&pixels, kept, [height, width, channels]).unwrap();
            prop_assert_eq!(start.pixels(), &pixels[..]);
            let read = start.kept();
            prop_assert_eq!(read.as_deref(), kept);
            let settings = Settings { start: Start::Picture(start), strength: 0.6, ..Settings::default() };
            prop_assert_eq!(Settings::from_link(&settings.to_link()), (settings, vec![]));
        }

        #[test]
        fn no_text_panics(text in "[A-Za-z0-9_-]{0,40}") {
            if let Ok(Start::Picture(picture)) = text.parse() {
                prop_assert_eq!(picture.to_string(), text);
            }
        }
    }
}
