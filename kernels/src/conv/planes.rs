//! A picture with its zero padding, split into the phases of a stride (polyphase decomposition).
//!
//! With a stride of 2 the pixels of even and of odd columns come to lie in planes of their own, and rows likewise. So what a stride
//! visits is one contiguous row.

/// Where the pixels of a padded picture lie.
#[derive(Clone, Copy, Debug)]
pub struct Planes {
    pub channels: usize,
    /// Height and width without padding.
    pub size: [usize; 2],
    /// Rows above, columns to the left.
    pub before: [usize; 2],
    pub stride: [usize; 2],
    /// Height and width of each plane.
    pub plane: [usize; 2],
}

impl Planes {
    /// Pixels of all planes.
    pub fn count(&self) -> usize {
        self.channels * self.stride[0] * self.stride[1] * self.plane[0] * self.plane[1]
    }

    /// Where a pixel of the padded picture lies.
    pub fn at(&self, channel: usize, y: usize, x: usize) -> usize {
        let [down, across] = self.stride;
        let plane = (channel * down + y % down) * across + x % across;
        (plane * self.plane[0] + y / down) * self.plane[1] + x / across
    }

    /// Copies a picture to its planes. What is not written is zero, and stays so.
    pub fn fill(&self, x: &[f32], to: &mut [f32]) {
        let ([height, width], [top, left], across) = (self.size, self.before, self.stride[1]);
        for (channel, x) in x.chunks_exact(height * width).enumerate() {
            for (y, line) in x.chunks_exact(width).enumerate() {
                for first in 0..across.min(width) {
                    let to = &mut to[self.at(channel, y + top, first + left)..];
                    match across {
                        1 => to[..width].copy_from_slice(line),
                        2 => every::<2>(&line[first..], to),
                        _ => to.iter_mut().zip(line[first..].iter().step_by(across)).for_each(|(to, from)| *to = *from),
                    }
                }
            }
        }
    }
}

/// Every `N`th of them, a number that the compiler knows.
fn every<const N: usize>(from: &[f32], to: &mut [f32]) {
    let (whole, rest) = from.as_chunks::<N>();
    for (to, from) in to.iter_mut().zip(whole) {
        *to = from[0];
    }
    if let Some(last) = rest.first() {
        to[whole.len()] = *last;
    }
}
