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

/// The schedulers that pipelines make of the one in their folder, whatever it is.
const MADE: [(&str, &str); 2] = [("DDIMPipeline", "DDIMScheduler"), ("PNDMPipeline", "PNDMScheduler")];

/// What pipelines set in the configuration of their scheduler, whatever it says, where its class has such a key.
const SET: [(&str, &str, i64); 4] = [
    ("StableDiffusionPipeline", "steps_offset", 1),
    ("StableDiffusionPipeline", "clip_sample", 0),
    ("StableDiffusionInpaintPipeline", "steps_offset", 1),
    ("StableDiffusionInpaintPipeline", "skip_prk_steps", 1),
];

/// Pipelines whose `eta` is 0.
const ETA: [&str; 4] =
    ["StableDiffusionPipeline", "StableDiffusionInpaintPipeline", "StableDiffusionXLPipeline", "LDMPipeline"];

/// The text of the `scheduler_config.json` that the pipeline of this `model_index.json` samples with.
pub fn used_by(index: &str, scheduler_config: &str) -> String {
    let index: Value = serde_json::from_str(index).unwrap_or_default();
    let Ok(mut config) = serde_json::from_str::<Map<String, Value>>(&strict(scheduler_config)) else {
        return scheduler_config.to_owned();
    };
    let before = config.clone();
    let of = |pipeline: &str| index["_class_name"] == *pipeline;
    if let Some((_, class)) = MADE.iter().find(|(pipeline, _)| of(pipeline))
        && config.contains_key("_class_name")
    {
        config.insert("_class_name".to_owned(), Value::from(*class));
    }
    let class = config.get("_class_name").and_then(Value::as_str).and_then(|name| class(name).ok());
    for (_, key, value) in SET.iter().filter(|(pipeline, ..)| of(pipeline)) {
        let value = if *key == "steps_offset" { Value::from(*value) } else { Value::from(*value != 0) };
        if class.is_some_and(|class| class.reads(key)) {
            config.insert((*key).to_owned(), value);
        }
    }
    // These pipelines give `eta` to every step of a scheduler that takes it, whatever its own default.
    if ETA.iter().any(|pipeline| of(pipeline)) && class.is_some_and(|class| class.calls.contains(&"eta")) {
        config.insert(STEP.to_owned(), json!({"eta": 0.0}));
    }
    if config == before { scheduler_config.to_owned() } else { Value::Object(config).to_string() }
}

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
        let class = |pipeline: &str| {
            let config = used_by(pipeline, r#"{"_class_name": "DDPMScheduler", "clip_sample": false}"#);
            let config: Value = serde_json::from_str(&config).unwrap();
            assert_eq!(config["clip_sample"], false);
            config["_class_name"].as_str().unwrap().to_owned()
        };
        assert_eq!(class(r#"{"_class_name": "DDIMPipeline"}"#), "DDIMScheduler");
        assert_eq!(class(r#"{"_class_name": "DDPMPipeline"}"#), "DDPMScheduler");
        assert_eq!(class("{"), "DDPMScheduler");
        assert_eq!(used_by(r#"{"_class_name": "DDIMPipeline"}"#, "{"), "{");
    }

    /// As its constructor does.
    #[test]
    fn stable_diffusion_sets_keys_of_its_scheduler() {
        let set = |pipeline: &str, config: &str| -> Value {
            serde_json::from_str(&used_by(&json!({"_class_name": pipeline}).to_string(), config)).unwrap()
        };
        let ddim = r#"{"_class_name": "DDIMScheduler", "steps_offset": 0}"#;
        let wanted = json!({"_class_name": "DDIMScheduler", "steps_offset": 1, "clip_sample": false,
            "_step": {"eta": 0.0}});
        assert_eq!(set("StableDiffusionPipeline", ddim), wanted);
        assert_eq!(set("StableDiffusionXLPipeline", ddim)["steps_offset"], 0);
        let pndm = set("StableDiffusionInpaintPipeline", r#"{"_class_name": "PNDMScheduler"}"#);
        assert_eq!(pndm, json!({"_class_name": "PNDMScheduler", "steps_offset": 1, "skip_prk_steps": true}));
    }
}
