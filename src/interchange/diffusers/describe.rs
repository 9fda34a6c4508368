//! What a folder's scheduler is here, for a person to read.

use super::{Class, Mapped, Setup, Unmapped, class, classes, defaults};
use crate::denoise::Clip;
use crate::interchange::scheduler_config::{Keys, strict};
use crate::interchange::{Arguments, Bound, Requested};
use serde_json::Value;
use std::fmt;

/// The number of steps that orders are described for.
const STEPS: usize = 20;

/// The note in a scheduler config that holds what its pipeline gives to every step.
pub(in crate::interchange) const STEP: &str = "_step";

/// Beginnings of the names of classes that space in one way only.
const OWN_SPACING: &[&str] = &["FlowMatch", "ScoreSde", "CMStochastic", "IPNDM", "KarrasVe", "LCM", "TCD"];

/// A scheduler in the terms of this library.
#[derive(Clone, Debug, PartialEq)]
pub struct Described {
    /// diffusers' name of the class.
    pub class: String,
    /// How it spaces noise levels, in diffusers' words.
    pub spacing: String,
    /// How far a flow's times are shifted.
    pub shift: Option<f64>,
    /// A run of so many steps, 20 where none are said.
    pub mapped: Mapped,
    /// Arguments that it was given and does not read.
    pub unread: Vec<String>,
    /// Those of them that no class here has, and that are not switched off.
    pub unknown: Vec<String>,
}

/// Reads the text of a `scheduler_config.json` and says which run it describes.
///
/// # Errors
/// Text that is not a JSON object; no `_class_name`; otherwise as [`map`](super::map).
pub fn describe(json: &str) -> Result<Described, Unmapped> {
    describe_run(json, STEPS)
}

/// The same of a run of `n` steps.
pub(super) fn describe_run(json: &str, n: usize) -> Result<Described, Unmapped> {
    let said = |problem: String| Unmapped(format!("the scheduler config is not a JSON object: {problem}"));
    let given: Arguments = serde_json::from_str(&strict(json)).map_err(|e| said(e.to_string()))?;
    let name = given.get("_class_name").and_then(Value::as_str);
    let name = name.ok_or_else(|| Unmapped("the scheduler config names no `_class_name`".to_owned()))?;
    let class = class(name)?;
    let defaults = defaults(class);
    let step = given.get(STEP).and_then(Value::as_object).cloned().unwrap_or_default();
    // Saved configs keep what other classes were given, and name what they leave open.
    let given = given.iter().filter(|(key, value)| !key.starts_with('_') && !value.is_null());
    let (read, unread): (Vec<_>, Vec<_>) = given.partition(|(key, _)| class.reads(key) || defaults.get(key).is_some());
    let config: Arguments = read.into_iter().map(|(key, value)| (key.clone(), value.clone())).collect();
    let none = Arguments::new();
    let mapped = super::map(&Requested { name, config: &config, timesteps: &none, step: &step, steps: Some(n) })?;
    let mut all = defaults.as_object().cloned().unwrap_or_default();
    all.extend(config);
    let setup = Setup { steps: Some(n), keys: Keys(&all), calls: Keys(&none) };
    Ok(Described {
        class: name.to_owned(),
        spacing: spacing(class, &setup)?,
        shift: setup.keys.number("shift")?,
        mapped,
        unknown: unread.iter().filter(|(key, value)| is_unknown(key, value)).map(|(key, _)| (*key).clone()).collect(),
        unread: unread.into_iter().map(|(key, _)| key.clone()).collect(),
    })
}

/// Keys of diffusers' first versions that said how tensors were kept.
const IDLE: &[&str] = &["tensor_format", "format"];

/// Whether an argument may be one that changes the run: saved configs also keep what other classes were given.
fn is_unknown(key: &str, value: &Value) -> bool {
    let is_off = match value {
        Value::Bool(on) => !on,
        Value::Array(list) => list.is_empty(),
        Value::String(text) => text.is_empty(),
        other => other.as_f64() == Some(0.0),
    };
    let known = || classes().any(|class| class.reads(key) || defaults(class).get(key).is_some());
    !is_off && !IDLE.contains(&key) && !known()
}

fn spacing(class: &Class, setup: &Setup<'_>) -> Result<String, Unmapped> {
    for (flag, name) in [
        ("use_karras_sigmas", "karras"),
        ("use_exponential_sigmas", "exponential"),
        ("use_beta_sigmas", "beta"),
        ("use_lu_lambdas", "log-SNR"),
        ("use_flow_sigmas", "flow"),
    ] {
        if setup.flag(flag)? {
            return Ok(name.to_owned());
        }
    }
    let own = OWN_SPACING.iter().any(|prefix| class.name.starts_with(prefix));
    if class.reads("sigma_schedule") {
        return Ok(setup.keys.text("sigma_schedule")?.unwrap_or("karras").to_owned());
    }
    Ok(setup.keys.text("timestep_spacing")?.filter(|_| !own).unwrap_or("its own").to_owned())
}

impl fmt::Display for Described {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Mapped { sampler, orders, bound, steps, .. } = &self.mapped;
        write!(f, "{} is {sampler} here, {} spacing", self.class, self.spacing)?;
        if let Some(orders) = orders {
            let most = orders.iter().max().copied().unwrap_or(1);
            let last = orders.last().copied().unwrap_or(1);
            write!(f, ", order {most}")?;
            if last < most {
                write!(f, " and in the last step {last}")?;
            }
        }
        match bound.map(|Bound { clip, .. }| clip) {
            None => {}
            Some(Clip::Range { low, high }) => write!(f, ", x_0 clipped to {low} to {high}")?,
            Some(Clip::Dynamic { ratio, most }) => {
                write!(f, ", x_0 thresholded at the quantile {ratio}, at most {most}")?;
            }
        }
        if steps.last().is_some_and(|(_, to)| to.sigma > 0.0) {
            write!(f, ", ends with noise left")?;
        }
        if !self.unread.is_empty() {
            write!(f, "; it does not read {}", self.unread.join(", "))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(json: &str) -> String {
        describe(json).map_or_else(|unmapped| unmapped.to_string(), |described| described.to_string())
    }

    #[test]
    fn configs_of_published_models_are_described() {
        let ddpm = r#"{"_class_name": "DDPMScheduler", "_diffusers_version": "0.1.1", "beta_end": 0.02, "beta_schedule":
            "linear", "beta_start": 0.0001, "clip_sample": true, "num_train_timesteps": 1000, "trained_betas": null,
            "variance_type": "fixed_small"}"#;
        assert_eq!(said(ddpm), "DDPMScheduler is ddpm here, leading spacing, x_0 clipped to -1 to 1");
        let pndm = r#"{"_class_name": "PNDMScheduler", "beta_end": 0.012, "beta_schedule": "scaled_linear", "beta_start":
            0.00085, "num_train_timesteps": 1000, "set_alpha_to_one": false, "skip_prk_steps": true, "steps_offset": 1,
            "trained_betas": null, "clip_sample": false}"#;
        assert_eq!(
            said(pndm),
            "PNDMScheduler is pndm here, leading spacing, order 4, ends with noise left; it does not read clip_sample"
        );
        let dpm = r#"{"_class_name": "DPMSolverMultistepScheduler", "algorithm_type": "dpmsolver++", "lambda_min_clipped":
            -Infinity, "use_karras_sigmas": true, "thresholding": true, "solver_order": 3}"#;
        assert_eq!(
            said(dpm),
            "DPMSolverMultistepScheduler is dpmpp-3m here, karras spacing, order 3 and in the last step 1, x_0 \
             thresholded at the quantile 0.995, at most 1"
        );
        let edm = r#"{"_class_name": "EDMEulerScheduler", "sigma_schedule": "exponential"}"#;
        assert_eq!(said(edm), "EDMEulerScheduler is euler here, exponential spacing");
        let flow = r#"{"_class_name": "FlowMatchEulerDiscreteScheduler", "shift": 3.0}"#;
        assert_eq!(said(flow), "FlowMatchEulerDiscreteScheduler is euler here, its own spacing");
    }

    #[test]
    fn what_is_not_known_is_said() {
        assert!(said("[1]").contains("JSON object"));
        assert!(said("{}").contains("_class_name"));
        assert!(said(r#"{"_class_name": "VQDiffusionScheduler"}"#).contains("VQDiffusionScheduler"));
        assert!(said(r#"{"_class_name": "DDPMScheduler", "variance_type": "other"}"#).contains("other"));
    }
}
