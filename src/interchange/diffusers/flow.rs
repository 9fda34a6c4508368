//! The flow matching schedulers.

use super::{Class, INVERSE, Mapped, Setup, Unmapped, chain, shifted, stretch};
use crate::denoise::Prediction;
use crate::math::{Flow, Level, Schedule, linspace};
use serde_json::json;

pub(super) const CLASSES: &[Class] = &[Class {
    name: "FlowMatchEulerDiscreteScheduler",
    defaults: || json!({"base_shift": 0.5, "max_shift": 1.15, "base_image_seq_len": 256, "max_image_seq_len": 4096}),
    honoured: &[
        "shift",
        "use_dynamic_shifting",
        "time_shift_type",
        "shift_terminal",
        "invert_sigmas",
        "stochastic_sampling",
        "base_shift",
        "max_shift",
        "base_image_seq_len",
        "max_image_seq_len",
    ],
    calls: &["sigmas", "timesteps", "mu"],
    map: euler,
}];

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
    let levels: Vec<Level> =
        times.iter().zip(&sigmas).map(|(t, s)| Level { t: *t, alpha: 1.0 - s, sigma: *s }).collect();
    let (sampler, end) = match (inverted, setup.flag("stochastic_sampling")?) {
        (false, true) => ("lcm", Level::CLEAN),
        (false, false) => ("euler", Level::CLEAN),
        // Euler's steps from clean to noisy are those of DDIM's inversion.
        (true, false) => (INVERSE, Level { t: total, alpha: 0.0, sigma: 1.0 }),
        (true, true) => return Err(Unmapped("an inversion with noise is not known here".to_owned())),
    };
    Mapped::new(sampler, Schedule::Flow(Flow { t_max: total }), chain(&levels, end), Prediction::Flow, 1.0)
}
