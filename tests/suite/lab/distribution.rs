//! Exact distributions: their slopes, their draws, their guidance and their likelihood.

use unnoise::denoise::ideal::Component;
use unnoise::denoise::{ClassifierGuided, Denoiser, Guided, Mixture};
use unnoise::eval::{Control, Likelihood, Probes, standard_normal};
use unnoise::lab::data::{set, sets};
use unnoise::lab::process::Kind;
use unnoise::lab::{Asked, Cloud, CloudNoise, Curve, Distribution, LawAt, Part, Process, Towards};
use unnoise::math::{Latent, Level, NoiseSchedule};

fn process(kind: Kind) -> Process {
    Process::new(kind, &Curve::default()).expect("a process")
}

/// Points of `p_t`, and some far from it.
fn places(distribution: &Distribution, at: Level) -> Vec<[f64; 2]> {
    let data = distribution.draw(24, 5).x;
    let noisy = data.mix(at.alpha, &CloudNoise::new(6).draw(24), at.sigma);
    noisy.0.into_iter().chain([[5.0, -4.0], [-3.0, 0.1]]).collect()
}

/// The slope of `f` at `x`, to the fourth order.
fn slope(f: impl Fn(&[f64; 2]) -> f64, x: &[f64; 2], h: f64) -> [f64; 2] {
    std::array::from_fn(|i| {
        let at = |k: f64| {
            let mut x = *x;
            x[i] += k * h;
            f(&x)
        };
        (8.0 * (at(1.0) - at(-1.0)) - (at(2.0) - at(-2.0))) / (12.0 * h)
    })
}

#[test]
fn fields_are_the_slopes_of_the_logarithms_of_densities() {
    for set in sets() {
        let distribution = set.distribution();
        for (kind, clock) in [
            (Kind::Linear, 0.0),
            (Kind::Linear, 0.1),
            (Kind::Cosine, 0.5),
            (Kind::Flow, 0.8),
            (Kind::VarianceExploding, 1.0),
        ] {
            let at = process(kind).level(clock);
            let here = distribution.at(at);
            // Half way between two far arms of a class its score turns within hundredths of a width, and the error is the
            // fourth power of the step in that.
            let h = 2e-4 * 0.1_f64.hypot(at.sigma);
            let close = |name: &str, x: &[f64; 2], got: [f64; 2], f: &dyn Fn(&LawAt, &[f64; 2]) -> f64| {
                let expected = slope(|x| f(&here, x), x, h);
                let size = got[0].hypot(got[1]).max(1.0);
                let off = (got[0] - expected[0]).hypot(got[1] - expected[1]);
                assert!(off < 1e-6 * size, "{name} of {} at {x:?}, {at:?}: {got:?} is not {expected:?}", set.id);
            };
            let class = distribution.classes() - 1;
            let towards = Towards { class, scale: 3.5 };
            for x in &places(&distribution, at) {
                close("score", x, here.score(x), &|distribution, x| distribution.log_density(x));
                close("classifier", x, here.classifier_gradient(class, x), &|distribution, x| {
                    distribution.log_posterior(class, x)
                });
                close("guided", x, here.guided_score(towards, x), &|distribution, x| distribution.tilted(towards, x));
            }
        }
    }
}

#[test]
fn classes_are_a_posterior_and_density_is_one() {
    for set in sets() {
        let distribution = set.distribution();
        let at = process(Kind::Linear).level(0.3);
        let here = distribution.at(at);
        for x in &places(&distribution, at) {
            let sum: f64 = (0..distribution.classes()).map(|class| here.log_posterior(class, x).exp()).sum();
            assert!((sum - 1.0).abs() < 1e-9, "{} at {x:?}: {sum}", set.id);
        }
        // A sum on a grid much finer than the distribution is wide is the integral, but for rounding.
        let h = 0.1;
        let line = || (-80..=80).map(|i| f64::from(i) * h);
        let mass: f64 =
            line().flat_map(|y| line().map(move |x| [x, y])).map(|x| here.log_density(&x).exp() * h * h).sum();
        assert!((mass - 1.0).abs() < 1e-9, "{}: {mass}", set.id);
    }
}

/// Classifier-free and classifier guidance with the exact classifier are one, and their denoiser is the guided score's.
#[test]
fn guided_denoisers_follow_the_guided_score() {
    let distribution = set("pinwheel").expect("a row").distribution();
    for (class, scale) in [(0, 1.0), (2, 0.0), (4, 7.5)] {
        let asked = Asked::new(&distribution, class).expect("a class");
        let free = Guided { model: asked, guidance: scale.into() };
        let classifier = ClassifierGuided { model: distribution.mixture().clone(), classifier: asked, scale };
        for clock in [0.05, 0.4, 0.9] {
            let at = process(Kind::Linear).level(clock);
            let x = Cloud(places(&distribution, at));
            let (free, by_classifier): (Cloud, Cloud) = (free.denoise(&x, at), classifier.denoise(&x, at));
            let here = distribution.at(at);
            // Tweedie: x_0 = (x + sigma^2 score) / alpha.
            let tweedie =
                x.map(|x| x.mix(1.0 / at.alpha, &here.guided_score(Towards { class, scale }, x), at.sigma * at.nsr()));
            for got in [free, by_classifier] {
                let off = got.mix(1.0, &tweedie, -1.0).rms().0[0][0];
                assert!(off < 1e-9 * (1.0 + scale) / at.alpha, "class {class}, scale {scale}, {clock}: {off:e}");
            }
        }
    }
    assert!(Asked::new(&distribution, 5).is_none());
}

/// Mean, spread and class shares of the draws against those of the mixture.
#[test]
fn draws_have_the_moments_of_their_law() {
    const N: usize = 40_000;
    for set in sets() {
        let distribution = set.distribution();
        let drawn = distribution.draw(N, 1);
        assert_eq!(drawn, distribution.draw(N, 1), "{}", set.id);
        assert_ne!(drawn, distribution.draw(N, 2), "{}", set.id);
        let (mean, second) = moments(distribution.mixture());
        for i in 0..2 {
            let values = || drawn.x.0.iter().map(|p| p[i]);
            let got = values().sum::<f64>() / N as f64;
            let std = (second[i] - mean[i] * mean[i]).sqrt();
            assert!((got - mean[i]).abs() < 5.0 * std / (N as f64).sqrt(), "{}: mean {got}, not {}", set.id, mean[i]);
            let square = values().map(|v| v * v).sum::<f64>() / N as f64;
            let spread = (values().map(|v| (v * v - square).powi(2)).sum::<f64>() / N as f64).sqrt();
            assert!((square - second[i]).abs() < 5.0 * spread / (N as f64).sqrt(), "{}: {square}", set.id);
        }
        let share = 1.0 / distribution.classes() as f64;
        for class in 0..distribution.classes() {
            let got = drawn.label.iter().filter(|label| usize::from(**label) == class).count() as f64 / N as f64;
            let allowed = 5.0 * (share * (1.0 - share) / N as f64).sqrt();
            assert!((got - share).abs() <= allowed, "{}: class {class} has {got}", set.id);
        }
        let inside = drawn.x.0.iter().filter(|p| p.iter().all(|v| v.abs() < 4.0)).count() as f64 / N as f64;
        assert!(inside > 0.99, "{}: {inside} of the points are shown", set.id);
        // The label of a point is its class: a class that is not near it could not have made it.
        let here = distribution.at(Level::CLEAN);
        let sure: f64 = drawn.x.0.iter().zip(&drawn.label).map(|(x, y)| here.log_posterior((*y).into(), x)).sum();
        assert!(sure / N as f64 > -0.1, "{}: {}", set.id, sure / N as f64);
    }
}

/// Mean and mean square of each coordinate.
fn moments(distribution: &Mixture<2>) -> ([f64; 2], [f64; 2]) {
    let total: f64 = distribution.components().iter().map(|c| c.weight).sum();
    distribution.components().iter().fold(([0.0; 2], [0.0; 2]), |(mean, second), c| {
        let share = c.weight / total;
        let square = c.mean.map(|m| m * m + c.std * c.std);
        (mean.mix(1.0, &c.mean, share), second.mix(1.0, &square, share))
    })
}

/// What the page shows beside the analytic value: the whole way of the linear process, at a tolerance of 1e-5.
#[test]
fn the_likelihood_by_the_flow_is_the_analytic_one_within_a_thousandth_of_a_nat() {
    for (data, kind) in [
        ("four-gaussians", Kind::Linear),
        ("four-gaussians", Kind::Flow),
        ("one-gaussian", Kind::Cosine),
        ("moons", Kind::Linear),
    ] {
        let (distribution, process) = (set(data).expect("a row").distribution(), process(kind));
        let measure = Likelihood::new(process.schedule(), Control::Tolerance(1e-5));
        let from = process.schedule().level_at(measure.from);
        for x in distribution.draw(8, 3).x.0 {
            let got = measure.log_density(distribution.mixture(), &x, &Probes::Exact, standard_normal, &mut |_| ());
            let got = got.expect("it ends").nats();
            // The flow begins at the least noisy level, where x is alpha times the point.
            let expected = distribution.at(from).log_density(&x.scale(from.alpha)) + 2.0 * from.alpha.ln();
            assert!((got - expected).abs() < 1e-3, "{data} {kind:?} at {x:?}: {got}, not {expected}");
        }
    }
}

#[test]
fn what_is_no_law_is_refused() {
    let part = |class, std| Part { class, component: Component { weight: 1.0, mean: [0.0; 2], std } };
    assert_eq!(Distribution::new(&[]), None);
    assert_eq!(Distribution::new(&[part(1, 0.5)]), None);
    assert_eq!(Distribution::new(&[part(0, 0.5), part(0, 0.0)]), None);
    assert_eq!(Distribution::new(&[part(0, 0.5), part(1, f64::NAN)]), None);
    assert_eq!(Distribution::new(&[part(1, 0.5), part(0, 0.5)]).map(|distribution| distribution.classes()), Some(2));
}
