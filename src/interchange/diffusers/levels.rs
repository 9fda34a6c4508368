//! The levels of the solvers that step in log-SNR.

use super::{Setup, Unmapped, no_steps, shifted, stretch};
use crate::math::{Flow, Level, NoiseSchedule, Schedule, linspace};

/// Where a class's steps end.
#[derive(Clone, Copy)]
enum End {
    Clean,
    /// At the least ratio of training.
    Least,
    /// At the last listed level once more, so that the last step goes nowhere.
    Last,
    /// As good as that: the last step is taken for what its evaluation corrects.
    Corrected,
}

/// How much of a level is left after a step that is as good as none.
pub(super) const ALMOST_ONE: f64 = 1.0 - 1e-12;

/// Where the classes differ in the levels that they make of the same settings.
pub(super) struct Manner {
    /// Whether the levels are respaced, or those of a flow, decides for some.
    end: fn(&Setup<'_>, bool) -> Result<End, Unmapped>,
    /// Whether the timesteps of Karras' ratios are cut off on a cosine schedule, and not rounded.
    cuts_cosine: bool,
    /// The levels of a flow.
    flow: fn(&Setup<'_>) -> Result<Vec<f64>, Unmapped>,
}

pub(super) const DPM_SOLVER: Manner = Manner {
    end: |setup, _| Ok(if setup.ends_clean()? { End::Clean } else { End::Least }),
    cuts_cosine: true,
    flow: flow_sigmas,
};

pub(super) const SINGLESTEP: Manner = Manner {
    end: |setup, respaced| match (setup.ends_clean()?, respaced && !setup.flag("use_flow_sigmas")?) {
        (true, _) => Ok(End::Clean),
        (false, true) => Ok(End::Corrected),
        (false, false) => Ok(End::Least),
    },
    cuts_cosine: false,
    flow: flow_sigmas,
};

pub(super) const DEIS: Manner = Manner {
    end: |_, respaced| Ok(if respaced { End::Last } else { End::Least }),
    cuts_cosine: false,
    flow: flow_sigmas,
};

pub(super) const SA_SOLVER: Manner =
    Manner { end: |_, respaced| Ok(if respaced { End::Corrected } else { End::Least }), ..DEIS };

pub(super) const UNIPC: Manner = Manner {
    end: |setup, respaced| match (setup.ends_clean()?, respaced) {
        (true, _) => Ok(End::Clean),
        (false, true) => Ok(End::Corrected),
        (false, false) => Ok(End::Least),
    },
    cuts_cosine: false,
    flow: unipc_flow_sigmas,
};

/// The levels that a run visits, the one that it ends at, and the process they are taken from.
pub(super) type Levels = (Vec<Level>, Level, Schedule);

/// The levels that `setup` gives a class of this manner.
pub(super) fn levels(setup: &Setup<'_>, manner: &Manner) -> Result<Levels, Unmapped> {
    if setup.flag("use_flow_sigmas")? { flow(setup, manner) } else { variance_preserving(setup, manner) }
}

/// The variance-preserving levels of the ratios.
fn variance_preserving(setup: &Setup<'_>, manner: &Manner) -> Result<Levels, Unmapped> {
    let keys = &setup.keys;
    let schedule = setup.table()?;
    let ratio = |t: f64| schedule.level(t).nsr();
    // Timesteps with less log-SNR than the clipping point are left out.
    let clipped = keys.number("lambda_min_clipped")?.unwrap_or(f64::NEG_INFINITY);
    let last = (0..keys.timesteps()?).take_while(|t| schedule.level(*t as f64).lambda() >= clipped).count();
    let mut times = setup.times(last, 1, true)?;
    let n = setup.steps.unwrap_or(times.len());
    let respaced = setup.respaced(ratio(schedule.t_max()), ratio(0.0), n)?;
    let end = (manner.end)(setup, respaced.is_some())?;
    let sigmas = match respaced {
        None => times.iter().map(|t| ratio(*t)).collect(),
        Some(sigmas) => {
            let cosine = manner.cuts_cosine && keys.text("beta_schedule")? == Some("squaredcos_cap_v2");
            let rounds = (setup.flag("use_karras_sigmas")? || setup.flag("use_lu_lambdas")?) && !cosine;
            let whole = if rounds { f64::round_ties_even } else { f64::trunc };
            times = sigmas.iter().map(|sigma| whole(schedule.time_at(*sigma))).collect();
            sigmas
        }
    };
    let end = match end {
        End::Clean => 0.0,
        End::Least => ratio(0.0),
        End::Last => sigmas[sigmas.len() - 1],
        End::Corrected => sigmas[sigmas.len() - 1] * ALMOST_ONE,
    };
    let levels = times.iter().zip(&sigmas).map(|(t, s)| Level::variance_preserving(*t, *s)).collect();
    Ok((levels, Level::variance_preserving(0.0, end), Schedule::Discrete(schedule)))
}

/// The levels of a flow.
fn flow(setup: &Setup<'_>, manner: &Manner) -> Result<Levels, Unmapped> {
    let total = setup.keys.timesteps()? as f64;
    let level = |sigma: f64| Level { t: (sigma * total).trunc(), alpha: 1.0 - sigma, sigma };
    let sigmas = (manner.flow)(setup)?;
    let end = match (manner.end)(setup, true)? {
        End::Clean => 0.0,
        End::Least => setup.table()?.level(0.0).nsr(),
        End::Last => sigmas[sigmas.len() - 1],
        End::Corrected => sigmas[sigmas.len() - 1] * ALMOST_ONE,
    };
    let levels: Vec<Level> = sigmas.into_iter().map(level).collect();
    if levels.iter().any(|at| at.alpha < 0.0) {
        return Err(Unmapped("a flow with more noise than pure noise is not known here".to_owned()));
    }
    Ok((levels, Level { t: 0.0, ..level(end) }, Schedule::Flow(Flow { t_max: total })))
}

/// The times of a flow under `use_flow_sigmas`, of 0 to 1.
fn flow_sigmas(setup: &Setup<'_>) -> Result<Vec<f64>, Unmapped> {
    let table = setup.table()?;
    let (most, least) = (table.level(table.t_max()).nsr(), table.level(0.0).nsr());
    let n = setup.count()?;
    if let Some(sigmas) = setup.respaced(most, least, n)? {
        // Ratios, which these classes take for times of a flow.
        return Ok(sigmas);
    }
    let shift = setup.shift("flow_shift")?;
    // One more is spaced, which would be the clean end.
    let alphas = linspace(1.0, 1.0 / setup.keys.timesteps()? as f64, n + 1).into_iter().skip(1);
    Ok(alphas.rev().map(|alpha| shifted(1.0 - alpha, shift)).collect())
}

/// The same as `UniPCMultistepScheduler` has them.
fn unipc_flow_sigmas(setup: &Setup<'_>) -> Result<Vec<f64>, Unmapped> {
    const SHORT_OF_NOISE: f64 = 1e-6;
    let table = setup.table()?;
    let (most, least) = (table.level(table.t_max()).nsr(), table.level(0.0).nsr());
    let listed = setup.calls.numbers("sigmas")?;
    let n = listed.as_ref().map_or_else(|| setup.count(), |sigmas| Ok(sigmas.len()))?;
    if let Some(ratios) = setup.respaced(most, least, n)? {
        let karras = setup.flag("use_karras_sigmas")?;
        return Ok(ratios.into_iter().map(|s| if karras { s / (1.0 + s) } else { s }).collect());
    }
    let shift = setup.shift("flow_shift")?;
    let mut sigmas = listed.map_or_else(
        || Ok::<_, Unmapped>(linspace(1.0, 1.0 / setup.keys.timesteps()? as f64, n + 1)[..n].to_vec()),
        Ok,
    )?;
    sigmas.iter_mut().for_each(|s| *s = shifted(*s, shift));
    if let Some(terminal) = setup.keys.number("shift_terminal")?.filter(|terminal| *terminal != 0.0) {
        stretch(&mut sigmas, terminal);
    }
    if let Some(first) = sigmas.first_mut().filter(|first| (**first - 1.0).abs() < SHORT_OF_NOISE) {
        *first -= SHORT_OF_NOISE;
    }
    if sigmas.is_empty() { Err(no_steps()) } else { Ok(sigmas) }
}
