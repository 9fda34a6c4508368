//! Some of a run's pictures, for a machine that draws the others elsewhere.

use super::Given;
use crate::settings::Settings;
use std::ops::Range;

impl Settings {
    /// Whether its pictures can be drawn apart. They cannot where a leg goes on from a method that chooses its steps: whether there is a
    /// step to go on from is known of all pictures together.
    pub fn divisible(&self) -> bool {
        let adaptive = |leg: &Self| leg.method::<f64>().is_ok_and(|method| method.on_grid().is_none());
        !self.legs().iter().any(|(leg, end)| end.is_some() && adaptive(leg))
    }

    /// What draws the pictures of `range` alone, each as it is in the whole run. A range beyond the run's pictures is cut.
    pub fn share<'a>(&self, given: Given<'a>, range: Range<usize>) -> (Self, Given<'a>) {
        let range = range.start.min(self.images)..range.end.min(self.images);
        let classes = given.classes.map(|classes| classes.get(range.clone()).unwrap_or_default().to_vec());
        let rest = self.from_image(range.start);
        (Self { images: range.len(), ..rest }, Given { classes, first: given.first + range.start, ..given })
    }
}
