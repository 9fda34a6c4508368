//! The legs of a run: each goes on from the point of the one before.

use super::SessionError;
use super::levels::Course;
use crate::backend::ImageNoise;
use crate::math::noise::{Between, BrownianPath};
use crate::math::{Level, Noise};
use crate::pipeline::Pipeline;
use crate::samplers::Method;
use crate::settings::Settings;
use burn::tensor::Tensor;
use std::ops::Range;

/// A part of the way with its own settings.
pub(super) struct Leg {
    pub settings: Settings,
    pub method: Method<Tensor<4>>,
    /// The step of the whole way at which the next leg goes on; the last leg runs to its end.
    pub end: Option<usize>,
}

/// Where a leg begins.
pub(super) struct At {
    /// Counted from the start of the whole way.
    pub step: usize,
    pub x: Tensor<4>,
    /// The estimate that `x` was built on.
    pub denoised: Tensor<4>,
    /// Of each picture.
    pub levels: Vec<Level>,
    /// Where the stream of each picture's noise stands.
    pub noise: ImageNoise,
    /// The draws of each picture that are no part of its Brownian path.
    pub draws: Vec<u64>,
}

impl Leg {
    /// # Errors
    /// A sampler that there is not.
    pub fn all(settings: &Settings) -> Result<Vec<Self>, SessionError> {
        let leg = |(settings, end): (Settings, _)| {
            let method = settings.method().map_err(SessionError::Sampler)?;
            Ok(Self { settings, method, end })
        };
        settings.legs().into_iter().map(leg).collect()
    }

    /// The steps of the whole way, whose first leg has this course; `None` where a method chooses its steps.
    ///
    /// # Errors
    /// A leg goes on from a step that the one before does not have, or finds no level there.
    pub fn total(legs: &[Self], model: &Pipeline, first: &Course) -> Result<Option<usize>, SessionError> {
        let (mut grid, mut standing, mut begins) = (first.grid.clone(), first.standing().len(), 0);
        let mut level = grid.first();
        for (i, leg) in legs.iter().enumerate() {
            if i > 0 {
                let course = leg.course(model, level)?.ok_or(SessionError::NoLevels { step: begins })?;
                (grid, standing) = (course.grid.clone(), course.standing().len());
            }
            if leg.method.on_grid().is_none() {
                return Ok(None);
            }
            let Some(end) = leg.end else { return Ok(Some(begins + grid.steps() + standing)) };
            if end - begins >= grid.steps() {
                return Err(SessionError::Ended { step: end, steps: begins + grid.steps() });
            }
            (level, begins) = (grid.after(end - begins), end);
        }
        Ok(None)
    }

    /// Its steps from a level on, which are those of its settings that end below it; `None` where there is none.
    fn course(&self, model: &Pipeline, level: Level) -> Result<Option<Course>, SessionError> {
        let course = Course::new(&self.settings, model, &self.method)?;
        let below = course.grid.below(level);
        Ok(below.map(|grid| course.from(grid)))
    }

    /// The course from a point on: one for all pictures, or where they are at levels of their own one for each, which a picture at
    /// its end has not.
    ///
    /// # Errors
    /// No picture has a step left; pictures at levels of their own, and a scheduler's run that does more than its steps.
    pub fn courses(&self, model: &Pipeline, At { step, levels, .. }: &At) -> Result<Vec<Option<Course>>, SessionError> {
        let together = levels.windows(2).all(|pair| pair[0] == pair[1]);
        let levels = if together { &levels[..1] } else { &levels[..] };
        let courses = levels.iter().map(|level| self.course(model, *level)).collect::<Result<Vec<_>, _>>()?;
        if courses.iter().all(Option::is_none) {
            return Err(SessionError::NoLevels { step: *step });
        }
        let more = |course: &Course| course.ends_noisy() || !course.standing().is_empty();
        match courses.iter().flatten().any(more) && !together {
            true => Err(SessionError::Apart { step: *step }),
            false => Ok(courses),
        }
    }

    /// Where the streams of its seeds begin.
    pub fn noise(&self) -> ImageNoise {
        let Settings { seed, variation_seed, variation, images, .. } = self.settings;
        ImageNoise::new(seed, images).towards(variation_seed, variation)
    }

    /// The point as this leg finds it: the noise goes on where the leg before left it, unless another seed is given. The stream of
    /// that one stands where it does after the draw that a run begins with.
    pub fn found(&self, before: &Self, at: At) -> At {
        let seeds = |leg: &Self| {
            let Settings { seed, variation_seed, variation, .. } = leg.settings;
            (seed, if variation > 0.0 { Some(variation_seed) } else { None }, variation)
        };
        if seeds(self) == seeds(before) {
            return at;
        }
        let mut noise = self.noise();
        noise.normal(&at.x);
        At { noise, draws: vec![0; at.draws.len()], ..at }
    }

    /// The Brownian path of some of the pictures, after so many draws that are no part of it.
    pub fn path(&self, part: &Range<usize>, draws: u64) -> Between<BrownianPath<Tensor<4>>> {
        let Settings { seed, variation_seed, variation, .. } = self.settings.from_image(part.start);
        let [first, second] = [seed, variation_seed].map(|seed| BrownianPath::new(seed.into()).after(draws));
        Between { first, second, share: variation }
    }
}
