//! Which of the grid's steps are one step of a singlestep method.

use crate::math::Grid;

/// The order of each step, which is its place in its group. A step from pure noise or to the clean end, infinitely long
/// in log-SNR, is a group of its own. What is left over of groups of `most` is shared so that as few as can be are of
/// order 1: four steps are 2 + 2, not 3 + 1.
pub(super) fn orders(grid: &Grid, most: usize) -> Vec<usize> {
    let (pure, clean) = (usize::from(grid.first().alpha == 0.0), usize::from(grid.last().sigma == 0.0));
    let inner = grid.steps().saturating_sub(pure + clean);
    let mut groups = vec![1; pure];
    groups.resize(pure + inner / most, most);
    match inner % most {
        0 => {}
        1 if most > 2 && inner > most => {
            groups.pop();
            groups.extend([most - 1, 2]);
        }
        rest => groups.push(rest),
    }
    groups.resize(groups.len() + clean, 1);
    groups.into_iter().flat_map(|group| 1..=group).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::Level;

    #[test]
    fn groups_are_as_long_as_they_can_be_and_rarely_of_one() {
        // Steps between the ends, order, the orders of all steps after the first, which is from pure noise.
        for (inner, most, expected) in [
            (0, 3, vec![1]),
            (1, 3, vec![1, 1]),
            (2, 3, vec![1, 2, 1]),
            (4, 3, vec![1, 2, 1, 2, 1]),
            (5, 3, vec![1, 2, 3, 1, 2, 1]),
            (6, 3, vec![1, 2, 3, 1, 2, 3, 1]),
            (7, 3, vec![1, 2, 3, 1, 2, 1, 2, 1]),
            (5, 2, vec![1, 2, 1, 2, 1, 1]),
            (3, 1, vec![1, 1, 1, 1]),
        ] {
            let levels = |pure: Option<Level>, clean: Option<Level>| {
                let inner = (0..=inner).map(|i| Level::variance_exploding(0.0, f64::from(10 - i)));
                Grid::new(pure.into_iter().chain(inner).chain(clean).collect()).expect("the ratios fall")
            };
            let clean = Some(Level::CLEAN);
            assert_eq!(orders(&levels(None, clean), most), expected, "{inner} steps of order {most}");
            let pure = Some(Level::flow(1.0, f64::INFINITY));
            assert_eq!(orders(&levels(pure, clean), most)[1..], expected, "{inner} steps of order {most}");
            assert_eq!(orders(&levels(pure, None), most)[1..], expected[..inner as usize], "not to the end");
        }
        let only = Grid::new(vec![Level::flow(1.0, f64::INFINITY), Level::CLEAN]).expect("a step");
        assert_eq!(orders(&only, 3).first(), Some(&1));
    }
}
