//! Who came nearest, and how fast.

use std::cmp::Ordering;

/// After at most each of the numbers of evaluations, how many it took and the distance; `None` where even one step takes more, or where it
/// is not known yet.
pub type Distances = Vec<Option<(usize, f64)>>;

/// A sampler's distances from its limit, with the evaluations that it took for each.
#[derive(Clone, Debug, PartialEq)]
pub struct Ranked {
    pub sampler: String,
    pub found: Distances,
    /// How fast the distance falls with the evaluations between the last two of them: `distance ~ evaluations^-order`.
    pub order: Option<f64>,
}

/// Samplers by their distance after the most evaluations that all of them know of, the nearest first.
///
/// Each is a sampler with what was found, in the order of the numbers of evaluations.
pub fn ranking(found: Vec<(String, Distances)>) -> Vec<Ranked> {
    let columns = found.iter().map(|(_, found)| found.len()).max().unwrap_or(0);
    let known =
        |column: usize| found.iter().filter(|(_, found)| found.get(column).is_some_and(Option::is_some)).count();
    // Of the columns in which as many samplers have arrived as anywhere, the last.
    let last = (0..columns).max_by_key(|column| (known(*column), *column));
    let mut ranked: Vec<_> =
        found.into_iter().map(|(sampler, found)| Ranked { order: order(&found), sampler, found }).collect();
    let at = |ranked: &Ranked| ranked.found.get(last?).copied().flatten().map(|(_, distance)| distance);
    ranked.sort_by(|a, b| match (at(a), at(b)) {
        (Some(a), Some(b)) => a.total_cmp(&b),
        (a, b) => {
            if a.is_some() == b.is_some() {
                Ordering::Equal
            } else {
                b.is_some().cmp(&a.is_some())
            }
        }
    });
    ranked
}

/// The slope of the last two points in logarithms of both.
fn order(found: &[Option<(usize, f64)>]) -> Option<f64> {
    let mut points = found.iter().flatten().rev();
    let (n, near) = points.next()?;
    let (m, far) = points.find(|(m, _)| m < n)?;
    let order = (far / near).ln() / (*n as f64 / *m as f64).ln();
    order.is_finite().then_some(order)
}

/// The distances as comma-separated values, with every digit.
pub fn csv(ranked: &[Ranked], evaluations: &[usize]) -> String {
    let mut lines = vec!["sampler,at most,evaluations,distance".to_owned()];
    for Ranked { sampler, found, .. } in ranked {
        for (most, found) in evaluations.iter().zip(found) {
            if let Some((taken, distance)) = found {
                lines.push(format!("{sampler},{most},{taken},{distance:e}"));
            }
        }
    }
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_is_first_and_its_order_is_measured() {
        let found = vec![
            ("euler".to_owned(), vec![Some((5, 0.4)), Some((10, 0.2))]),
            ("late".to_owned(), vec![None, None]),
            ("heun".to_owned(), vec![Some((5, 0.4)), Some((9, 0.4 * (5.0 / 9.0_f64).powi(2)))]),
            ("adaptive".to_owned(), vec![None, Some((8, 0.3))]),
        ];
        let ranked = ranking(found);
        let names: Vec<_> = ranked.iter().map(|row| &*row.sampler).collect();
        assert_eq!(names, ["heun", "euler", "adaptive", "late"]);
        let orders: Vec<_> = ranked.iter().map(|row| row.order.map(|order| (order * 1e6).round() / 1e6)).collect();
        assert_eq!(orders, [Some(2.0), Some(1.0), None, None]);
        let table = csv(&ranked, &[5, 10]);
        assert_eq!(table.lines().nth(4), Some("euler,10,10,2e-1"));
        assert_eq!(table.lines().count(), 6);
    }

    #[test]
    fn a_column_that_not_all_have_reached_decides_nothing() {
        let found = vec![
            ("ddim".to_owned(), vec![Some((5, 0.4)), Some((10, 0.2))]),
            ("heun".to_owned(), vec![Some((5, 0.3)), None]),
        ];
        assert_eq!(ranking(found)[0].sampler, "heun");
    }
}
