//! Points of one's own: drawn, pasted or taken from a picture, and packed into a link.

use crate::denoise::ideal::Component;
use crate::lab::{Cloud, Distribution, Labelled, Part};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::collections::BTreeSet;
use thiserror::Error;

/// Coordinates lie within `-EDGE..=EDGE`.
const EDGE: f64 = 5.0;

/// Steps of a coordinate: 12 bits.
const STEPS: f64 = 4095.0;

/// Points of one's own with their classes, as a link keeps them: coordinates are rounded to 12 bits of `[-5, 5]`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Own(Labelled);

/// Why there are no points.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum OwnError {
    #[error("There is no point; give at least one.")]
    Empty,
    #[error("There are {got} points, but at most {} fit; leave some out.", Own::MOST)]
    TooMany { got: usize },
    #[error("Point {index} has a coordinate that is no number; leave it out.")]
    NotFinite { index: usize },
    #[error("There are {points} points and {labels} labels; give each point one, or none.")]
    Unequal { points: usize, labels: usize },
    #[error("There are {got} different labels, but at most {} fit; join some.", Own::CLASSES)]
    Classes { got: usize },
    #[error("These are no points as the page packs them into a link; copy the whole link again.")]
    Packed,
}

impl Own {
    /// Most points.
    pub const MOST: usize = 2000;
    /// Most classes.
    pub const CLASSES: usize = 16;
    /// Standard deviation of the Gaussian around each point: the distribution of points is a density, so that it has a likelihood and
    /// an energy.
    pub const WIDTH: f64 = 0.1;

    /// Checks points in the units of the plane and rounds them; `labels` is empty or has one for each. Classes are the
    /// different labels in their order.
    ///
    /// # Errors
    /// No points or too many, coordinates that are no numbers, too many different labels. Coordinates beyond the edge are
    /// brought to it.
    pub fn new(points: &[[f64; 2]], labels: &[u8]) -> Result<Self, OwnError> {
        match points.len() {
            0 => return Err(OwnError::Empty),
            got if got > Self::MOST => return Err(OwnError::TooMany { got }),
            points if !labels.is_empty() && labels.len() != points => {
                return Err(OwnError::Unequal { points, labels: labels.len() });
            }
            _ => {}
        }
        if let Some(index) = points.iter().position(|p| !p.iter().all(|v| v.is_finite())) {
            return Err(OwnError::NotFinite { index });
        }
        let known: BTreeSet<u8> = labels.iter().copied().collect();
        if known.len() > Self::CLASSES {
            return Err(OwnError::Classes { got: known.len() });
        }
        // As many as are smaller: a number below CLASSES.
        let class = |label: &u8| known.range(..label).count() as u8;
        let label = if labels.is_empty() { vec![0; points.len()] } else { labels.iter().map(class).collect() };
        Ok(Self(Labelled { x: Cloud(points.iter().map(|p| p.map(|v| place(step(v)))).collect()), label }))
    }

    /// The points with their classes.
    pub fn points(&self) -> &Labelled {
        &self.0
    }

    /// Whether there are none yet.
    pub fn is_empty(&self) -> bool {
        self.0.label.is_empty()
    }

    /// Their distribution, each point with the same share; `None` without any.
    pub fn distribution(&self) -> Option<Distribution> {
        let component = |mean: &[f64; 2]| Component { weight: 1.0, mean: *mean, std: Self::WIDTH };
        let parts = self.0.x.0.iter().zip(&self.0.label);
        Distribution::new(&parts.map(|(x, class)| Part { class: *class, component: component(x) }).collect::<Vec<_>>())
    }

    /// The text of a link: base64 (RFC 4648, section 5, without padding) of a byte that says whether there are classes, and for
    /// each point three bytes of coordinates and, if there are, one of its class. Nothing for no points.
    pub fn pack(&self) -> String {
        if self.is_empty() {
            return String::new();
        }
        let classes = self.0.label.iter().any(|class| *class > 0);
        let mut bytes = vec![u8::from(classes)];
        for (point, class) in self.0.x.0.iter().zip(&self.0.label) {
            let [x, y] = point.map(step);
            bytes.extend(&((x << 12) | y).to_be_bytes()[1..]);
            bytes.extend(classes.then_some(class));
        }
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The points that [`pack`](Self::pack) wrote.
    ///
    /// # Errors
    /// Other text, and what [`new`](Self::new) refuses.
    pub fn unpack(text: &str) -> Result<Self, OwnError> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| OwnError::Packed)?;
        let (size, bytes) = match bytes.split_first() {
            Some((0, bytes)) => (3, bytes),
            Some((1, bytes)) => (4, bytes),
            _ => return Err(OwnError::Packed),
        };
        if !bytes.len().is_multiple_of(size) {
            return Err(OwnError::Packed);
        }
        let point = |b: &[u8]| {
            let both = u32::from_be_bytes([0, b[0], b[1], b[2]]);
            [both >> 12, both & 0xfff].map(place)
        };
        let points: Vec<_> = bytes.chunks_exact(size).map(point).collect();
        let labels: Vec<_> = bytes.chunks_exact(size).filter_map(|b| b.get(3).copied()).collect();
        Self::new(&points, &labels)
    }
}

/// The step of a coordinate, which is first brought to the edge.
fn step(v: f64) -> u32 {
    ((v.clamp(-EDGE, EDGE) + EDGE) * (STEPS / (2.0 * EDGE))).round() as u32
}

/// The coordinate of a step.
fn place(step: u32) -> f64 {
    f64::from(step) * (2.0 * EDGE / STEPS) - EDGE
}

/// Points of any units brought to the plane: the middle of their box to its centre, and the longer side of the box to 7, as
/// long as the data sets of the table.
pub(super) fn fitted(points: &[[f64; 2]]) -> Vec<[f64; 2]> {
    const HALF: f64 = 3.5;
    let ends = |i: usize| {
        let values = points.iter().map(|p| p[i]);
        values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)))
    };
    let boxed = [ends(0), ends(1)];
    // Halved before they are added or subtracted, so that nothing overflows.
    let half = boxed.iter().map(|(low, high)| 0.5 * high - 0.5 * low).fold(0.0, f64::max);
    let scale = if half > 0.0 { HALF / half } else { 0.0 };
    let middle = boxed.map(|(low, high)| 0.5 * low + 0.5 * high);
    points.iter().map(|p| std::array::from_fn(|i| (p[i] - middle[i]) * scale)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn said(result: Result<Own, OwnError>) -> String {
        result.expect_err("it is refused").to_string()
    }

    #[test]
    fn a_point_takes_three_bytes_and_its_class_a_fourth() {
        assert_eq!(Own::new(&[[-5.0, -5.0]], &[]).unwrap().pack(), "AAAAAA");
        assert_eq!(Own::new(&[[5.0, 5.0]], &[]).unwrap().pack(), "AP___w");
        let packed = Own::new(&[[0.0, 1.0]; 2000], &[]).unwrap().pack();
        assert_eq!(packed.len(), (6001_usize * 4).div_ceil(3));
        let packed = Own::new(&[[0.0, 1.0]; 4], &[7, 7, 9, 7]).unwrap();
        assert_eq!(packed.points().label, [0, 0, 1, 0]);
        assert_eq!(packed.pack().len(), (17_usize * 4).div_ceil(3));
        assert_eq!(Own::default().pack(), "");
    }

    #[test]
    fn what_cannot_be_kept_is_said() {
        assert_eq!(said(Own::new(&[], &[])), "There is no point; give at least one.");
        assert!(said(Own::new(&[[0.0; 2]; 2001], &[])).starts_with("There are 2001 points, but at most 2000 fit"));
        assert!(said(Own::new(&[[0.0, 1.0], [f64::NAN, 0.0]], &[])).starts_with("Point 1 has a coordinate"));
        assert!(said(Own::new(&[[0.0; 2]; 3], &[1])).starts_with("There are 3 points and 1 labels"));
        let labels: Vec<u8> = (0..17).collect();
        assert!(said(Own::new(&[[0.0; 2]; 17], &labels)).starts_with("There are 17 different labels"));
        for text in ["A", "AA", "AAAA", "AgAAAA", "A A", "%%%", "AAAAAA==", "AAAAAAAA"] {
            let said = said(Own::unpack(text));
            assert!(
                said.starts_with("These are no points") || text == "AA" && said.starts_with("There is no point"),
                "{text}"
            );
        }
    }

    #[test]
    fn beyond_the_edge_is_the_edge() {
        let own = Own::new(&[[-9.0, 1e300], [0.0, 0.0]], &[]).unwrap();
        assert_eq!(own.points().x.0[0], [-5.0, 5.0]);
        assert!(own.points().x.0[1].iter().all(|v| v.abs() < 2e-3));
    }

    #[test]
    fn fitting_keeps_the_shape() {
        let fit = fitted(&[[100.0, 1.0], [104.0, 3.0], [102.0, 2.0]]);
        assert_eq!(fit, [[-3.5, -1.75], [3.5, 1.75], [0.0, 0.0]]);
        assert_eq!(fitted(&[[1e308, -1e308], [-1e308, 1e308]]), [[3.5, -3.5], [-3.5, 3.5]]);
        assert_eq!(fitted(&[[7.0, 8.0]]), [[0.0, 0.0]]);
    }

    proptest! {
        #[test]
        fn a_link_keeps_the_points(points in prop::collection::vec((prop::array::uniform2(-5.0..5.0_f64), 0_u8..16), 1..60)) {
            let (x, labels): (Vec<_>, Vec<_>) = points.into_iter().unzip();
            let own = Own::new(&x, &labels).unwrap();
            prop_assert_eq!(&Own::unpack(&own.pack()).unwrap(), &own);
            // Half a step of 12 bits.
            let near = own.points().x.0.iter().zip(&x).all(|(a, b)| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1.23e-3));
            prop_assert!(near);
        }

        #[test]
        fn no_text_panics(text in "[A-Za-z0-9_-]{0,40}") {
            if let Ok(own) = Own::unpack(&text) {
                prop_assert!(own.distribution().is_some());
            }
        }
    }
}
