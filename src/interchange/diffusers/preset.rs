//! The settings with which a folder's own scheduler samples.

use super::describe::describe;
use crate::interchange::python::same_levels;
use crate::math::{Schedule, Spacing};
use crate::samplers::{Tuning, method};
use serde_json::Value;
use std::collections::BTreeMap;

/// The settings, by the keys of a link, that draw what a pipeline of diffusers draws with the scheduler of this
/// `scheduler_config.json`: its sampler, spacing and knobs. What has no counterpart here is left out.
pub fn preset(json: &str) -> BTreeMap<String, Value> {
    let mut settings = BTreeMap::new();
    let (Ok(described), Ok((schedule, _))) = (describe(json), Schedule::from_scheduler_config(json)) else {
        return settings;
    };
    let mapped = described.mapped;
    let Some(row) = method::<f64>(mapped.sampler) else { return settings };
    settings.insert("sampler".to_owned(), Value::from(row.id));
    let shift = described.shift.map(|shift| Spacing::Shifted { shift });
    let same = |spacing: &Spacing| {
        let grid = spacing.grid(&schedule, mapped.steps.len());
        grid.is_ok_and(|grid| same_levels(&mapped, &grid).is_some())
    };
    if let Some(spacing) = shift.into_iter().chain(Spacing::ALL).find(same) {
        settings.insert("schedule".to_owned(), Value::from(spacing.to_string()));
    }
    for knob in row.knobs.iter().filter(|knob| mapped.tuning.get(knob) != Tuning::default().get(knob)) {
        settings.insert(knob.id.to_owned(), Value::from(mapped.tuning.get(knob)));
    }
    settings
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_scheduler_says_sampler_spacing_and_knobs() {
        let process = json!({"num_train_timesteps": 1000, "beta_start": 0.0001, "beta_end": 0.02,
            "beta_schedule": "linear"});
        for (class, more, wanted) in [
            (
                "DDPMScheduler",
                json!({"variance_type": "learned_range"}),
                json!({"sampler": "ddpm-learned", "schedule": "leading"}),
            ),
            (
                "DDIMScheduler",
                json!({"timestep_spacing": "trailing"}),
                json!({"sampler": "ddim", "schedule": "trailing"}),
            ),
            (
                "EulerDiscreteScheduler",
                json!({"use_karras_sigmas": true}),
                json!({"sampler": "euler", "schedule": "karras"}),
            ),
            (
                "DPMSolverMultistepScheduler",
                json!({"solver_order": 3, "timestep_spacing": "trailing"}),
                json!({"sampler": "dpmpp-3m", "schedule": "trailing"}),
            ),
            (
                "UniPCMultistepScheduler",
                json!({"solver_order": 3, "timestep_spacing": "trailing"}),
                json!({"sampler": "unipc-bh2", "schedule": "trailing", "order": 3.0}),
            ),
        ] {
            let mut config = process.clone();
            config["_class_name"] = json!(class);
            for (key, value) in more.as_object().into_iter().flatten() {
                config[key] = value.clone();
            }
            assert_eq!(json!(preset(&config.to_string())), wanted, "{class}");
        }
        assert!(preset(r#"{"_class_name": "VQDiffusionScheduler"}"#).is_empty());
    }
}
