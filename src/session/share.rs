//! Some of a run's pictures, for a machine that draws the others elsewhere.

use super::{Given, denoiser};
use crate::pipeline::Pipeline;
use crate::settings::Settings;
use std::ops::Range;

impl Pipeline {
    /// What draws the pictures of `range` alone, each as it is in the whole run. A range beyond the run's pictures is cut.
    pub fn share<'a>(&self, settings: &Settings, given: Given<'a>, range: Range<usize>) -> (Settings, Given<'a>) {
        let range = range.start.min(settings.images)..range.end.min(settings.images);
        let labels = denoiser::labels(settings, self, given.classes);
        let classes = labels.get(range.clone()).and_then(|labels| labels.iter().copied().collect());
        let rest = settings.from_image(range.start);
        (Settings { images: range.len(), ..rest }, Given { classes, ..given })
    }
}
