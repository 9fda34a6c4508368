//! Which class of diffusers walks like which row of the sampler table.

use crate::interchange::Unmapped;
use crate::math::Schedule;
use crate::samplers::ancestral::ddim;
use crate::samplers::multistep::{lms, unipc};
use crate::samplers::singlestep::dpm_solver;
use crate::samplers::{Tuning, method};
use serde_json::{Value, json};

/// The coordinates that a class keeps its points in, and where it holds the noise level of a call.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind {
    /// Variance preserving, by timestep of the table.
    Table,
    /// Variance preserving, by noise-to-signal ratio.
    Solver,
    /// Variance exploding; the network is shown the point at unit variance.
    Ratio,
    /// As that, with levels between the listed ones, on which every second call is, so far back in their list.
    Between {
        back: usize,
    },
    Flow,
}

/// A class and the arguments that make it a row of the table.
pub(super) struct Offer {
    pub sampler: &'static str,
    pub class: &'static str,
    pub kind: Kind,
    /// Whether `step` takes generators.
    pub draws: bool,
    pub config: fn(&Tuning) -> Value,
    pub step: fn(&Tuning) -> Value,
}

impl Offer {
    const fn new(sampler: &'static str, class: &'static str, kind: Kind) -> Self {
        Self { sampler, class, kind, draws: false, config: |_| json!({}), step: |_| json!({}) }
    }

    /// Whether the class can space timesteps in more than one way.
    pub fn spaces(&self) -> bool {
        self.class != SINGLESTEP
    }
}

const MULTISTEP: &str = "DPMSolverMultistepScheduler";
const SINGLESTEP: &str = "DPMSolverSinglestepScheduler";

pub(super) const OFFERS: &[Offer] = &[
    Offer {
        draws: true,
        config: |_| json!({"clip_sample": false}),
        ..Offer::new("ddpm", "DDPMScheduler", Kind::Table)
    },
    Offer {
        draws: true,
        config: |_| json!({"clip_sample": false, "variance_type": "fixed_large"}),
        ..Offer::new("ddpm-large", "DDPMScheduler", Kind::Table)
    },
    Offer {
        draws: true,
        config: |_| json!({"clip_sample": false}),
        step: |tuning| json!({"eta": tuning.get(&ddim::ETA)}),
        ..Offer::new("ddim", "DDIMScheduler", Kind::Table)
    },
    Offer { draws: true, ..Offer::new("lcm-boundary", "LCMScheduler", Kind::Table) },
    Offer::new("euler", "EulerDiscreteScheduler", Kind::Ratio),
    Offer { draws: true, ..Offer::new("euler-ancestral", "EulerAncestralDiscreteScheduler", Kind::Ratio) },
    Offer::new("heun", "HeunDiscreteScheduler", Kind::Ratio),
    Offer::new("dpm2", "KDPM2DiscreteScheduler", Kind::Between { back: 0 }),
    Offer { draws: true, ..Offer::new("dpm2-ancestral", "KDPM2AncestralDiscreteScheduler", Kind::Between { back: 1 }) },
    Offer {
        step: |tuning| json!({"order": tuning.whole(&lms::ORDER)}),
        ..Offer::new("lms", "LMSDiscreteScheduler", Kind::Ratio)
    },
    Offer::new("dpmpp-2m", MULTISTEP, Kind::Solver),
    Offer { config: |_| json!({"solver_type": "heun"}), ..Offer::new("dpmpp-2m-heun", MULTISTEP, Kind::Solver) },
    Offer { config: |_| json!({"solver_order": 3}), ..Offer::new("dpmpp-3m", MULTISTEP, Kind::Solver) },
    Offer {
        config: |_| json!({"solver_order": 3, "solver_type": "heun"}),
        ..Offer::new("dpmpp-3m-heun", MULTISTEP, Kind::Solver)
    },
    Offer {
        draws: true,
        config: |_| json!({"algorithm_type": "sde-dpmsolver++"}),
        ..Offer::new("dpmpp-2m-sde", MULTISTEP, Kind::Solver)
    },
    Offer {
        draws: true,
        config: |_| json!({"algorithm_type": "sde-dpmsolver++", "solver_type": "heun"}),
        ..Offer::new("dpmpp-2m-sde-heun", MULTISTEP, Kind::Solver)
    },
    Offer {
        draws: true,
        config: |_| json!({"algorithm_type": "sde-dpmsolver++", "solver_order": 3}),
        ..Offer::new("dpmpp-3m-sde-diffusers", MULTISTEP, Kind::Solver)
    },
    Offer {
        config: |tuning| json!({"solver_order": tuning.whole(&dpm_solver::ORDER)}),
        ..Offer::new("dpmpp-singlestep", SINGLESTEP, Kind::Solver)
    },
    Offer {
        config: |tuning| json!({"solver_order": tuning.whole(&dpm_solver::ORDER), "solver_type": "heun"}),
        ..Offer::new("dpmpp-singlestep-heun", SINGLESTEP, Kind::Solver)
    },
    Offer {
        config: |tuning| json!({"solver_order": tuning.whole(&unipc::ORDER)}),
        ..Offer::new("unipc-bh2", "UniPCMultistepScheduler", Kind::Solver)
    },
    Offer::new("euler", "FlowMatchEulerDiscreteScheduler", Kind::Flow),
    Offer {
        draws: true,
        config: |_| json!({"stochastic_sampling": true}),
        ..Offer::new("lcm", "FlowMatchEulerDiscreteScheduler", Kind::Flow)
    },
];

/// The class that walks like `sampler` on the process of the network.
pub(super) fn offer(sampler: &str, schedule: &Schedule) -> Result<&'static Offer, Unmapped> {
    if matches!(schedule, Schedule::Ve(_)) {
        let why = "diffusers walks a variance-exploding process only with its ScoreSdeVeScheduler, which tells the network \
                   other noise levels than it steps between";
        return Err(Unmapped(why.to_owned()));
    }
    let flows = matches!(schedule, Schedule::Flow(_));
    let found = OFFERS.iter().find(|offer| offer.sampler == sampler && (offer.kind == Kind::Flow) == flows);
    found.ok_or_else(|| {
        let process = if flows { " for flows" } else { "" };
        Unmapped(match (sampler, method::<f64>(sampler)) {
            ("dpmpp-sde", _) => {
                "diffusers' DPMSolverSDEScheduler draws its noise from a Brownian tree of its own".to_owned()
            }
            (_, None) => format!("there is no sampler `{sampler}` here"),
            (_, Some(row)) => {
                format!("no scheduler of diffusers{process} is known to make the pictures of {}", row.name)
            }
        })
    })
}
