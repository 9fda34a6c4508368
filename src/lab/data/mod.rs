//! The data sets of the lab: a table of distributions, and points of one's own.
//!
//! A shape such as the spiral is a distribution too: many narrow Gaussians along it, closer to each other than they are wide, so that
//! their sum is as smooth as the shape with a little noise. What is drawn is drawn from that sum, and therefore its
//! density, its score and its likelihood are exact and not those of something near it.

mod checkerboard;
mod circles;
mod csv;
mod gaussians;
mod moons;
mod own;
mod picture;
mod pinwheel;
mod spiral;
mod swiss_roll;

pub use csv::{CsvError, read_csv};
pub use own::{Own, OwnError};
pub use picture::{PictureError, points_of};

use super::{Distribution, Part};
use crate::denoise::ideal::Component;

/// The id of points of one's own, which no row of the table has.
pub const OWN: &str = "own";

/// A row of the table of data sets.
#[derive(Clone, Copy, Debug)]
pub struct DataSet {
    /// Kebab-case id, as in links.
    pub id: &'static str,
    parts: fn() -> Vec<Part>,
}

impl DataSet {
    /// The distribution that its points are drawn from.
    ///
    /// # Panics
    /// Never: a test makes every distribution of the table.
    pub fn distribution(&self) -> Distribution {
        Distribution::new(&(self.parts)()).expect("every row is a distribution")
    }
}

/// The table, in the order that the page shows. All points lie in about `[-4, 4]^2`.
pub fn sets() -> &'static [DataSet] {
    const fn row(id: &'static str, parts: fn() -> Vec<Part>) -> DataSet {
        DataSet { id, parts }
    }
    const {
        &[
            row("four-gaussians", gaussians::four),
            row("one-gaussian", gaussians::one),
            row("ring", gaussians::ring),
            row("moons", moons::parts),
            row("spiral", spiral::parts),
            row("checkerboard", checkerboard::parts),
            row("circles", circles::parts),
            row("swiss-roll", swiss_roll::parts),
            row("pinwheel", pinwheel::parts),
        ]
    }
}

/// The row named `id`.
pub fn set(id: &str) -> Option<&'static DataSet> {
    sets().iter().find(|set| set.id == id)
}

/// The distribution of the data named `id`; that of `own` for [`OWN`]. An id that no row has, or `own` without a point, is the
/// first row.
pub fn distribution(id: &str, own: &Own) -> Distribution {
    let of_own = (id == OWN).then(|| own.distribution()).flatten();
    of_own.unwrap_or_else(|| set(id).unwrap_or(&sets()[0]).distribution())
}

/// A class that lies along a curve: `n` Gaussians of this width, in the middles of `n` equal parts of `0..1`. A class has
/// the same share of the data as another, however many Gaussians it has.
///
/// Where neighbours are no further apart than 1.5 widths, their sum differs from an even line by less than 4e-4 of itself.
fn along(class: u8, n: usize, std: f64, point: impl Fn(f64) -> [f64; 2]) -> Vec<Part> {
    let component = |i: usize| Component { weight: 1.0 / n as f64, mean: point((i as f64 + 0.5) / n as f64), std };
    (0..n).map(|i| Part { class, component: component(i) }).collect()
}

/// The point at this radius and angle.
fn polar(radius: f64, angle: f64) -> [f64; 2] {
    let (sin, cos) = libm::sincos(angle);
    [radius * cos, radius * sin]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_are_smooth() {
        let curves = ["moons", "spiral", "circles", "swiss-roll", "pinwheel"];
        for set in sets().iter().filter(|set| curves.contains(&set.id)) {
            for pair in (set.parts)().windows(2).filter(|pair| pair[0].class == pair[1].class) {
                let [a, b] = [pair[0], pair[1]].map(|part| part.component);
                let apart = (a.mean[0] - b.mean[0]).hypot(a.mean[1] - b.mean[1]);
                assert!(apart <= 1.5 * a.std, "{}: {apart} apart at {:?}", set.id, a.mean);
            }
        }
    }

    #[test]
    fn an_id_finds_its_law() {
        let own = Own::new(&[[1.0, 2.0], [0.0, 0.0]], &[1, 0]).unwrap();
        for set in sets() {
            assert_eq!(distribution(set.id, &own), set.distribution());
        }
        assert_eq!(distribution(OWN, &own), own.distribution().unwrap());
        for id in [OWN, "moon"] {
            assert_eq!(distribution(id, &Own::default()), sets()[0].distribution());
        }
    }
}
