//! Settings of k-diffusion's samplers.

use super::plan::{Plan, Unknown, chain, over, prediction};
use super::record::Settings;
use crate::denoise::scheduler_config::Keys;
use crate::math::spacing::{Spacing, exponential, karras};
use crate::math::{ContinuousVp, Level, NoiseSchedule, linspace};
use crate::samplers::methods;
use serde_json::json;

/// Id of the row for a function of `k_diffusion.sampling`.
pub(super) fn sampler(function: &str) -> Option<&'static str> {
    methods::<f64>().into_iter().find(|m| m.k_diffusion == Some(function)).map(|m| m.id)
}

pub(super) fn plan(sampler: &'static str, settings: &Settings) -> Result<Plan, Unknown> {
    let defaults = json!({"s_churn": 0.0, "s_noise": 1.0, "solver_type": "midpoint"});
    let honoured = ["sigmas", "sigma_min", "sigma_max", "rho", "beta_d", "beta_min", "eps_s", "eta"];
    let config = over(&defaults, &settings.config, &honoured)?;
    let keys = Keys(&config);
    let steps = settings.steps()?;
    let least = keys.number("sigma_min")?.unwrap_or(0.002);
    let most = keys.number("sigma_max")?.unwrap_or(80.0);
    let rho = keys.number("rho")?;
    // The functions get_sigmas_karras, .._exponential, .._polyexponential and .._vp.
    let sigmas: Vec<f64> = match keys.text("sigmas")?.unwrap_or("karras") {
        "karras" => karras(most, least, rho.unwrap_or(Spacing::RHO), steps),
        "exponential" => exponential(most, least, steps),
        "polyexponential" => {
            let ramp = linspace(1.0, 0.0, steps).into_iter().map(|u| u.powf(rho.unwrap_or(1.0)));
            ramp.map(|u| (u * (most / least).ln() + least.ln()).exp()).collect()
        }
        "vp" => {
            let (range, beta_min) = (keys.number("beta_d")?.unwrap_or(19.9), keys.number("beta_min")?.unwrap_or(0.1));
            let schedule = ContinuousVp { beta_min, beta_max: beta_min + range };
            let times = linspace(1.0, keys.number("eps_s")?.unwrap_or(1e-3), steps);
            times.into_iter().map(|t| schedule.level(t).nsr()).collect()
        }
        other => return Err(Unknown(format!("sigmas `{other}` are not replayed"))),
    };
    let levels: Vec<Level> = sigmas.iter().map(|sigma| Level::variance_exploding(*sigma, *sigma)).collect();
    Ok(Plan {
        sampler,
        eta: keys.number("eta")?,
        prediction: prediction(settings)?,
        clip: None,
        start: sigmas[0],
        steps: chain(&levels, Level::CLEAN),
        forget: Vec::new(),
    })
}
