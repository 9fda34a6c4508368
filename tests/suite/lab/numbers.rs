//! The numbers of the laboratory against what is known.

use super::run::{distribution, pane, process};
use pollster::block_on;
use unnoise::eval::{self, Decoder, Variance};
use unnoise::lab::data::sets;
use unnoise::lab::numbers::{
    Accuracy, PRECISION, Race, Terms, bound, entropy, likelihood, round_trip, to_noise, within,
};
use unnoise::lab::process::Kind;
use unnoise::lab::run::Stage;
use unnoise::lab::{Cloud, Distances, Distribution, Process};
use unnoise::math::{Latent, Level, TorchGenerator};

const SEEDS: [u32; 5] = [0, 1, 2, 3, 2026];

/// Every data set on every process.
fn worlds() -> impl Iterator<Item = (String, Distribution, Process)> {
    let kinds = || Kind::ALL.into_iter();
    sets().iter().flat_map(move |set| {
        kinds().map(|(id, kind)| (format!("{} on {id}", set.id), set.distribution(), process(kind)))
    })
}

#[test]
fn the_ode_finds_the_likelihood_of_the_law() {
    for kind in [Kind::Linear, Kind::VarianceExploding, Kind::Flow] {
        let (distribution, process) = (distribution("four-gaussians"), process(kind));
        for point in [[2.0, 2.0], [0.0, 0.0], [-3.1, 1.2], [0.5, -2.5]] {
            let known =
                likelihood((&distribution, &process), distribution.mixture(), point, Accuracy::EXACT).expect("an end");
            assert!((known.ode - known.analytic).abs() < 1e-3, "{point:?} in {kind:?}: {known:?}");
            assert!(known.nfe > 10);
        }
    }
}

/// `1 + ln(2 pi s^2)` of a Gaussian of the plane; of the others, the mean of `-ln p` over many draws.
#[test]
fn the_entropy_is_the_mean_surprise() {
    let one = distribution("one-gaussian");
    let std = one.mixture().components()[0].std;
    assert!((entropy(one.mixture()) - (1.0 + (std::f64::consts::TAU * std * std).ln())).abs() < 1e-12);
    for set in sets() {
        let distribution = set.distribution();
        let here = distribution.at(Level::CLEAN);
        let surprise: Vec<f64> = distribution.draw(20_000, 6).x.0.iter().map(|x| -here.log_density(x)).collect();
        let (mean, error) = eval::statistics::mean(&surprise);
        let (entropy, error) = (entropy(distribution.mixture()), error.expect("many"));
        assert!((mean - entropy).abs() < 4.0 * error, "{}: {mean} ± {error}, not {entropy}", set.id);
    }
}

fn exact((distribution, process): (&Distribution, &Process), steps: usize, seed: u32) -> Terms {
    bound((distribution, process), distribution.mixture(), steps, seed).expect("a grid")
}

/// What the page prints: no bound is below the entropy, whatever the data, the process and the seed; and the seed moves none by more
/// than the error that is printed beside it allows.
#[test]
fn the_bound_is_above_the_entropy_of_every_data_set_on_every_process_and_seed() {
    for (name, distribution, process) in worlds() {
        let all = SEEDS.map(|seed| exact((&distribution, &process), 40, seed));
        for terms in &all {
            assert_eq!(terms.terms.len(), 41);
            let (nats, error) = (terms.nats(), terms.error);
            assert!(error <= PRECISION, "{name}: ± {error}");
            assert!(nats - 4.0 * error > terms.entropy, "{name}: {nats} ± {error} is not above {}", terms.entropy);
            // Two numbers with this error, and five of their standard errors.
            let apart = (nats - all[0].nats()).abs();
            assert!(apart <= 5.0 * error.hypot(all[0].error), "{name}: {apart} apart, ± {error}");
        }
    }
}

/// The more steps, the nearer the bound is.
#[test]
fn the_bound_comes_nearer_with_more_steps() {
    let (distribution, process) = (distribution("four-gaussians"), process(Kind::Linear));
    let gaps = [1, 10, 100].map(|steps| {
        let terms = exact((&distribution, &process), steps, 4);
        terms.nats() - terms.entropy
    });
    assert!(gaps.windows(2).all(|w| w[1] < 0.3 * w[0]) && gaps[2] < 0.15, "{gaps:?}");
}

/// Each term is the mean of the plain one, for which a datum is drawn and its noise, and nothing is known of the posterior.
#[test]
fn terms_are_the_means_of_those_of_drawn_data() {
    const N: usize = 20_000;
    let (distribution, process) = (distribution("moons"), process(Kind::Linear));
    let grid = process.grid(8).expect("a grid");
    let data: Vec<_> = distribution.draw(N, 3).x.0.iter().map(|x| x.to_vec()).collect();
    let mut generator = TorchGenerator::new(5);
    let noise = &mut |_: usize, n: usize| generator.randn_f64(n);
    let kind = (Variance::Large, Decoder::Gaussian);
    let Ok(drawn) = eval::bound(distribution.mixture(), &data, &grid, kind, noise, &mut |_| {});
    let terms = exact((&distribution, &process), 8, 1);
    let plain = |t: usize| -> Vec<f64> {
        let of = |bound: &eval::Bound| match t {
            0 => bound.decoder,
            8 => bound.prior,
            t => bound.steps[7 - t].1,
        };
        drawn.iter().map(of).collect()
    };
    for (t, term) in terms.terms.iter().enumerate() {
        let (mean, error) = eval::statistics::mean(&plain(t));
        let error = error.expect("many").hypot(terms.error);
        assert!((mean - term).abs() < 4.0 * error, "L_{t}: {term}, not {mean} ± {error}");
    }
}

#[test]
fn a_race_is_run_within_its_evaluations() {
    let process = process(Kind::Linear);
    let steps = |sampler: &str, evaluations| within(&pane(sampler, 20), &process, evaluations).map(|pane| pane.steps);
    assert_eq!(steps("ddim", 10), Some(10));
    assert_eq!(steps("langevin", 50), Some(50));
    // Two evaluations a step, but one in the last.
    assert_eq!(steps("heun", 10), Some(5));
    assert_eq!(steps("dopri5", 100), None);
}

/// More evaluations bring samples of every data set nearer on every process, down to where data is from other data. One in twenty means
/// of five seeds lies above the floor's twenty by chance, and none by half as much again.
#[test]
fn distances_fall_to_the_floor() {
    for set in sets() {
        let distribution = set.distribution();
        let race = Race { wanted: &distribution, points: 200, seed: 0 };
        let floor = race.floor();
        assert!(floor.low.energy > 0.0 && floor.low.energy < floor.high.energy, "{}: {floor:?}", set.id);
        for (id, kind) in Kind::ALL {
            let process = process(kind);
            let at = |evaluations| {
                let pane = within(&pane("ode", 1), &process, evaluations).expect("a step");
                block_on(race.run(&stage(&distribution, &process), &pane)).expect("it runs").0
            };
            let (few, many) = (at(5), at(100));
            let name = format!("{} on {id}: {few:?}, then {many:?}, {floor:?}", set.id);
            let near = |distances: Distances| distances.energy < 1.5 * floor.high.energy;
            assert!(many.energy < few.energy || near(few), "{name}");
            // Where the noise at the end does not hide the data's mean, as the term L_T of the bound says, samples are shifted by it.
            let shift = left_of_the_mean(&distribution, process.level(1.0));
            let sliced = many.sliced_wasserstein - shift;
            assert!(
                sliced < 1.5 * floor.high.sliced_wasserstein && (near(many) || shift > 0.05),
                "{name}, shift {shift}"
            );
            assert!(many.energy > 0.5 * floor.low.energy, "{name}");
        }
    }
}

/// How far the start of a run, which has no mean, shifts its end: by the mean of the noisy data in its standard deviations, of which the
/// data has other ones.
fn left_of_the_mean(distribution: &Distribution, end: Level) -> f64 {
    let data = distribution.draw(10_000, 5).x;
    let moment = |f: &dyn Fn(&[f64; 2]) -> f64| data.0.iter().map(f).sum::<f64>() / data.0.len() as f64;
    let mean = [0, 1].map(|i| moment(&|x| x[i]));
    let size = mean[0].hypot(mean[1]);
    let std = (0.5 * (moment(&|x| x[0] * x[0] + x[1] * x[1]) - size * size)).sqrt();
    size * end.alpha / end.marginal_std() * std
}

/// The noise alone is far above the floor, so that the race can be lost.
#[test]
fn noise_is_far_from_the_floor() {
    let (distribution, process) = (distribution("four-gaussians"), process(Kind::Linear));
    let race = Race { wanted: &distribution, points: 200, seed: 0 };
    let noise = block_on(race.run(&stage(&distribution, &process), &pane("ddim", 1))).expect("it runs").0;
    assert!(noise.energy > 10.0 * race.floor().high.energy, "{noise:?}");
}

fn stage<'a>(distribution: &'a Distribution, process: &'a Process) -> Stage<'a> {
    Stage { narrowest: distribution.narrowest(), process, model: distribution.mixture(), seed: 3, eta: 1.0 }
}

/// Data that the ODE turned into noise comes back, the nearer the more steps the sampler takes, whatever is drawn of it. With noise
/// it does not come back.
#[test]
fn the_ode_brings_data_back_and_noise_does_not() {
    for (name, distribution, process) in worlds() {
        let stage = stage(&distribution, &process);
        // Three points of each of five seeds.
        let points = Cloud(SEEDS.into_iter().flat_map(|seed| distribution.draw(3, seed).x.0).collect());
        let z = to_noise(&stage, &points).expect("a grid");
        let trip = |sampler, steps| block_on(round_trip(&stage, &pane(sampler, steps), &points, &z)).expect("it runs");
        for sampler in ["ode", "ddim"] {
            let (coarse, fine) = (trip(sampler, 20), trip(sampler, 100));
            assert!(fine.mean < 0.6 * coarse.mean && fine.mean < 0.1, "{sampler}, {name}: {coarse:?}, then {fine:?}");
            assert!(fine.most >= fine.mean && fine.evaluations == 100, "{name}: {fine:?}");
        }
        assert!(trip("ddpm", 50).mean > 0.5, "{name}");
    }
}

/// Without noise of its own the reverse SDE is the ODE, point for point. With any of it a datum does not come back, and the samples have
/// the distribution of the data all the same.
#[test]
fn eta_leads_from_the_ode_to_the_sde() {
    let distribution = distribution("four-gaussians");
    for (id, kind) in Kind::ALL {
        let process = process(kind);
        let points = distribution.draw(50, 1).x;
        let z = to_noise(&stage(&distribution, &process), &points).expect("a grid");
        let end = |sampler, eta| {
            let stage = Stage { eta, ..stage(&distribution, &process) };
            block_on(stage.end(&pane(sampler, 100), &z)).expect("it runs").0
        };
        assert_eq!(end("reverse-sde", 0.0), end("ode", 1.0), "{id}");
        let error = |eta| {
            let off = end("reverse-sde", eta).mix(1.0, &points, -1.0);
            off.0.iter().map(|[x, y]| x.hypot(*y)).sum::<f64>() / 50.0
        };
        let errors = [0.0, 0.2, 1.0].map(error);
        assert!(errors[0] < 0.1 && errors[1].min(errors[2]) > 10.0 * errors[0], "{id}: {errors:?}");
        let race = Race { wanted: &distribution, points: 200, seed: 0 };
        let floor = race.floor();
        for eta in [0.2, 1.0] {
            let stage = Stage { eta, ..stage(&distribution, &process) };
            let Distances { energy, .. } = block_on(race.run(&stage, &pane("reverse-sde", 100))).expect("it runs").0;
            assert!(energy < 1.5 * floor.high.energy, "{id}: {energy} at eta {eta}, {floor:?}");
        }
    }
}
