//! An ordinary differential equation on plain numbers.

use crate::math::dormand_prince::{A, C, E as ERROR};
use thiserror::Error;

/// How the steps are chosen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Control {
    /// As long as the estimated error of a step stays below this tolerance.
    Tolerance(f64),
    /// This many of one length, at least 1.
    Steps(usize),
}

/// Why an equation was not solved.
#[derive(Debug, Error)]
pub enum OdeError<E> {
    #[error(transparent)]
    Model(E),
    #[error("no end after {steps} steps; ask for less accuracy or for a number of steps")]
    Endless { steps: usize },
    #[error("the numbers stopped being finite")]
    NotFinite,
}

/// A solved equation.
pub(super) struct Solution {
    pub y: Vec<f64>,
    pub accepted: usize,
    pub rejected: usize,
    /// Evaluations of the slope.
    pub evaluations: usize,
}

/// Most attempts at a step before the solver gives up.
const MOST: usize = 100_000;

/// Share of the way that a controlled run tries first; the controller finds the right length from there.
const FIRST: f64 = 0.01;

/// Solves `dy/du = slope(u, y)` from `u = from` to `to` by the Dormand-Prince pair of orders 5 and 4; its last slope is
/// the first of the next step. `measure(error, y)` is the size of a step's error, in the unit of the tolerance.
/// After each step `watch` gets how much of the way is done, 0 to 1.
pub(super) fn integrate<E>(
    mut slope: impl FnMut(f64, &[f64]) -> Result<Vec<f64>, E>,
    mut y: Vec<f64>,
    (from, to): (f64, f64),
    control: Control,
    measure: impl Fn(&[f64], &[f64]) -> f64,
    watch: &mut dyn FnMut(f64),
) -> Result<Solution, OdeError<E>> {
    let (mut done, mut length) = match control {
        Control::Tolerance(_) => (0.0, FIRST),
        Control::Steps(steps) => (0.0, 1.0 / steps as f64),
    };
    let mut first = slope(from, &y).map_err(OdeError::Model)?;
    let (mut accepted, mut rejected) = (0, 0);
    while done < 1.0 {
        if accepted + rejected >= MOST {
            return Err(OdeError::Endless { steps: MOST });
        }
        // What is left of the way is one step if it is hardly longer, so that none of rounding's length follows.
        let (part, last) = if done + 1.000_001 * length >= 1.0 { (1.0 - done, true) } else { (length, false) };
        let h = part * (to - from);
        let start = from + done * (to - from);
        let mut slopes = vec![first.clone()];
        let mut next = y.clone();
        for (time, weights) in C.into_iter().zip(A) {
            next = moved(&y, h, weights, &slopes);
            slopes.push(slope(start + time * h, &next).map_err(OdeError::Model)?);
        }
        let error = measure(&moved(&vec![0.0; y.len()], h, &ERROR, &slopes), &next);
        let (good, factor) = match control {
            Control::Steps(_) => (true, 1.0),
            // Standard control: the error of a step is proportional to the fifth power of its length.
            Control::Tolerance(most) if error.is_finite() => {
                (error <= most, (0.9 * (most / error).powf(0.2)).clamp(0.2, 5.0))
            }
            Control::Tolerance(_) => (false, 0.2),
        };
        if good {
            if !next.iter().all(|v| v.is_finite()) {
                return Err(OdeError::NotFinite);
            }
            accepted += 1;
            done = if last { 1.0 } else { done + part };
            y = next;
            first = slopes.swap_remove(A.len());
            watch(done);
        } else {
            rejected += 1;
        }
        length = part * factor;
    }
    Ok(Solution { y, accepted, rejected, evaluations: 1 + A.len() * (accepted + rejected) })
}

/// `y + h sum_i weights[i] slopes[i]`.
fn moved(y: &[f64], h: f64, weights: &[f64], slopes: &[Vec<f64>]) -> Vec<f64> {
    let at = |i: usize| weights.iter().zip(slopes).map(|(w, k)| w * k[i]).sum::<f64>();
    y.iter().enumerate().map(|(i, v)| v + h * at(i)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;

    const END: f64 = 3.0;

    /// `y' = y cos u` from `y(0) = 1`, whose solution is `exp(sin u)`.
    fn solve(control: Control) -> Solution {
        let slope = |u: f64, y: &[f64]| Ok::<_, Infallible>(vec![y[0] * u.cos()]);
        integrate(slope, vec![1.0], (0.0, END), control, |e, _| e[0].abs(), &mut |_| {}).expect("it ends")
    }

    #[test]
    fn fixed_steps_are_of_order_five() {
        let error = |steps| (solve(Control::Steps(steps)).y[0] - END.sin().exp()).abs();
        let order = (error(80) / error(160)).log2();
        assert!((order - 5.0).abs() < 0.15, "{order}");
    }

    #[test]
    fn the_error_follows_the_tolerance() {
        for tolerance in [1e-4, 1e-7, 1e-10] {
            let solved = solve(Control::Tolerance(tolerance));
            let error = (solved.y[0] - END.sin().exp()).abs();
            assert!(error < 10.0 * tolerance, "{error:e} at {tolerance:e}");
            assert_eq!(solved.evaluations, 1 + 6 * (solved.accepted + solved.rejected));
        }
    }

    #[test]
    fn what_cannot_be_solved_is_said() {
        let grows = |_: f64, y: &[f64]| Ok::<_, Infallible>(vec![y[0] * y[0]]);
        let measure = |e: &[f64], _: &[f64]| e[0].abs();
        let run = |control| integrate(grows, vec![1.0], (0.0, 2.0), control, measure, &mut |_| {});
        assert!(matches!(run(Control::Tolerance(1e-3)), Err(OdeError::Endless { .. })));
        assert!(matches!(run(Control::Steps(100)), Err(OdeError::NotFinite)));
    }
}
