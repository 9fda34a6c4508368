//! The flow matching schedulers.

use super::{Class, Draws, INVERSE, Mapped, RESPACED, SHIFTING, Setup, Unmapped, chain, shifted, stretch};
use crate::denoise::Prediction;
use crate::math::{Flow, Level, Schedule, linspace};
use serde_json::json;

pub(super) const CLASSES: &[Class] = &[
    Class {
        name: "FlowMatchEulerDiscreteScheduler",
        defaults: || json!({"base_shift": 0.5, "max_shift": 1.15, "base_image_seq_len": 256, "max_image_seq_len": 4096}),
        honoured: &[
            RESPACED,
            SHIFTING,
            &[
                "shift",
                "shift_terminal",
                "invert_sigmas",
                "stochastic_sampling",
                "base_shift",
                "max_shift",
                "base_image_seq_len",
                "max_image_seq_len",
            ],
        ],
        calls: &["sigmas", "timesteps", "mu"],
        map: euler,
    },
    Class {
        name: "FlowMatchHeunDiscreteScheduler",
        defaults: || json!({}),
        honoured: &[&["shift"]],
        calls: &["s_churn", "s_tmin", "s_tmax", "s_noise"],
        map: heun,
    },
];

fn euler(setup: &Setup<'_>) -> Result<Mapped, Unmapped> {
    let total = setup.keys.timesteps()? as f64;
    let shift = setup.shift("shift")?;
    let listed = setup.calls.numbers("timesteps")?;
    let mut sigmas = match (setup.calls.numbers("sigmas")?, &listed) {
        (Some(sigmas), _) => sigmas,
        (None, Some(times)) => times.iter().map(|t| t / total).collect(),
        // A fixed shift moves the ends of the line before the line itself is shifted, so its low end twice.
        (None, None) if setup.flag("use_dynamic_shifting")? => linspace(1.0, 1.0 / total, setup.count()?),
        (None, None) => linspace(1.0, shifted(1.0 / total, shift), setup.count()?),
    };
    sigmas.iter_mut().for_each(|s| *s = shifted(*s, shift));
    if let Some(terminal) = setup.keys.number("shift_terminal")?.filter(|terminal| *terminal != 0.0) {
        stretch(&mut sigmas, terminal);
    }
    if let (Some(most), Some(least)) = (sigmas.first(), sigmas.last()) {
        sigmas = setup.respaced(*most, *least, sigmas.len())?.unwrap_or(sigmas);
    }
    let inverted = setup.flag("invert_sigmas")?;
    if inverted {
        sigmas.iter_mut().for_each(|s| *s = 1.0 - *s);
    }
    let times = listed.filter(|_| !inverted).unwrap_or_else(|| sigmas.iter().map(|s| s * total).collect());
    let levels: Vec<Level> = times.iter().zip(&sigmas).map(|(t, s)| level(*t, *s)).collect();
    let (sampler, end) = match (inverted, setup.flag("stochastic_sampling")?) {
        (false, true) => ("lcm", Level::CLEAN),
        (false, false) => ("euler", Level::CLEAN),
        // Euler's steps from clean to noisy are those of DDIM's inversion.
        (true, false) => (INVERSE, Level { t: total, alpha: 0.0, sigma: 1.0 }),
        (true, true) => return Err(Unmapped("an inversion with noise is not known here".to_owned())),
    };
    Mapped::new(sampler, Schedule::Flow(Flow { t_max: total }), chain(&levels, end), Prediction::Flow, 1.0)
}

fn heun(setup: &Setup<'_>) -> Result<Mapped, Unmapped> {
    let total = setup.keys.timesteps()? as f64;
    let shift = setup.shift("shift")?;
    let sigmas = linspace(1.0, shifted(1.0 / total, shift), setup.count()?);
    let levels: Vec<Level> = sigmas.into_iter().map(|s| shifted(s, shift)).map(|s| level(s * total, s)).collect();
    let schedule = Schedule::Flow(Flow { t_max: total });
    let steps = chain(&levels, Level::CLEAN);
    let churn = setup.calls.number("s_churn")?.unwrap_or(0.0);
    if churn <= 0.0 {
        return Mapped::new("flow-heun", schedule, steps, Prediction::Flow, 1.0);
    }
    let (least, most) = (setup.calls.number("s_tmin")?.unwrap_or(0.0), setup.calls.number("s_tmax")?.unwrap_or(1.0));
    let mut mapped = Mapped::new("flow-heun-churn-late", schedule, steps, Prediction::Flow, 1.0)?;
    // It shares the churn out among its evaluations, and bounds it in parts of the way from data to noise.
    mapped.turn("churn", churn * levels.len() as f64 / (2 * levels.len() - 1) as f64)?;
    mapped.turn("churn-min", level(0.0, least.min(1.0)).nsr())?;
    mapped.turn("churn-max", level(0.0, most.min(1.0)).nsr())?;
    mapped.turn("noise-scale", setup.calls.number("s_noise")?.unwrap_or(1.0))?;
    // It draws for the second evaluation of a step, too, and then drops that.
    let drawn = levels.iter().filter(|at| (least..=most).contains(&at.sigma)).count();
    mapped.draws = Draws::Listed([true, false].repeat(drawn));
    Ok(mapped)
}

/// Part `s` of the way from data to noise.
fn level(t: f64, s: f64) -> Level {
    Level { t, alpha: 1.0 - s, sigma: s }
}
