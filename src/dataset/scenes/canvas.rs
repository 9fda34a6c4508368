//! Scenes drawn on a white canvas.

use super::colours;
use super::scene::Part;

/// Above this size a thing alone on the canvas is drawn from the whole picture, and everything else from one of half its side.
const LARGE: f64 = 0.6;

/// The pictures that scenes are made of.
#[derive(Clone, Debug)]
pub struct Sprites {
    /// Of a picture, and of the canvas; even.
    side: usize,
    /// Pictures of RGBA pixels, channels last.
    rgba: Vec<u8>,
    /// The main colour of the pictures that have one, and its number.
    natural: Vec<Option<([f32; 3], usize)>>,
}

/// A picture whose colours are multiplied by its opacity, for resampling.
struct Sprite {
    side: usize,
    /// RGBA, channels last.
    pixels: Vec<u8>,
}

impl Sprites {
    /// `rgba` are square pictures of an even side.
    pub fn new(side: usize, rgba: Vec<u8>) -> Self {
        let natural = rgba.chunks_exact(4 * side * side).map(colours::natural).collect();
        Self { side, rgba, natural }
    }

    pub fn side(&self) -> usize {
        self.side
    }

    /// Which colour each picture has that has one.
    pub fn natural(&self) -> Vec<Option<usize>> {
        self.natural.iter().map(|natural| natural.map(|(_, colour)| colour)).collect()
    }

    /// The pixels of a scene of these parts in `[-1, 1]`, `[3, side, side]`.
    pub fn draw(&self, parts: &[Part]) -> Vec<f32> {
        let side = self.side;
        let mut canvas = vec![1f32; 3 * side * side];
        let whole = matches!(parts, [part] if part.size > LARGE);
        for part in parts {
            let sprite = self.sprite(part, whole);
            let [x, y] = part.place.map(|at| at as f32);
            let (size, mirror) = (part.size as f32, if part.mirrored { -1.0 } else { 1.0 });
            for row in 0..side {
                for column in 0..side {
                    // From the canvas, in [-1, 1], to the picture.
                    let [from_x, from_y] = [column, row].map(|at| (2 * at + 1) as f32 / side as f32 - 1.0);
                    let to_x = mirror / size * from_x + -mirror * (2.0 * x - 1.0) / size;
                    let to_y = 1.0 / size * from_y + -(2.0 * y - 1.0) / size;
                    let Some(over) = sprite.at(to_x, to_y) else { continue };
                    for channel in 0..3 {
                        let under = &mut canvas[(channel * side + row) * side + column];
                        *under = over[channel] + *under * (1.0 - over[3]);
                    }
                }
            }
        }
        canvas.iter_mut().for_each(|value| *value = 2.0 * *value - 1.0);
        canvas
    }

    fn sprite(&self, part: &Part, whole: bool) -> Sprite {
        let size = 4 * self.side * self.side;
        let own = &self.rgba[part.index * size..(part.index + 1) * size];
        let mut pixels = match (part.colour, self.natural[part.index]) {
            (Some(colour), Some((main, _))) => colours::recoloured(own, main, colour),
            _ => own.to_vec(),
        };
        for pixel in pixels.chunks_exact_mut(4) {
            let alpha = u32::from(pixel[3]);
            pixel[..3].iter_mut().for_each(|value| *value = ((u32::from(*value) * alpha + 127) / 255) as u8);
        }
        let large = Sprite { side: self.side, pixels };
        if whole { large } else { large.halved() }
    }
}

impl Sprite {
    /// Of half the side: the means of four pixels each.
    fn halved(&self) -> Self {
        let (side, half) = (self.side, self.side / 2);
        let mean = |place: usize| {
            let (row, column, channel) = (place / (4 * half), place / 4 % half, place % 4);
            let at = |r: usize, c: usize| u32::from(self.pixels[((2 * row + r) * side + 2 * column + c) * 4 + channel]);
            let sum = at(0, 0) + at(0, 1) + at(1, 0) + at(1, 1);
            (sum as f32 / 4.0).round_ties_even() as u8
        };
        Self { side: half, pixels: (0..4 * half * half).map(mean).collect() }
    }

    /// The colour at a place in `[-1, 1]`, between four pixels in proportion; there is nothing beyond the edges.
    fn at(&self, x: f32, y: f32) -> Option<[f32; 4]> {
        let [x, y] = [x, y].map(|at| ((at + 1.0) * self.side as f32 - 1.0) / 2.0);
        let side = self.side as f32;
        if x <= -1.0 || y <= -1.0 || x >= side || y >= side {
            return None;
        }
        let (left, top) = (x.floor(), y.floor());
        let (right, bottom) = (x - left, y - top);
        let mut out = [0f32; 4];
        for (row, down) in [(top, 1.0 - bottom), (top + 1.0, bottom)] {
            for (column, along) in [(left, 1.0 - right), (left + 1.0, right)] {
                if row < 0.0 || column < 0.0 || row >= side || column >= side {
                    continue;
                }
                let pixel = &self.pixels[(row as usize * self.side + column as usize) * 4..][..4];
                for (sum, value) in out.iter_mut().zip(pixel) {
                    *sum += f32::from(*value) / 255.0 * (down * along);
                }
            }
        }
        Some(out)
    }
}
