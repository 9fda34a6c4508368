//! The solvers that step in log-SNR.

use super::{Class, Draws, Mapped, Setup, Unmapped, chain, shifted, stretch};
use crate::math::{Flow, Level, NoiseSchedule, Schedule, linspace};
use serde_json::json;

pub(super) const CLASSES: &[Class] = &[
    Class {
        name: "DPMSolverMultistepScheduler",
        defaults: || json!({"timestep_spacing": "linspace", "lower_order_final": true}),
        honoured: &[
            "use_karras_sigmas",
            "use_exponential_sigmas",
            "use_beta_sigmas",
            "algorithm_type",
            "solver_order",
            "solver_type",
            "lower_order_final",
            "euler_at_final",
            "use_lu_lambdas",
            "final_sigmas_type",
            "lambda_min_clipped",
            "variance_type",
            "use_flow_sigmas",
            "flow_shift",
            "use_dynamic_shifting",
            "time_shift_type",
        ],
        calls: &["timesteps", "mu"],
        map: dpm_solver,
    },
    Class {
        name: "DPMSolverSinglestepScheduler",
        defaults: || json!({"timestep_spacing": "linspace"}),
        honoured: &[
            "use_karras_sigmas",
            "use_exponential_sigmas",
            "use_beta_sigmas",
            "algorithm_type",
            "solver_order",
            "solver_type",
            "lower_order_final",
            "final_sigmas_type",
            "lambda_min_clipped",
            "variance_type",
            "use_flow_sigmas",
            "flow_shift",
            "use_dynamic_shifting",
            "time_shift_type",
        ],
        calls: &["timesteps", "mu"],
        map: singlestep,
    },
    Class {
        name: "DEISMultistepScheduler",
        defaults: || json!({"timestep_spacing": "linspace", "lower_order_final": true}),
        honoured: &[
            "use_karras_sigmas",
            "use_exponential_sigmas",
            "use_beta_sigmas",
            "solver_order",
            "solver_type",
            "algorithm_type",
            "lower_order_final",
            "use_flow_sigmas",
            "flow_shift",
            "use_dynamic_shifting",
            "time_shift_type",
        ],
        calls: &["mu"],
        map: deis,
    },
    Class {
        name: "UniPCMultistepScheduler",
        defaults: || json!({"timestep_spacing": "linspace", "lower_order_final": true, "predict_x0": true}),
        honoured: &[
            "use_karras_sigmas",
            "use_exponential_sigmas",
            "use_beta_sigmas",
            "solver_order",
            "solver_type",
            "lower_order_final",
            "predict_x0",
            "final_sigmas_type",
            "use_flow_sigmas",
            "flow_shift",
            "use_dynamic_shifting",
            "time_shift_type",
            "shift_terminal",
        ],
        calls: &["sigmas", "mu"],
        map: unipc,
    },
    Class {
        name: "SASolverScheduler",
        defaults: || json!({"timestep_spacing": "linspace", "lower_order_final": true}),
        honoured: &[
            "use_karras_sigmas",
            "use_exponential_sigmas",
            "use_beta_sigmas",
            "predictor_order",
            "corrector_order",
            "algorithm_type",
            "lower_order_final",
            "lambda_min_clipped",
            "use_flow_sigmas",
            "flow_shift",
        ],
        calls: &[],
        map: sa_solver,
    },
];

/// Where a class's steps end.
#[derive(Clone, Copy)]
enum End {
    Clean,
    /// At the least ratio of training.
    Least,
    /// At the last listed level once more, so that the last step goes nowhere.
    Last,
    /// As good as that: the last step is walked for what its evaluation corrects.
    Corrected,
}

/// How much of a level is left after a step that is as good as none.
const HAIR: f64 = 1.0 - 1e-12;

/// Where the classes differ in the levels that they make of the same settings.
struct Manner {
    /// Whether the levels are respaced, or those of a flow, decides for some.
    end: fn(&Setup<'_>, bool) -> Result<End, Unmapped>,
    /// Whether the timesteps of Karras' ratios are cut off on a cosine schedule, and not rounded.
    cuts_cosine: bool,
    /// The levels of a flow.
    flow: fn(&Setup<'_>) -> Result<Vec<f64>, Unmapped>,
}

const DPM_SOLVER: Manner = Manner {
    end: |setup, _| Ok(if setup.ends_clean()? { End::Clean } else { End::Least }),
    cuts_cosine: true,
    flow: flow_sigmas,
};

const SINGLESTEP: Manner = Manner {
    end: |setup, respaced| match (setup.ends_clean()?, respaced && !setup.flag("use_flow_sigmas")?) {
        (true, _) => Ok(End::Clean),
        (false, true) => Ok(End::Corrected),
        (false, false) => Ok(End::Least),
    },
    cuts_cosine: false,
    flow: flow_sigmas,
};

const DEIS: Manner = Manner {
    end: |_, respaced| Ok(if respaced { End::Last } else { End::Least }),
    cuts_cosine: false,
    flow: flow_sigmas,
};

const SA_SOLVER: Manner = Manner { end: |_, respaced| Ok(if respaced { End::Corrected } else { End::Least }), ..DEIS };

const UNIPC: Manner = Manner {
    end: |setup, respaced| match (setup.ends_clean()?, respaced) {
        (true, _) => Ok(End::Clean),
        (false, true) => Ok(End::Corrected),
        (false, false) => Ok(End::Least),
    },
    cuts_cosine: false,
    flow: unipc_flow_sigmas,
};

fn dpm_solver(setup: &Setup<'_>) -> Result<Mapped, Unmapped> {
    let order = setup.keys.count("solver_order")?.unwrap_or(2);
    let algorithm = setup.keys.text("algorithm_type")?.unwrap_or("dpmsolver++");
    let heun = setup.keys.text("solver_type")? == Some("heun");
    let sampler = match (algorithm, order, heun) {
        ("dpmsolver++", 1 | 2, false) => "dpmpp-2m",
        ("dpmsolver++", 1 | 2, true) => "dpmpp-2m-heun",
        ("dpmsolver++", 3, false) => "dpmpp-3m",
        ("dpmsolver++", 3, true) => "dpmpp-3m-heun",
        ("dpmsolver", 1..=3, false) => "dpm-solver",
        ("dpmsolver", 1..=3, true) => "dpm-solver-heun",
        ("sde-dpmsolver++", 1 | 2, false) => "dpmpp-2m-sde",
        ("sde-dpmsolver++", 1 | 2, true) => "dpmpp-2m-sde-heun",
        ("sde-dpmsolver++", 3, _) => "dpmpp-3m-sde-diffusers",
        ("sde-dpmsolver", 1 | 2, false) => "sde-dpm-solver",
        ("sde-dpmsolver", 1 | 2, true) => "sde-dpm-solver-heun",
        (other, ..) => return Err(Unmapped(format!("`{other}` of order {order} is not known here"))),
    };
    let mut mapped = walk(setup, sampler, &DPM_SOLVER)?;
    let lowers = setup.flag("lower_order_final")? && mapped.steps.len() < 15;
    let first = lowers || setup.flag("euler_at_final")? || setup.ends_clean()?;
    mapped.orders = Some(lowered(mapped.steps.len(), order, first, lowers));
    Ok(mapped)
}

/// One evaluation a step here too: the steps of a group start where the first of them did.
fn singlestep(setup: &Setup<'_>) -> Result<Mapped, Unmapped> {
    let order = setup.keys.count("solver_order")?.unwrap_or(2);
    let algorithm = setup.keys.text("algorithm_type")?.unwrap_or("dpmsolver++");
    let sampler = match (algorithm, setup.keys.text("solver_type")? == Some("heun")) {
        ("dpmsolver++", false) => "dpmpp-singlestep",
        ("dpmsolver++", true) => "dpmpp-singlestep-heun",
        ("dpmsolver", false) => "dpm-solver-singlestep",
        ("dpmsolver", true) => "dpm-solver-singlestep-heun",
        (other, _) => return Err(Unmapped(format!("`{other}` in single steps is not known here"))),
    };
    if !(1..=3).contains(&order) {
        return Err(Unmapped(format!("single steps of order {order} are not known here")));
    }
    let mut mapped = walk(setup, sampler, &SINGLESTEP)?;
    let n = mapped.steps.len();
    let clean = setup.ends_clean()?;
    let groups = if setup.flag("lower_order_final")? || clean || !n.is_multiple_of(order) {
        grouped(n, order)
    } else {
        vec![order; n / order]
    };
    let mut orders: Vec<usize> = groups.into_iter().flat_map(|group| 1..=group).collect();
    if let Some(last) = orders.last_mut().filter(|_| clean) {
        *last = 1;
    }
    mapped.orders = Some(orders);
    Ok(mapped)
}

/// `n` evaluations in groups of `order`, the last two of which are smaller, so that the walk ends with few of them.
fn grouped(n: usize, order: usize) -> Vec<usize> {
    let mut groups = vec![order; (n - 1) / order];
    match n - order * groups.len() {
        rest if rest < order || order == 1 => groups.push(rest),
        rest => groups.extend([rest - 1, 1]),
    }
    groups
}

fn deis(setup: &Setup<'_>) -> Result<Mapped, Unmapped> {
    let mut mapped = walk(setup, "deis", &DEIS)?;
    let order = setup.keys.count("solver_order")?.unwrap_or(2);
    let lowers = setup.flag("lower_order_final")? && mapped.steps.len() < 15;
    mapped.orders = Some(lowered(mapped.steps.len(), order, lowers, lowers));
    Ok(mapped)
}

fn unipc(setup: &Setup<'_>) -> Result<Mapped, Unmapped> {
    let on_data = setup.flag("predict_x0")?;
    let sampler = match (on_data, setup.keys.text("solver_type")? == Some("bh1")) {
        (true, false) => "unipc-bh2",
        (true, true) => "unipc-bh1",
        (false, false) => "unipc-eps-bh2",
        (false, true) => "unipc-eps-bh1",
    };
    let mut mapped = walk(setup, sampler, &UNIPC)?;
    let order = setup.keys.count("solver_order")?.unwrap_or(2);
    let n = mapped.steps.len();
    let lowers = setup.flag("lower_order_final")?;
    mapped.orders = Some((0..n).map(|i| if lowers { order.min(n - i) } else { order }).collect());
    mapped.bound = mapped.bound.filter(|_| on_data);
    Ok(mapped)
}

/// With the class's own `tau`, which is 1 from timestep 200 to 800 and 0 elsewhere.
fn sa_solver(setup: &Setup<'_>) -> Result<Mapped, Unmapped> {
    const STOCHASTIC: std::ops::RangeInclusive<f64> = 200.0..=800.0;
    let order = setup.keys.count("predictor_order")?.unwrap_or(2);
    let corrector = setup.keys.count("corrector_order")?.unwrap_or(2);
    let sampler = match corrector.checked_sub(order) {
        Some(0) => "sa-solver",
        Some(1) => "sa-solver-plus",
        _ => {
            return Err(Unmapped(format!(
                "a corrector of order {corrector} with a predictor of {order} is not known here"
            )));
        }
    };
    if setup.keys.text("algorithm_type")?.is_some_and(|form| form != "data_prediction") {
        return Err(Unmapped("SA-Solver on estimates of the noise is not known here".to_owned()));
    }
    let mut mapped = walk(setup, sampler, &SA_SOLVER)?;
    // What a step of a hair's breadth draws is nothing.
    let draws = |(from, to): &(Level, Level)| STOCHASTIC.contains(&from.t) && to.nsr() < from.nsr() * HAIR * HAIR;
    let stochastic: Vec<bool> = mapped.steps.iter().map(draws).collect();
    let ratios = || mapped.steps.iter().zip(&stochastic).filter(|(_, is)| **is).map(|((from, _), _)| from.nsr());
    mapped.tuning.churn_min = ratios().fold(f64::INFINITY, f64::min);
    mapped.tuning.churn_max = ratios().fold(0.0, f64::max);
    mapped.tuning.order = order;
    let n = mapped.steps.len();
    let lowers = setup.flag("lower_order_final")?;
    mapped.orders = Some((0..n).map(|i| if lowers { order.min(n - i) } else { order }).collect());
    mapped.draws = Draws::Listed(stochastic);
    Ok(mapped)
}

/// The orders of `n` steps: `order`, but in the last 1 where it `is_euler`, and in the one before at most 2 where it
/// `is_line`.
pub(super) fn lowered(n: usize, order: usize, is_euler: bool, is_line: bool) -> Vec<usize> {
    let at = |left| match left {
        1 if is_euler => 1,
        2 if is_line => order.min(2),
        _ => order,
    };
    (1..=n).rev().map(at).collect()
}

/// The walk of `sampler` through the levels.
fn walk(setup: &Setup<'_>, sampler: &'static str, manner: &Manner) -> Result<Mapped, Unmapped> {
    let (levels, end, schedule) =
        if setup.flag("use_flow_sigmas")? { flow(setup, manner)? } else { variance_preserving(setup, manner)? };
    let mapped = Mapped::new(sampler, schedule, chain(&levels, end), setup.prediction()?, 1.0)?;
    Ok(Mapped { bound: setup.bound(true)?, ..mapped })
}

/// The levels that a walk visits, the one that it ends at, and the process they are taken from.
type Levels = (Vec<Level>, Level, Schedule);

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
        End::Corrected => sigmas[sigmas.len() - 1] * HAIR,
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
        End::Corrected => sigmas[sigmas.len() - 1] * HAIR,
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
    if sigmas.is_empty() { Err(super::no_steps()) } else { Ok(sigmas) }
}
