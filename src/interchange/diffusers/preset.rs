//! The settings with which a folder's own scheduler samples.

use super::class;
use super::describe::{STEP, describe, describe_run};
use crate::interchange::scheduler_config::strict;
use crate::interchange::{Mapped, Unmapped};
use crate::samplers::{Tuning, method};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The settings, by the keys of a link, that draw what a pipeline of diffusers draws with the scheduler of this
/// `scheduler_config.json`: its sampler and its knobs, on its own levels.
///
/// # Errors
/// A scheduler that no sampler here follows.
pub fn preset(json: &str) -> Result<BTreeMap<String, Value>, Unmapped> {
    let mapped = describe(json)?.mapped;
    let row = method::<f64>(mapped.sampler);
    let row = row.ok_or_else(|| Unmapped(format!("no sampler {} takes its steps", mapped.sampler)))?;
    let turned = row.knobs.iter().filter(|knob| mapped.tuning.get(knob) != Tuning::default().get(knob));
    let turned = turned.map(|knob| (knob.id.to_owned(), Value::from(mapped.tuning.get(knob))));
    let own = [("sampler", row.id), ("schedule", "model")].map(|(key, value)| (key.to_owned(), Value::from(value)));
    Ok(own.into_iter().chain(turned).collect())
}

/// The run of `steps` steps that a pipeline of diffusers makes with the scheduler of this `scheduler_config.json`: sampler,
/// levels and where it starts.
///
/// # Errors
/// A scheduler that no sampler here follows, or not in so many steps.
pub fn scheduled(json: &str, steps: usize) -> Result<Mapped, Unmapped> {
    Ok(describe_run(json, steps)?.mapped)
}

/// What a pipeline makes of the scheduler in its folder.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Uses {
    /// The class that it turns it into, whatever it is.
    pub class: Option<&'static str>,
    /// Keys that it sets, whatever is said, where the class has them; the values are JSON.
    pub sets: &'static [(&'static str, &'static str)],
    /// Whether it gives an `eta` of 0 to every step of a scheduler that takes one, whatever its own default.
    pub without_eta: bool,
}

impl Uses {
    pub const AS_IT_IS: Self = Self { class: None, sets: &[], without_eta: false };

    /// The text of the `scheduler_config.json` that the pipeline samples with.
    pub fn of(&self, scheduler_config: &str) -> String {
        let Ok(mut config) = serde_json::from_str::<Map<String, Value>>(&strict(scheduler_config)) else {
            return scheduler_config.to_owned();
        };
        let before = config.clone();
        if let Some(class) = self.class.filter(|_| config.contains_key(CLASS)) {
            config.insert(CLASS.to_owned(), Value::from(class));
        }
        let class = config.get(CLASS).and_then(Value::as_str).and_then(|name| class(name).ok());
        for (key, value) in self.sets.iter().filter(|(key, _)| class.is_some_and(|class| class.reads(key))) {
            config.insert((*key).to_owned(), serde_json::from_str(value).unwrap_or_default());
        }
        if self.without_eta && class.is_some_and(|class| class.calls.contains(&"eta")) {
            config.insert(STEP.to_owned(), json!({"eta": 0.0}));
        }
        if config == before { scheduler_config.to_owned() } else { Value::Object(config).to_string() }
    }
}

/// The key that names the class.
const CLASS: &str = "_class_name";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scheduler_says_sampler_spacing_and_knobs() {
        let process = json!({"num_train_timesteps": 1000, "beta_start": 0.0001, "beta_end": 0.02,
            "beta_schedule": "linear"});
        for (class, more, wanted) in [
            ("DDPMScheduler", json!({"variance_type": "learned_range"}), json!({"sampler": "ddpm-learned"})),
            ("DPMSolverMultistepScheduler", json!({"solver_order": 3}), json!({"sampler": "dpmpp-3m"})),
            ("UniPCMultistepScheduler", json!({"solver_order": 3}), json!({"sampler": "unipc-bh2", "order": 3.0})),
        ] {
            let mut wanted = wanted;
            wanted["schedule"] = json!("model");
            let mut config = process.clone();
            config["_class_name"] = json!(class);
            for (key, value) in more.as_object().into_iter().flatten() {
                config[key] = value.clone();
            }
            assert_eq!(preset(&config.to_string()).map(|settings| json!(settings)), Ok(wanted), "{class}");
        }
        assert!(preset(r#"{"_class_name": "VQDiffusionScheduler"}"#).is_err());
    }

    #[test]
    fn some_pipelines_make_a_scheduler_of_their_own() {
        let uses = Uses { class: Some("DDIMScheduler"), ..Uses::AS_IT_IS };
        let config = r#"{"_class_name": "DDPMScheduler", "clip_sample": false}"#;
        let made: Value = serde_json::from_str(&uses.of(config)).unwrap();
        assert_eq!(made, json!({"_class_name": "DDIMScheduler", "clip_sample": false}));
        assert_eq!((Uses::AS_IT_IS.of(config), uses.of("{")), (config.to_owned(), "{".to_owned()));
    }

    #[test]
    fn some_pipelines_set_keys_where_the_class_has_them() {
        let sets = &[("steps_offset", "1"), ("clip_sample", "false"), ("skip_prk_steps", "true")];
        let uses = Uses { sets, without_eta: true, class: None };
        let set = |config: &str| -> Value { serde_json::from_str(&uses.of(config)).unwrap() };
        let ddim =
            json!({"_class_name": "DDIMScheduler", "steps_offset": 1, "clip_sample": false, "_step": {"eta": 0.0}});
        assert_eq!(set(r#"{"_class_name": "DDIMScheduler", "steps_offset": 0}"#), ddim);
        let pndm = json!({"_class_name": "PNDMScheduler", "steps_offset": 1, "skip_prk_steps": true});
        assert_eq!(set(r#"{"_class_name": "PNDMScheduler"}"#), pndm);
    }

    /// Of TCD, whose own `eta` is not 0.
    #[test]
    fn a_pipeline_without_eta_turns_the_knob() {
        let config = r#"{"_class_name": "TCDScheduler"}"#;
        let knob = |config: &str| preset(config).unwrap().get("gamma").cloned();
        assert_eq!(knob(config), None);
        assert_eq!(knob(&Uses { without_eta: true, ..Uses::AS_IT_IS }.of(config)), Some(json!(0.0)));
    }
}
