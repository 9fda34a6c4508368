use crate::math::{Latent, Level};
use crate::samplers::coefficients::{MIDPOINT, Moments, moments, nodes, phi, weights};
use crate::samplers::history::{Form, History};
use crate::samplers::{Knob, Run, Step, Steps};

/// Order of the predictor; the corrector has one more.
pub const ORDER: Knob = Knob::whole("order", 1, 4, 2);

/// UniPC with `B(h) = h`, on the estimates of the data: Zhao et al. 2023 (arXiv 2302.04867), algorithms 1 and 2 in the data
/// form. Converges with one order more than each half has. One evaluation a step.
pub fn unipc_bh1<X: Latent + 'static>(run: Run<'_, X>) -> Steps<'_, X> {
    unipc(run, Form::Data, bh1)
}

/// UniPC with `B(h) = e^h - 1`, on the estimates of the data.
pub fn unipc_bh2<X: Latent + 'static>(run: Run<'_, X>) -> Steps<'_, X> {
    unipc(run, Form::Data, bh2)
}

/// UniPC with `B(h) = h`, on the estimates of the noise: algorithms 1 and 2.
pub fn unipc_eps_bh1<X: Latent + 'static>(run: Run<'_, X>) -> Steps<'_, X> {
    unipc(run, Form::Noise, bh1)
}

/// UniPC with `B(h) = e^h - 1`, on the estimates of the noise.
pub fn unipc_eps_bh2<X: Latent + 'static>(run: Run<'_, X>) -> Steps<'_, X> {
    unipc(run, Form::Noise, bh2)
}

/// `B` shows only on lines, whose slope the paper gives the weight `B(h) / 2`; the linear systems for more
/// estimates lead to the exact integral of the polynomial through them, whatever `B` is.
fn bh1(estimates: usize, z: f64) -> Moments {
    if estimates > 2 { moments(z) } else { [1.0, 0.5 / phi(1, z), 0.0, 0.0, 0.0] }
}

fn bh2(estimates: usize, z: f64) -> Moments {
    if estimates > 2 { moments(z) } else { MIDPOINT }
}

/// Each evaluation serves twice: UniC takes the step that led to it again, with the estimate at its end; then UniP takes
/// the next step from the corrected point.
fn unipc<X: Latent + 'static>(run: Run<'_, X>, form: Form, moments: fn(usize, f64) -> Moments) -> Steps<'_, X> {
    let orders = run.orders(run.tuning.whole(&ORDER));
    let Run { start: mut x, grid, model, .. } = run;
    let mut history = History::new(form);
    let weigh = move |levels: &[Level], step: (Level, Level)| {
        let nodes = nodes(levels, step, Level::lambda);
        weights(&nodes, &moments(nodes.len(), form.rate(step)))
    };
    // Where the last step began, and how many estimates its corrector takes.
    let mut last: Option<(X, Level, usize)> = None;
    Box::new(grid.pairs().enumerate().map(move |(i, (from, to))| {
        let denoised = model.denoise(&x, from);
        history.learn(&x, &denoised, from);
        // corrector (UniC, algorithm 1)
        if let Some((begin, at, estimates)) = last.as_ref().filter(|(.., estimates)| *estimates > 0) {
            let weights = weigh(history.levels(*estimates), (*at, from));
            // An infinitely long step, from pure noise, is not corrected.
            if weights.len() > 1 {
                x = history.step(begin, &denoised, &weights, (*at, from));
            }
        }
        // predictor (UniP, algorithm 2)
        let levels = history.levels(orders.at(i));
        let weights = weigh(levels, (from, to));
        last = Some((x.clone(), from, orders.correction(i, levels.len() + 1)));
        x = history.step(&x, &denoised, &weights, (from, to));
        Step { x: x.clone(), denoised, from, to }
    }))
}
