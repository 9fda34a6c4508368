//! What the scheduler of a folder makes of a number of steps.

use super::Pipeline;
use crate::interchange::scheduler_config::strict;
use crate::interchange::{Arguments, Mapped, Requested, Unmapped, diffusers};
use serde_json::Value;

impl Pipeline {
    /// The run of `steps` steps that its pipeline in diffusers makes: sampler, levels and where it starts.
    ///
    /// # Errors
    /// A scheduler that no sampler here follows.
    pub fn scheduled(&self, steps: usize) -> Result<Mapped, Unmapped> {
        let unreadable = |e: serde_json::Error| Unmapped(format!("scheduler_config.json is not a JSON object: {e}"));
        let mut config: Arguments = serde_json::from_str(&strict(&self.scheduler_config)).map_err(unreadable)?;
        let name = config.get("_class_name").and_then(Value::as_str).map(str::to_owned);
        let name = name.ok_or_else(|| Unmapped("scheduler_config.json names no `_class_name`".to_owned()))?;
        config.retain(|key, value| !key.starts_with('_') && !value.is_null());
        let none = Arguments::new();
        let asked = Requested { name: &name, config: &config, timesteps: &none, step: &none, steps: Some(steps) };
        diffusers::map(&asked)
    }
}
