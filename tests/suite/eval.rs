//! Likelihood, bound and inversion on data whose law is known, in f64.

use unnoise::denoise::ideal::Component;
use unnoise::denoise::{Denoiser, Mixture};
use unnoise::eval::bound::Bound;
use unnoise::eval::{Control, Decoder, Inversion, Likelihood, LogDensity, Probes, Variance};
use unnoise::eval::{bound, invert, standard_normal};
use unnoise::math::{
    ContinuousVp, Discrete, Flow, Grid, Level, Noise, NoiseSchedule, Schedule, Spacing, TorchGenerator, Ve,
};
use unnoise::samplers::{Run, method};

type Point = [f64; 2];

/// Four normals around (±2, ±2), standard deviation 0.5: the law of the recorded trajectories.
fn mixture() -> Mixture<2> {
    let component = |mean| Component { weight: 1.0, mean, std: 0.5 };
    Mixture::new([[2.0, 2.0], [2.0, -2.0], [-2.0, 2.0], [-2.0, -2.0]].map(component).into()).expect("a distribution")
}

fn linear() -> Discrete {
    Discrete::linear(1e-4, 0.02, 1000).expect("DDPM's own")
}

fn processes() -> [(&'static str, Schedule); 4] {
    [
        ("DDPM linear", Schedule::Discrete(linear())),
        ("VP", Schedule::ContinuousVp(ContinuousVp::default())),
        ("VE", Schedule::Ve(Ve::default())),
        ("flow", Schedule::Flow(Flow::default())),
    ]
}

/// Points where the density is high, low, symmetric and not.
fn points() -> Vec<Point> {
    let line = [-3.5, -2.0, -0.3, 0.0, 1.1, 2.4];
    line.iter().flat_map(|x| line.map(|y| [*x, y])).collect()
}

const TIGHT: Control = Control::Tolerance(1e-9);

fn exact_prior(x: &[f64], at: Level) -> f64 {
    mixture().log_density(&[x[0], x[1]], at)
}

fn log_p(run: &Likelihood, y: &Point, probes: &Probes, prior: impl Fn(&[f64], Level) -> f64) -> LogDensity {
    run.log_density(&mixture(), y, probes, prior, &mut |_| {}).expect("the mixture does not fail")
}

/// From the mixture's own marginal at the noisy end the ODE gives the density at the other one, in every process.
#[test]
fn the_ode_gives_the_density() {
    for (name, schedule) in processes() {
        let run = Likelihood::new(&schedule, TIGHT);
        let at = Level::variance_exploding(0.0, run.from);
        let error =
            |y: &Point| (log_p(&run, y, &Probes::Exact, exact_prior).nats() - mixture().log_density(y, at)).abs();
        let worst = points().iter().map(error).fold(0.0, f64::max);
        println!("{name:12} off by {worst:.1e} nats");
        assert!(worst < 1e-6, "{name}: {worst:e}");
    }
}

/// With hardly any noise at the near end it is the density of the data.
#[test]
fn without_noise_it_is_the_density_of_the_data() {
    let schedule = ContinuousVp::default();
    let run = Likelihood { from: 1e-6, ..Likelihood::new(&schedule, TIGHT) };
    for y in points() {
        let (got, expected) =
            (log_p(&run, &y, &Probes::Exact, exact_prior).nats(), mixture().log_density(&y, Level::CLEAN));
        assert!((got - expected).abs() < 1e-6, "{y:?}: {got}, not {expected}");
    }
}

/// A standard normal in place of the true marginal costs what the two densities differ by where the point lands.
#[test]
fn a_standard_normal_prior_costs_little_where_noise_is_plenty() {
    // The most that it costs on these points, from VP's sigma / alpha of 157 to VE's 50 and the flow's 999.
    for ((name, schedule), most) in processes().iter().zip([2e-3, 2e-3, 2e-2, 1e-3]) {
        let run = Likelihood::new(schedule, TIGHT);
        let end = run.schedule.level_at(run.to);
        let mut worst = 0.0_f64;
        for y in points() {
            let (simple, exact) =
                (log_p(&run, &y, &Probes::Exact, standard_normal), log_p(&run, &y, &Probes::Exact, exact_prior));
            let x: Vec<f64> = simple.latent.iter().map(|z| z * end.marginal_std()).collect();
            let difference = simple.nats() - exact.nats();
            assert!((difference - (standard_normal(&x, end) - exact_prior(&x, end))).abs() < 1e-9);
            worst = worst.max(difference.abs());
        }
        println!("{name:12} a standard normal prior differs by at most {worst:.1e} nats");
        assert!(worst < most, "{name}: {worst}");
    }
}

#[test]
fn random_probes_agree_within_their_standard_error() {
    // Two normals aslant of the axes: on the other mixture the Jacobian is diagonal, and signs are exact.
    let component = |mean| Component { weight: 1.0, mean, std: 0.5 };
    let model = Mixture::new([[1.0, 1.5], [-1.0, -0.5]].map(component).into()).expect("a distribution");
    let schedule = ContinuousVp::default();
    let run = Likelihood::new(&schedule, Control::Tolerance(1e-6));
    let log_p = |probes: &Probes| {
        run.log_density(&model, &[0.3, 0.4], probes, standard_normal, &mut |_| {}).expect("it does not fail")
    };
    let exact = log_p(&Probes::Exact);
    assert_eq!(exact.standard_error(), None);
    for probes in [Probes::rademacher(7, 500, 2), gaussian_probes(7, 500)] {
        let guess = log_p(&probes);
        let (off, error) = (guess.nats() - exact.nats(), guess.standard_error().expect("many probes"));
        println!("off by {off:.4} with a standard error of {error:.4}");
        assert!(error > 0.0 && error < 0.3 && off.abs() < 4.0 * error, "{off} {error}");
    }
}

/// `n` standard normal vectors of two numbers.
fn gaussian_probes(seed: u64, n: usize) -> Probes {
    let mut generator = TorchGenerator::new(seed);
    Probes::Random((0..n).map(|_| generator.randn_f64(2)).collect())
}

/// A normal distribution in one dimension, where everything has a closed form.
const MEAN: f64 = 0.7;
const STD: f64 = 0.5;

fn normal() -> Mixture<1> {
    Mixture::new(vec![Component { weight: 1.0, mean: [MEAN], std: STD }]).expect("a distribution")
}

/// Nodes and weights of Gauss-Hermite quadrature: exact for polynomials of a standard normal up to degree 5, and the
/// terms of the bound are of degree 2 in both `x_0` and the noise.
fn nodes() -> [(f64, f64); 3] {
    let root = 3_f64.sqrt();
    [(-root, 1.0 / 6.0), (0.0, 2.0 / 3.0), (root, 1.0 / 6.0)]
}

/// The expectation of every term over data and noise: `[L_T, L_{T-1}, .., L_1, L_0]`.
fn expected_terms(grid: &Grid, variance: Variance) -> Vec<f64> {
    let mut sum = vec![0.0; grid.steps() + 1];
    for (z, data_weight) in nodes() {
        for (eps, noise_weight) in nodes() {
            let x0 = vec![MEAN + STD * z];
            let draw = &mut |_, _| vec![eps];
            let found = bound(&normal(), &[x0], grid, (variance, Decoder::Gaussian), draw, &mut |_| {});
            let Bound { prior, steps, decoder } = found.expect("exact").remove(0);
            let terms = [prior].into_iter().chain(steps.iter().map(|(_, nats)| *nats)).chain([decoder]);
            sum.iter_mut().zip(terms).for_each(|(sum, term)| *sum += data_weight * noise_weight * term);
        }
    }
    sum
}

/// On normal data of variance `V` the exact denoiser errs by the posterior variance `V s^2 / (V + s^2)` in mean square,
/// `s = sigma / alpha`, so that every term is a fraction.
#[test]
fn on_normal_data_each_term_has_its_closed_form() {
    let grid = Spacing::Trailing.grid(&linear(), 25).expect("a grid");
    let posterior = |at: Level| 1.0 / (STD.powi(-2) + at.nsr().powi(-2));
    let Level { alpha, sigma, .. } = grid.first();
    let prior = 0.5 * (sigma.powi(2) + alpha.powi(2) * (MEAN * MEAN + STD * STD) - 1.0 - (sigma * sigma).ln());
    let small = |t: Level, s: Level| 0.5 * (s.nsr().powi(-2) - t.nsr().powi(-2)) * posterior(t);
    // The forward variance of VP is 1 - alpha_t^2 / alpha_s^2; the posterior's is beta sigma_s^2 / sigma_t^2.
    let large = |t: Level, s: Level| {
        let beta = 1.0 - (t.alpha / s.alpha).powi(2);
        let q = (s.sigma / t.sigma).powi(2);
        0.5 * (q - 1.0 - q.ln() + (s.alpha * beta / t.sigma.powi(2)).powi(2) * posterior(t) / beta)
    };
    let last = grid.levels()[24];
    let decoder = 0.5 * (std::f64::consts::TAU * last.sigma.powi(2)).ln() + 0.5 * posterior(last) / last.sigma.powi(2);
    for (variance, step) in [(Variance::Small, &small as &dyn Fn(Level, Level) -> f64), (Variance::Large, &large)] {
        let steps = grid.pairs().take(24).map(|(t, s)| step(t, s));
        let expected = [prior].into_iter().chain(steps).chain([decoder]);
        for (i, (got, expected)) in expected_terms(&grid, variance).into_iter().zip(expected).enumerate() {
            assert!((got - expected).abs() < 1e-9 * (1.0 + expected), "{variance:?} term {i}: {got}, not {expected}");
        }
    }
}

/// The bound lies above the entropy of the data and comes down to it as the chain gets longer.
#[test]
fn longer_chains_close_the_gap() {
    let entropy = 0.5 * (std::f64::consts::TAU * std::f64::consts::E * STD * STD).ln();
    let gap = |steps| {
        let grid = Spacing::LogSnr.grid(&linear(), steps).expect("a grid");
        expected_terms(&grid, Variance::Small).iter().sum::<f64>() - entropy
    };
    let gaps: Vec<f64> = [50, 100, 1000, 10_000].into_iter().map(gap).collect();
    println!("gaps {gaps:.5?} nats");
    assert!(gaps[3] > 0.0 && gaps[3] < 5e-3 && gaps.windows(2).all(|w| w[1] < 0.6 * w[0]), "{gaps:?}");
}

#[test]
fn on_a_mixture_the_bound_lies_above_the_negative_log_density() {
    const DRAWS: usize = 300;
    let grid = Spacing::LogSnr.grid(&linear(), 1000).expect("a grid");
    let mut generator = TorchGenerator::new(3);
    for x0 in [[2.0, 2.0], [1.1, -2.4], [0.0, 0.3]] {
        let truth = -mixture().log_density(&x0, Level::CLEAN);
        let samples = vec![x0.to_vec(); DRAWS];
        let choice = (Variance::Small, Decoder::Gaussian);
        let draws = bound(&mixture(), &samples, &grid, choice, &mut |_, n| generator.randn_f64(n), &mut |_| {});
        let nats: Vec<f64> = draws.expect("exact").iter().map(Bound::nats).collect();
        let mean = nats.iter().sum::<f64>() / DRAWS as f64;
        let squares: f64 = nats.iter().map(|v| (v - mean).powi(2)).sum();
        let error = (squares / (DRAWS - 1) as f64 / DRAWS as f64).sqrt();
        println!("{x0:?}: bound {mean:.3} ± {error:.3}, -ln p {truth:.3}");
        assert!(mean > truth - 4.0 * error && mean < truth + 0.1 + 4.0 * error, "{x0:?}: {mean} ± {error} for {truth}");
    }
}

/// `L_{t-1}` is a weighted squared error, of `x_0` with the weight `(SNR_s - SNR_t) / 2` (Kingma et al. 2021, arXiv
/// 2107.00630, equation 14) and of the noise. Both are the same sums in another order, so rounding is all that differs.
#[test]
fn a_step_costs_a_weighted_squared_error() {
    let grid = Spacing::Trailing.grid(&linear(), 10).expect("a grid");
    let (x0, eps) = ([1.1, -2.4], [0.3, -1.2]);
    let choice = (Variance::Small, Decoder::Gaussian);
    let found = bound(&mixture(), &[x0.to_vec()], &grid, choice, &mut |_, _| eps.to_vec(), &mut |_| {});
    let steps = found.expect("exact").remove(0).steps;
    let square = |a: Point, b: Point| (a[0] - b[0]).powi(2) + (a[1] - b[1]).powi(2);
    for ((t, s), (at, nats)) in grid.pairs().zip(steps) {
        let x = [0, 1].map(|i| t.alpha * x0[i] + t.sigma * eps[i]);
        let estimate = mixture().estimate(&x, t);
        let of_x0 = 0.5 * (s.nsr().powi(-2) - t.nsr().powi(-2)) * square(x0, estimate.x0);
        let of_eps = 0.5 * ((t.nsr() / s.nsr()).powi(2) - 1.0) * square(eps, estimate.eps);
        assert_eq!(at, t);
        assert!((nats - of_x0).abs() < 1e-9 * (1.0 + nats), "{nats} {of_x0}");
        assert!((nats - of_eps).abs() < 1e-9 * (1.0 + nats), "{nats} {of_eps}");
    }
}

struct NoNoise;

impl Noise<Point> for NoNoise {
    fn normal(&mut self, _: &Point) -> Point {
        unreachable!("these samplers draw nothing")
    }
}

fn sample(id: &str, start: Point, grid: &Grid) -> Point {
    let row = method::<Point>(id).expect("a row");
    let schedule = ContinuousVp::default();
    let (model, mut noise) = (mixture(), NoNoise);
    let run = Run::new(start, grid, &schedule, &model, &mut noise);
    let last = row.on_grid().expect("it walks a grid")(run).last();
    last.expect("a grid has a step").x
}

/// Without its ends, where log-SNR is infinite, so that an order is defined.
fn inner(steps: usize) -> Grid {
    let level = |i: usize| ContinuousVp::default().level(0.95 - 0.8 * i as f64 / steps as f64);
    Grid::new((0..=steps).map(level).collect()).expect("the ratio falls")
}

fn distance(a: Point, b: Point) -> f64 {
    (a[0] - b[0]).hypot(a[1] - b[1])
}

fn assert_order(what: &str, expected: f64, error: impl Fn(usize) -> f64) {
    let measured = (error(128) / error(256)).log2();
    println!("{what}: order {measured:.3}, error {:.1e} at 256 steps", error(256));
    assert!((measured - expected).abs() < 0.15, "{what}: order {measured}, not {expected}");
}

/// Inversion climbs the ODE with the order of its method, and what a sampler of the same method makes of the noise comes
/// back to the point. Heun's step up and down again errs by one order less than each alone: the leading error of a method
/// of even order changes sign with the direction.
#[test]
fn inversion_and_round_trip_have_the_order_of_the_method() {
    let x = [0.9, -0.4];
    let schedule = ContinuousVp::default();
    for ((id, inversion), (up, there_and_back)) in Inversion::ALL.into_iter().zip([(1.0, 1.0), (2.0, 3.0)]) {
        let (start, end) = (inner(1).last(), inner(1).first());
        let exact =
            Likelihood { from: start.nsr(), to: end.nsr(), ..Likelihood::new(&schedule, Control::Tolerance(1e-11)) };
        let latent = log_p(&exact, &x.map(|v| v / start.alpha), &Probes::Exact, exact_prior).latent;
        let latent = [latent[0], latent[1]].map(|z| z * end.marginal_std());
        assert_order(&format!("{id} up"), up, |steps| {
            distance(invert(x, &inner(steps), &mixture(), inversion), latent)
        });
        assert_order(&format!("{id} there and back"), there_and_back, |steps| {
            let grid = inner(steps);
            distance(sample(id, invert(x, &grid, &mixture(), inversion), &grid), x)
        });
    }
}

/// From the clean end, and up to a level without any signal.
#[test]
fn whole_grids_are_inverted_too() {
    let flow = Flow::default();
    let x = [1.9, -1.7];
    for (_, inversion) in Inversion::ALL {
        let error = |steps| {
            let grid = Spacing::Trailing.grid(&flow, steps).expect("a grid");
            assert_eq!((grid.first().alpha, grid.last().sigma), (0.0, 0.0));
            distance(sample("ddim", invert(x, &grid, &mixture(), inversion), &grid), x)
        };
        let (coarse, fine) = (error(50), error(800));
        println!("{inversion:?}: {coarse:.1e} in 50 steps, {fine:.1e} in 800");
        assert!(fine < 0.2 * coarse && fine < 0.05, "{inversion:?}: {coarse} {fine}");
    }
}

/// A device may fail; the failure is handed on.
#[test]
fn a_failing_model_ends_the_measure() {
    #[derive(Debug, PartialEq, thiserror::Error)]
    #[error("lost")]
    struct Lost;
    struct Broken;
    impl unnoise::eval::Readable for Broken {
        type Error = Lost;
        fn dimensions(&self) -> usize {
            1
        }
        fn denoise(&self, _: &[f64], _: Level) -> Result<Vec<f64>, Lost> {
            Err(Lost)
        }
    }
    let grid = Spacing::Trailing.grid(&linear(), 3).expect("a grid");
    let choice = (Variance::Large, Decoder::Gaussian);
    let ended = bound(&Broken, &[vec![0.0]], &grid, choice, &mut |_, n| vec![0.0; n], &mut |_| {});
    assert_eq!(ended, Err(Lost));
}
