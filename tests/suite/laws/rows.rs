//! What is true of the table itself.

use super::case::Case;
use super::grids::{Between, processes};
use super::plane::{Point, Seeded, distance, mixture};
use unnoise::denoise::{Denoiser, Estimate, Mixture};
use unnoise::math::{Latent, Level, Noise};
use unnoise::samplers::{Tuning, method, methods};

/// A model that learned a variance too.
struct Learned(Mixture<2>);

impl Denoiser<Point> for Learned {
    fn denoise(&self, x: &Point, at: Level) -> Point {
        self.0.denoise(x, at)
    }

    fn estimate(&self, x: &Point, at: Level) -> Estimate<Point> {
        Estimate { variance: Some([0.3, -0.2]), ..self.0.estimate(x, at) }
    }
}

/// Two rows with the same knobs differ in some run: another name for a method is an alias of its row.
#[test]
fn no_method_has_two_rows() {
    let (model, process) = (Learned(mixture()), &processes()[0]);
    let end = |case: &Case<Point>| {
        let grid = process.inner(7);
        let start = Seeded::new(3).normal(&[0.0; 2]).scale(grid.first().marginal_std());
        let (schedule, mut noise) = (Between(&grid), Seeded::new(4));
        case.start(start, (&grid, &schedule), &model, &mut noise).last().expect("a step").x
    };
    let ends: Vec<(Case<Point>, Point)> =
        Case::all().into_iter().map(|case| (end(&case), case)).map(|(x, c)| (c, x)).collect();
    let of = |id: &str| ends.iter().filter(|(case, _)| case.row.id == id).map(|(_, x)| *x).collect::<Vec<_>>();
    let rows = methods::<Point>();
    for (i, row) in rows.iter().enumerate() {
        for other in rows[..i].iter().filter(|other| other.knobs == row.knobs && other.on_grid().is_some()) {
            let (here, there) = (of(row.id), of(other.id));
            let same = here.iter().zip(&there).all(|(a, b)| distance(a, b) < 1e-12 * (1.0 + a[0].abs()));
            assert!(!same || here.is_empty(), "{} is {}", row.id, other.id);
        }
    }
}

/// A row's aliases lead to it, and are no ids of others.
#[test]
fn an_alias_is_another_name_of_one_row() {
    let rows = methods::<f64>();
    for (row, alias) in rows.iter().flat_map(|row| row.aliases.iter().map(move |alias| (row, *alias))) {
        assert_eq!(method::<f64>(alias).expect("a row").id, row.id);
        assert_eq!(
            rows.iter().filter(|other| other.id == alias || other.aliases.contains(&alias)).count(),
            1,
            "{alias}"
        );
    }
    assert_eq!(method::<f64>("res-multistep").expect("an alias").id, "dpmpp-2m-heun");
}

/// A knob's default lies in its range, and what it needs is another knob of its row.
#[test]
fn every_knob_is_whole_in_itself() {
    for row in methods::<f64>() {
        for knob in row.knobs {
            assert!(knob.range().contains(&knob.default), "{} of {}", knob.id, row.id);
            assert!(knob.needs.is_none_or(|id| row.knob(id).is_some()), "{} of {}", knob.id, row.id);
            assert_eq!(row.knobs.iter().filter(|other| other.id == knob.id).count(), 1, "{} of {}", knob.id, row.id);
            assert!(!knob.whole || knob.min.fract() == 0.0 && knob.default.fract() == 0.0, "{} of {}", knob.id, row.id);
        }
    }
}

#[test]
fn the_default_tuning_and_stochastic_agree() {
    let rows = methods::<f64>();
    for row in &rows {
        assert_eq!(row.stochastic_with(&Tuning::default()), row.stochastic, "{}", row.id);
        assert_eq!(rows.iter().filter(|r| r.id == row.id).count(), 1, "{} stands twice", row.id);
        assert!(row.id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'), "{}", row.id);
    }
}
