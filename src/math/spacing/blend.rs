//! Two spacings as one.

use super::Spacing;
use crate::math::{Level, NoiseSchedule};

/// `n` levels between those of the spacings `of`, in logarithms of the noise-to-signal ratio. At either end of the weight they are one
/// spacing's own, bit for bit, and so is a level that all have.
pub(super) fn levels(schedule: &impl NoiseSchedule, of: &[Spacing], weight: f64, n: usize) -> Vec<Level> {
    let [first, second] =
        [of.first(), of.last()].map(|of| of.map_or(Vec::new(), |spacing| spacing.levels(schedule, n)));
    if weight == 0.0 {
        return first;
    }
    if weight == 1.0 {
        return second;
    }
    // Pure noise has no ratio: it counts as the largest that is visited elsewhere, or as twice the next.
    let ratio = |levels: &[Level], i: usize| {
        let next = levels.get(i + 1).map_or(0.0, Level::nsr);
        Some(levels[i].nsr()).filter(|nsr| nsr.is_finite()).unwrap_or(Spacing::LARGEST_RATIO.max(2.0 * next))
    };
    let level = |i: usize| {
        if first[i] == second[i] {
            return first[i];
        }
        let [a, b] = [&first, &second].map(|levels| ratio(levels, i).ln());
        schedule.level_at(((1.0 - weight) * a + weight * b).exp())
    };
    (0..n).map(level).collect()
}
