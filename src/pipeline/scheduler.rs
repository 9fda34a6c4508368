//! What a folder's scheduler says besides the process.

use crate::denoise::Clip;
use crate::interchange::diffusers;
use crate::interchange::scheduler_config::strict;
use serde_json::Value;

/// What diffusers' `DDPMScheduler()` is, the scheduler that its unconditional training starts with.
pub(super) const UNSAID: &str = r#"{"_class_name": "DDPMScheduler", "num_train_timesteps": 1000, "beta_start": 0.0001,
    "beta_end": 0.02, "beta_schedule": "linear", "variance_type": "fixed_small", "clip_sample": true,
    "prediction_type": "epsilon"}"#;

pub(super) const UNSAID_NOTE: &str = "The folder has no scheduler_config.json, so the model is taken to be trained as diffusers' DDPMScheduler() says: \
    1000 timesteps of linear betas from 0.0001 to 0.02, predicting the noise.";

pub(super) const UNFOLLOWED_NOTE: &str =
    "The folder's scheduler is not followed here, and the model starts with settings of every model";

/// Schedulers of diffusers that clip where their configuration does not say.
const CLIPPING: [&str; 4] = ["DDPMScheduler", "DDIMScheduler", "DDPMParallelScheduler", "DDIMParallelScheduler"];

/// What a scheduler does to estimates: what its class reads of its configuration, or where the class is not known what
/// `clip_sample` and `clip_sample_range` say.
pub(super) fn bound(json: &str, notes: &mut Vec<String>) -> Option<Clip> {
    if let Ok(described) = diffusers::describe(json) {
        let note = |key| format!("The scheduler's `{key}` is not known here, and what it changes is left out.");
        notes.extend(described.unknown.iter().map(note));
        return described.mapped.bound.map(|bound| bound.clip);
    }
    let config: Value = serde_json::from_str(&strict(json)).unwrap_or_default();
    let most = config["clip_sample_range"].as_f64().filter(|most| *most > 0.0).unwrap_or(1.0);
    let by_class = || CLIPPING.iter().any(|class| config["_class_name"] == *class);
    let clips = config["clip_sample"].as_bool().unwrap_or_else(by_class);
    clips.then_some(Clip::Range { low: -most, high: most })
}
