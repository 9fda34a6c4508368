//! Settings of k-diffusion's samplers.

use super::{Asked, Draws, Mapped, Unmapped, chain, over};
use crate::denoise::Prediction;
use crate::interchange::scheduler_config::Keys;
use crate::math::spacing::{Spacing, exponential, karras, polyexponential};
use crate::math::{ContinuousVp, Level, NoiseSchedule, Schedule, Ve, linspace};
use crate::samplers::methods;
use crate::samplers::ode::{CHURN, CHURN_MAX, CHURN_MIN};
use serde_json::json;

/// Maps a run of the function `asked.name` of `k_diffusion.sampling`, on the noise levels of one of its `get_sigmas_*`
/// functions.
///
/// # Errors
/// A function that is not known here; an argument, by its name, that is not known or of the wrong kind.
pub fn map(asked: &Asked<'_>) -> Result<Mapped, Unmapped> {
    let defaults = json!({"s_churn": 0.0, "s_tmin": 0.0, "s_tmax": null, "s_noise": 1.0, "solver_type": "midpoint",
        "eta": 1.0, "order": 4, "r": 0.5});
    let honoured = [
        "sigmas",
        "sigma_min",
        "sigma_max",
        "rho",
        "beta_d",
        "beta_min",
        "eps_s",
        "eta",
        "order",
        "r",
        "solver_type",
        "s_churn",
        "s_tmin",
        "s_tmax",
        "s_noise",
    ];
    let config = over(&defaults, asked.config, &honoured)?;
    let keys = Keys(&config);
    let steps = super::count(asked.steps)?;
    let least = keys.number("sigma_min")?.unwrap_or(0.002);
    let most = keys.number("sigma_max")?.unwrap_or(80.0);
    let rho = keys.number("rho")?;
    // The functions get_sigmas_karras, .._exponential, .._polyexponential and .._vp.
    let spacing = keys.text("sigmas")?.unwrap_or("karras");
    let sigmas: Vec<f64> = match spacing.trim_start_matches("get_sigmas_") {
        "karras" => karras(most, least, rho.unwrap_or(Spacing::RHO), steps),
        "exponential" => exponential(most, least, steps),
        "polyexponential" => polyexponential(most, least, rho.unwrap_or(1.0), steps),
        "vp" => {
            let (range, beta_min) = (keys.number("beta_d")?.unwrap_or(19.9), keys.number("beta_min")?.unwrap_or(0.1));
            let schedule = ContinuousVp { beta_min, beta_max: beta_min + range };
            let times = linspace(1.0, keys.number("eps_s")?.unwrap_or(1e-3), steps);
            times.into_iter().map(|t| schedule.level(t).nsr()).collect()
        }
        other => return Err(Unmapped(format!("sigmas `{other}` are not known here"))),
    };
    let levels: Vec<Level> = sigmas.iter().map(|sigma| Level::variance_exploding(*sigma, *sigma)).collect();
    // Its models return x_0 itself.
    let (schedule, prediction) = (Schedule::Ve(Ve::default()), Prediction::Sample);
    let name = match (asked.name, keys.text("solver_type")?) {
        ("sample_dpmpp_2m_sde", Some("heun")) => r#"sample_dpmpp_2m_sde (solver_type="heun")"#,
        (name, _) => name,
    };
    let row = methods::<f64>().into_iter().find(|m| m.k_diffusion == Some(name) && m.on_grid().is_some());
    let row = row.ok_or_else(|| Unmapped(format!("there is no sampler for k-diffusion's {name} here")))?;
    let mut mapped = Mapped::new(row.id, schedule, chain(&levels, Level::CLEAN), prediction, sigmas[0])?;
    for knob in row.knobs {
        let given = match knob.id {
            "churn" => "s_churn",
            "churn-min" => "s_tmin",
            "churn-max" => "s_tmax",
            "noise-scale" => "s_noise",
            id => id,
        };
        if let Some(value) = keys.number(given)? {
            mapped.turn(knob.id, value)?;
        }
    }
    // k-diffusion does not lower the order of a step but the last.
    let mut orders = vec![usize::MAX; steps];
    if row.id != "lms" {
        orders[steps - 1] = 1;
    }
    mapped.orders = Some(orders);
    if row.knob(CHURN.id).is_some() {
        // These draw in every step, and use it where they churn.
        let [churn, least, most] = [&CHURN, &CHURN_MIN, &CHURN_MAX].map(|knob| mapped.tuning.get(knob));
        let used = |sigma: &f64| churn > 0.0 && (least..=most).contains(sigma);
        mapped.draws = Draws::Listed(sigmas.iter().map(used).collect());
    }
    Ok(mapped)
}
