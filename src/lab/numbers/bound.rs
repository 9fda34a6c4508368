use super::entropy;
use crate::denoise::Mixture;
use crate::eval::bound::{prior, transition};
use crate::eval::decoder::gaussian;
use crate::eval::statistics::{mean, spread};
use crate::eval::{Readable, Variance};
use crate::lab::{Distribution, Process, closed_form};
use crate::math::noise::node_seed;
use crate::math::{GridError, Latent, Level};
use std::convert::Infallible;

/// The standard error that the sum of the terms is brought to, in nats.
pub const PRECISION: f64 = 0.01;

/// Noisy points that are drawn for each term at first, and at most: a network that learned nothing would want millions.
const FIRST: usize = 256;
const MOST: usize = 1 << 15;

/// What the draws aim at: spreads are known by draws, too, and may turn out larger.
const AIM: f64 = 0.9 * PRECISION;

/// The variational bound of a chain, in nats a point.
#[derive(Clone, Debug, PartialEq)]
pub struct Terms {
    /// `E[L_0], E[L_1], .., E[L_T]`: the decoder's term, those of the steps from data to noise, and the prior's.
    pub terms: Vec<f64>,
    /// Standard error of their sum: [`PRECISION`] or less, unless a model is far from the exact one.
    pub error: f64,
    /// The [entropy](entropy()) of the data, which the sum is above.
    pub entropy: f64,
}

impl Terms {
    /// The bound itself.
    pub fn nats(&self) -> f64 {
        self.terms.iter().sum()
    }
}

/// The bound of the chain of `steps` steps, over all data and all noise: `L_T` exactly, and each other term as the mean over noisy points
/// that are drawn until its standard error is small enough.
///
/// At a noisy point `x_t` a term depends on the datum by the squared error of the estimate of `x_0` alone, whose mean over all data
/// that could have become `x_t` is known exactly. So nothing has to be averaged but the place of `x_t`.
///
/// # Errors
/// A grid that cannot be built.
pub fn bound<M: Readable<Error = Infallible>>(
    (distribution, process): (&Distribution, &Process),
    model: &M,
    steps: usize,
    seed: u32,
) -> Result<Terms, GridError> {
    let grid = process.grid(steps)?;
    let mixture = distribution.mixture();
    let pairs: Vec<_> = grid.pairs().collect();
    let draw = |i: usize, n: usize, round: u64| -> Vec<f64> {
        let (t, s) = pairs[i];
        // The better of the two variances where the data is wider than a step's noise (Ho et al. 2020, arXiv 2006.11239, section 3.2).
        let term = |square: f64| match i + 1 == steps {
            true => -gaussian(square / (t.sigma * t.sigma), 2, t.sigma),
            false => transition(Variance::Large, (t, s), square, 2),
        };
        // Cut to the 32 bits that a generator takes.
        let seed = node_seed(node_seed(seed.into(), i as u64), round) as u32;
        squared_errors(distribution, model, t, (n, seed)).into_iter().map(term).collect()
    };
    let mut values: Vec<_> = (0..steps).map(|i| draw(i, FIRST, 0)).collect();
    for round in 1.. {
        let spreads: Vec<_> = values.iter().map(|values| spread(values).1).collect();
        // Where it varies much, a term is averaged over more points (Neyman 1934, doi 10.2307/2342192).
        let all: f64 = spreads.iter().sum();
        let wanted = |spread: f64| (spread * all / (AIM * AIM)).ceil().min(MOST as f64) as usize;
        let missing = |(values, spread): (&Vec<f64>, &f64)| wanted(*spread).saturating_sub(values.len());
        let missing: Vec<_> = values.iter().zip(&spreads).map(missing).collect();
        if missing.iter().all(|n| *n == 0) {
            break;
        }
        for (i, n) in missing.into_iter().enumerate().filter(|(_, n)| *n > 0) {
            values[i].extend(draw(i, n, round));
        }
    }
    let means: Vec<_> = values.iter().map(|values| mean(values)).collect();
    let error = means.iter().filter_map(|(_, error)| *error).map(|error| error * error).sum::<f64>().sqrt();
    let prior = prior(second_moment(mixture), 2, grid.first());
    let terms = means.into_iter().rev().map(|(mean, _)| mean).chain([prior]).collect();
    Ok(Terms { terms, error, entropy: entropy(mixture) })
}

/// `E|x_0 - x_0(x_t)|^2` at each of `n` noisy points of level `at`, over all data that could have become it.
fn squared_errors<M: Readable<Error = Infallible>>(
    distribution: &Distribution,
    model: &M,
    at: Level,
    (n, seed): (usize, u32),
) -> Vec<f64> {
    let here = distribution.mixture().at(at);
    let x = closed_form(&distribution.draw(n, seed).x, at, seed);
    let Ok(estimates) = model.denoise(x.0.as_flattened(), at);
    let (estimates, _) = estimates.as_chunks();
    x.0.iter().zip(estimates).map(|(x, estimate)| here.squared_error(x, estimate)).collect()
}

/// `E|x_0|^2`.
fn second_moment(mixture: &Mixture<2>) -> f64 {
    let components = mixture.components();
    let total: f64 = components.iter().map(|c| c.weight).sum();
    let square = |m: &[f64; 2]| m.times(m).iter().sum::<f64>();
    components.iter().map(|c| c.weight * (square(&c.mean) + 2.0 * c.std * c.std)).sum::<f64>() / total
}
