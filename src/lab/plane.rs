//! The part of the plane that is looked at, in cells.

/// The square `[-half, half]^2` in `cells` by `cells` cells, row-major from the top left, as a picture of it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Plane {
    /// At least 1.
    pub cells: usize,
    /// Above 0.
    pub half: f64,
}

impl Plane {
    /// The middles of the cells.
    pub fn centres(self) -> impl Iterator<Item = [f64; 2]> {
        let Self { cells, half } = self;
        let place = move |i: usize| ((i as f64 + 0.5) * 2.0 / cells as f64 - 1.0) * half;
        (0..cells).flat_map(move |row| (0..cells).map(move |column| [place(column), -place(row)]))
    }

    /// The number of the cell that `x` lies in, or of the nearest one.
    pub fn cell(self, [x, y]: [f64; 2]) -> usize {
        let Self { cells, half } = self;
        // Negative numbers become 0.
        let place = |v: f64| (((v / half + 1.0) * 0.5 * cells as f64) as usize).min(cells - 1);
        place(-y) * cells + place(x)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_run_down_from_the_top_left() {
        let centres: Vec<_> = Plane { cells: 2, half: 4.0 }.centres().collect();
        assert_eq!(centres, [[-2.0, 2.0], [2.0, 2.0], [-2.0, -2.0], [2.0, -2.0]]);
    }

    #[test]
    fn a_cell_is_found_by_its_middle_and_from_outside() {
        let plane = Plane { cells: 7, half: 3.0 };
        for (i, centre) in plane.centres().enumerate() {
            assert_eq!(plane.cell(centre), i);
        }
        assert_eq!(plane.cell([-9.0, 9.0]), 0);
        assert_eq!(plane.cell([9.0, -9.0]), 48);
    }
}
