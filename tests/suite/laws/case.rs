//! What the laws are held on: every row, at every tuning that changes what it is.

use super::exceptions::*;
use super::grids::Process;
use unnoise::denoise::Denoiser;
use unnoise::math::{Grid, Latent, Noise, NoiseSchedule};
use unnoise::samplers::few_step::tcd::GAMMA;
use unnoise::samplers::{Method, Run, Steps, Tuning, methods};

/// A row at one of the tunings that it can be run with.
pub struct Case<X> {
    pub row: Method<X>,
    pub tuning: Tuning,
}

impl<X: Latent + 'static> Case<X> {
    /// Every row: those with an eta at none, half and all of the noise, those with churn without and with some, those with
    /// an order at each.
    pub fn all() -> Vec<Self> {
        methods::<X>().iter().filter(|row| row.on_grid().is_some()).flat_map(|row| Self::of(row.id)).collect()
    }

    pub fn of(id: &str) -> Vec<Self> {
        let row = named::<X>(id);
        let mut tunings = vec![Tuning::default()];
        for knob in row.knobs {
            let values = match knob.id {
                "eta" | "tau" | "gamma" => vec![0.0, 0.5, 1.0],
                "churn" if CHURNS_OFF_ITS_PATH.contains(&id) => vec![0.0],
                "churn" => vec![0.0, 2.0],
                "order" => (1..=knob.max as usize).map(|order| order as f64).collect(),
                // So strong that a correction's distribution is reached within a test's steps.
                "snr" => vec![0.5],
                "temperature" => vec![0.5, 1.0],
                _ => continue,
            };
            let turned = |tuning: &Tuning| values.iter().map(|v| tuning.clone().with(knob, *v)).collect::<Vec<_>>();
            tunings = tunings.iter().flat_map(turned).collect();
        }
        tunings.into_iter().map(|tuning| Self { row: named(id), tuning }).collect()
    }

    pub fn order(&self) -> usize {
        let order = self.row.order_with(&self.tuning);
        let order =
            if AT_MOST_2_WITH_NOISE.contains(&self.row.id) && self.draws_noise() { order.min(2) } else { order };
        let exception = ORDER_WITHOUT_NOISE.iter().find(|(row, _)| *row == self.row.id && !self.draws_noise());
        exception.map_or(order, |(_, without)| *without)
    }

    pub fn shows_no_order_in(&self, process: &Process) -> bool {
        process.name == "ve" && CANCELS_WHEN_EXPLODING.contains(&(self.row.id, self.order()))
    }

    /// Evaluations in step `i`.
    pub fn evaluations(&self, i: usize) -> u32 {
        let start = STARTS_WITH.iter().find(|(row, steps, _)| *row == self.row.id && i < *steps);
        start.map_or(self.row.evaluations, |(_, _, often)| *often)
    }

    /// The grid of `steps` that shows the order. Orders above 2 are promised to a method that remembers only if its first
    /// steps, where it knows nothing yet, are short enough.
    pub fn grid(&self, process: &Process, steps: usize) -> Grid {
        match self.order() {
            _ if TAKES_STEPS_FOR_EQUAL.contains(&self.row.id) => process.even(steps),
            order @ 3.. => process.graded(steps, order),
            _ => process.inner(steps),
        }
    }

    /// Whether what it keeps of the noise follows the time, and not the step, so that its limit in many steps depends on the
    /// way there: TCD's does. [`few_step`](super::few_step) holds it to its own law.
    pub fn lands_between(&self) -> bool {
        self.row.id == "tcd" && self.draws_noise() && self.tuning.get(&GAMMA) < 1.0
    }

    pub fn draws_noise(&self) -> bool {
        self.row.stochastic_with(&self.tuning)
    }

    pub fn start<'a>(
        &self,
        start: X,
        (grid, schedule): (&'a Grid, &'a dyn NoiseSchedule),
        model: &'a dyn Denoiser<X>,
        noise: &'a mut dyn Noise<X>,
    ) -> Steps<'a, X> {
        self.row.on_grid().expect("cases take the steps of grids")(
            Run::new(start, grid, schedule, model, noise).with_tuning(self.tuning.clone()),
        )
    }

    pub fn name(&self) -> String {
        let shown = ["eta", "tau", "gamma", "churn", "order", "temperature"];
        let turned = self.row.knobs.iter().filter(|k| shown.contains(&k.id));
        turned.fold(self.row.id.to_owned(), |name, k| format!("{name} {} {}", k.id, self.tuning.get(k)))
    }
}

pub fn named<X: Latent + 'static>(id: &str) -> Method<X> {
    unnoise::samplers::method(id).expect("a row finds itself")
}
