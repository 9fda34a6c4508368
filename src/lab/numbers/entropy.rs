use crate::denoise::Mixture;
use crate::denoise::ideal::Component;
use std::f64::consts::TAU;

/// How many standard deviations of a component are seen: beyond them its density is below 1e-17 of its top.
const REACH: f64 = 9.0;

/// `H = -int p ln p`, the entropy of a mixture in nats, as a sum over a grid of half its narrowest width. The mean of `-ln p` over
/// data comes to it; no model's `-ln p` has a smaller mean, and no bound on that.
///
/// Such a sum is the integral of a smooth function that fades at all sides, but for an error that falls exponentially in the width over
/// the spacing. On the grid a component is the product of two lines.
pub fn entropy(mixture: &Mixture<2>) -> f64 {
    let components = mixture.components();
    let total: f64 = components.iter().map(|c| c.weight).sum();
    let ends = |i: usize, way: f64| components.iter().map(move |c| c.mean[i] + way * REACH * c.std);
    let low = [0, 1].map(|i| ends(i, -1.0).fold(f64::INFINITY, f64::min));
    let high = [0, 1].map(|i| ends(i, 1.0).fold(f64::NEG_INFINITY, f64::max));
    let spacing = 0.5 * components.iter().map(|c| c.std).fold(f64::INFINITY, f64::min);
    let [columns, rows] = [0, 1].map(|i| ((high[i] - low[i]) / spacing) as usize + 2);
    let mut density = vec![0.0; columns * rows];
    // Where a component is seen along an axis, and its density there.
    let line = |Component { mean, std, .. }: &Component<2>, i: usize| {
        let first = ((mean[i] - REACH * std - low[i]) / spacing).max(0.0) as usize;
        let count = (2.0 * REACH * std / spacing) as usize + 1;
        let at = |k: usize| (low[i] + k as f64 * spacing - mean[i]) / std;
        (first, (first..first + count).map(|k| (-0.5 * at(k).powi(2)).exp() / (std * TAU.sqrt())).collect::<Vec<_>>())
    };
    for component in components {
        let ((left, across), (top, down)) = (line(component, 0), line(component, 1));
        let share = component.weight / total;
        for (row, down) in density.chunks_exact_mut(columns).skip(top).zip(down) {
            for (p, across) in row.iter_mut().skip(left).zip(&across) {
                *p += share * down * across;
            }
        }
    }
    -density.into_iter().filter(|p| *p > 0.0).map(|p| p * p.ln()).sum::<f64>() * spacing * spacing
}
