//! What the scheduler of a folder makes of a number of steps.

use super::Pipeline;
use crate::interchange::{Mapped, Unmapped, diffusers};

impl Pipeline {
    /// The run of `steps` steps that its pipeline in diffusers makes: sampler, levels and where it starts.
    ///
    /// # Errors
    /// A scheduler that no sampler here follows.
    pub fn scheduled(&self, steps: usize) -> Result<Mapped, Unmapped> {
        diffusers::scheduled(&self.scheduler_config, steps)
    }
}
