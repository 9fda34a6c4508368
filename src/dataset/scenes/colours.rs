//! The main colour of a picture, and the same picture in another one.

/// Hue in turns, saturation and value that a thing of each colour of [`COLOURS`](super::phrases::COLOURS) has on the average.
const TARGETS: [[f32; 3]; 10] = [
    [0.00, 0.85, 0.86],
    [0.078, 0.90, 0.96],
    [0.142, 0.85, 0.97],
    [0.36, 0.75, 0.62],
    [0.60, 0.80, 0.85],
    [0.765, 0.65, 0.70],
    [0.93, 0.42, 0.97],
    [0.065, 0.65, 0.47],
    [0.0, 0.08, 0.20],
    [0.0, 0.03, 0.60],
];
/// Of these a thing's own colour is one; black and grey have no hue.
const WITH_HUE: usize = 8;
/// How far, in turns, a pixel's hue may lie from the main one to be recoloured with it.
const BAND: f32 = 0.14;
/// Share of the opaque picture that the main hue must cover for the thing to have one colour.
const ENOUGH: f32 = 0.45;
/// Of the histogram of hues.
const BINS: usize = 24;
/// Stands for a denominator that is nothing.
const LEAST: f32 = 1e-6;

/// Hue in turns, saturation and value of red, green and blue in `[0, 1]`.
fn to_hsv([r, g, b]: [f32; 3]) -> [f32; 3] {
    let value = r.max(g).max(b);
    let chroma = value - r.min(g).min(b);
    let safe = chroma.max(LEAST);
    let hue = if r == value {
        (g - b) / safe
    } else if g == value {
        2.0 + (b - r) / safe
    } else {
        4.0 + (r - g) / safe
    };
    [(hue / 6.0).rem_euclid(1.0), chroma / value.max(LEAST), value]
}

fn to_rgb([hue, saturation, value]: [f32; 3]) -> [f32; 3] {
    [5.0, 3.0, 1.0].map(|n: f32| {
        let k = (n + 6.0 * hue).rem_euclid(6.0);
        value - value * saturation * k.min(4.0 - k).clamp(0.0, 1.0)
    })
}

fn hsv(pixel: &[u8]) -> [f32; 3] {
    to_hsv([0, 1, 2].map(|c| f32::from(pixel[c]) / 255.0))
}

/// From one hue to another, the short way, in turns.
fn off(hue: f32, from: f32) -> f32 {
    (hue - from + 0.5).rem_euclid(1.0) - 0.5
}

/// The mean hue, saturation and value of the pixels around the main hue, and the share of the picture that they cover. `rgba` are
/// pixels, channels last.
fn main_colour(rgba: &[u8]) -> ([f32; 3], f32) {
    let pixels: Vec<([f32; 3], f32, f32)> = rgba
        .chunks_exact(4)
        .map(|pixel| {
            let ([hue, saturation, value], opaque) = (hsv(pixel), f32::from(pixel[3]) / 255.0);
            let counts = saturation > 0.2 && value > 0.15;
            ([hue, saturation, value], opaque, if counts { opaque } else { 0.0 })
        })
        .collect();
    let mut histogram = [0f32; BINS];
    for ([hue, ..], _, weight) in &pixels {
        histogram[((hue * BINS as f32) as usize).min(BINS - 1)] += weight;
    }
    let smooth = |i: usize| histogram[i] + histogram[(i + BINS - 1) % BINS] + histogram[(i + 1) % BINS];
    // The first of the largest.
    let main = (1..BINS).fold(0, |main, i| if smooth(i) > smooth(main) { i } else { main });
    let centre = (main as f32 + 0.5) / BINS as f32;
    let (mut sums, mut inside, mut whole) = ([0f32; 3], 0f32, 0f32);
    for ([hue, saturation, value], opaque, weight) in pixels {
        let off = off(hue, centre);
        whole += opaque;
        if off.abs() < BAND {
            inside += weight;
            let values = [off, saturation, value];
            sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += value * weight);
        }
    }
    let [off, saturation, value] = sums.map(|sum| sum / inside.max(LEAST));
    ([(centre + off).rem_euclid(1.0), saturation, value], inside / whole.max(LEAST))
}

/// The mean of the main colour of a picture that has one clear colour, and its place in [`COLOURS`](super::phrases::COLOURS).
pub fn natural(rgba: &[u8]) -> Option<([f32; 3], usize)> {
    let (mean, share) = main_colour(rgba);
    let distance = |target: &[f32; 3]| {
        let rest: f32 = (1..3).map(|i| (0.5 * (mean[i] - target[i])).powi(2)).sum();
        (3.0 * off(mean[0], target[0])).powi(2) + rest
    };
    let distances: Vec<f32> = TARGETS[..WITH_HUE].iter().map(distance).collect();
    let nearest = (1..WITH_HUE).fold(0, |near, i| if distances[i] < distances[near] { i } else { near });
    (share >= ENOUGH).then_some((mean, nearest))
}

/// The pixels near the main hue moved to a colour: shades stay, and so do parts of other hues, like an apple's leaf.
pub fn recoloured(rgba: &[u8], main: [f32; 3], colour: usize) -> Vec<u8> {
    let target = TARGETS[colour];
    let scale = [1, 2].map(|i| target[i] / main[i].max(0.1));
    let pixel = |pixel: &[u8]| {
        let own @ [hue, saturation, value] = hsv(pixel);
        let off = off(hue, main[0]);
        let new = if off.abs() < BAND && saturation > 0.12 {
            [
                (target[0] + 0.25 * off).rem_euclid(1.0),
                (saturation * scale[0]).clamp(0.0, 1.0),
                (value * scale[1]).clamp(0.0, 1.0),
            ]
        } else {
            own
        };
        let [r, g, b] = to_rgb(new).map(|v| (v * 255.0).round_ties_even() as u8);
        [r, g, b, pixel[3]]
    };
    rgba.chunks_exact(4).flat_map(pixel).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colour_is_itself_again_by_its_hue() {
        for i in 0..1000u32 {
            let rgb = [i * 7919 % 256, i * 104_729 % 256, i * 1_299_709 % 256].map(|v| v as f32 / 255.0);
            let again = to_rgb(to_hsv(rgb));
            assert!(rgb.iter().zip(again).all(|(v, w)| (v - w).abs() < 1e-5), "{rgb:?} {again:?}");
        }
    }

    #[test]
    fn a_thing_in_another_colour_has_that_colour() {
        let disc: Vec<u8> =
            (0..256).flat_map(|i| [200, 60, 40 + (i % 8) as u8, if i < 200 { 255 } else { 0 }]).collect();
        let (main, colour) = natural(&disc).expect("it is red");
        assert_eq!(colour, 0);
        for other in 0..WITH_HUE {
            let (_, seen) = natural(&recoloured(&disc, main, other)).expect("one colour");
            assert_eq!(seen, other);
        }
        assert!(natural(&[128; 256]).is_none());
    }
}
