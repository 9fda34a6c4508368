//! The palette of a GIF: the colours of all its frames, or 256 that stand for them.

use color_quant::NeuQuant;
use std::collections::{BTreeMap, BTreeSet};

/// Colours that a GIF has.
pub const MOST: usize = 256;
/// About as many pixels as the network that finds a palette learns from.
const LEARNT: usize = 1 << 17;

/// Colours that are being collected.
pub struct Collected {
    /// All of them, as long as they are not too many.
    all: BTreeSet<[u8; 3]>,
    /// Every so-many-th pixel, as red, green, blue and alpha.
    some: Vec<u8>,
    every: usize,
    seen: usize,
}

impl Collected {
    /// Of so many pixels.
    pub fn new(pixels: usize) -> Self {
        // Odd, so that it goes through all columns of a sheet.
        Self { all: BTreeSet::new(), some: Vec::new(), every: (pixels / LEARNT) | 1, seen: 0 }
    }

    pub fn extend(&mut self, colours: impl Iterator<Item = [u8; 3]>) {
        for colour in colours {
            if self.all.len() <= MOST {
                self.all.insert(colour);
            }
            if self.seen.is_multiple_of(self.every) {
                self.some.extend([colour[0], colour[1], colour[2], 255]);
            }
            self.seen += 1;
        }
    }

    pub fn palette(self) -> Palette {
        let known = BTreeMap::new();
        if self.all.len() <= MOST {
            let known = self.all.iter().zip(0..=u8::MAX).map(|(colour, i)| (*colour, i)).collect();
            return Palette { colours: self.all.into_iter().flatten().collect(), known, learnt: None };
        }
        let learnt = NeuQuant::new(1, MOST, &self.some);
        Palette { colours: learnt.color_map_rgb(), known, learnt: Some(learnt) }
    }
}

/// Up to 256 colours.
pub struct Palette {
    /// Red, green and blue of each.
    pub colours: Vec<u8>,
    /// Places of colours, of those that were met.
    known: BTreeMap<[u8; 3], u8>,
    /// What finds the place of a colour that is not there as it is.
    learnt: Option<NeuQuant>,
}

impl Palette {
    /// The place of a colour.
    pub fn place(&mut self, colour: [u8; 3]) -> u8 {
        let [r, g, b] = colour;
        let nearest = || self.learnt.as_ref().map_or(0, |learnt| learnt.index_of(&[r, g, b, 255]) as u8);
        *self.known.entry(colour).or_insert_with(nearest)
    }
}
