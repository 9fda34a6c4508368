//! What wraps a model: guidance, classifiers, clipping, and in `guidance/` inpainting. In f64 with exact models.

use unnoise::denoise::guidance::Models;
use unnoise::denoise::ideal::{Component, Mixture};
use unnoise::denoise::{
    Branch, Branches, Classifier, ClassifierGuided, Clip, Clipped, Denoiser, Estimate, Guidance, GuidanceKind, Guided,
    Prediction,
};
use unnoise::math::{Flow, Grid, Latent, Level, Noise, NoiseSchedule, TorchGenerator};
use unnoise::samplers::{Run, method};

mod inpaint;

type Point = [f64; 2];

/// Half signal, half noise; almost a picture; almost noise; a process of its own.
const LEVELS: [(f64, f64); 4] = [(0.8, 0.6), (0.999, 0.01), (0.01, 1.0), (0.3, 0.7)];
const X: Point = [0.7, -0.4];

fn level((alpha, sigma): (f64, f64)) -> Level {
    Level { t: 0.0, alpha, sigma }
}

fn near(a: Point, b: Point, tolerance: f64) {
    assert!((a[0] - b[0]).abs() <= tolerance && (a[1] - b[1]).abs() <= tolerance, "{a:?} is not {b:?}");
}

/// Three Gaussians; class 0 is the first, class 1 the others.
fn data() -> Mixture<2> {
    let component = |weight, mean, std| Component { weight, mean, std };
    Mixture::new(vec![
        component(1.0, [1.5, 1.0], 0.5),
        component(2.0, [-1.5, 0.5], 0.3),
        component(0.5, [0.5, -2.0], 0.8),
    ])
    .expect("a mixture")
}

fn class(k: usize) -> Mixture<2> {
    data().only(&[vec![0], vec![1, 2]][k]).expect("a class")
}

/// The estimates of three models that share nothing, and how many branches were evaluated.
fn with_models<T>(guidance: Guidance, f: impl Fn(&Guided<Models<'_, Point>>, [Estimate<Point>; 3], Level) -> T) {
    let (conditional, unconditional, negative) = (class(0), data(), class(1));
    let model = Models {
        conditional: &conditional,
        unconditional: &unconditional,
        negative: &negative as &dyn Denoiser<Point>,
    };
    for at in LEVELS.map(level) {
        let said = [Branch::Conditional, Branch::Unconditional, Branch::Negative];
        let said = model.branches(&X, at, &said).try_into().expect("three");
        f(&Guided { model, guidance }, said, at);
    }
}

#[test]
fn plain_guidance_is_a_line_through_both_estimates() {
    for scale in [0.0, 0.5, 1.0, 3.0] {
        with_models(Guidance::plain(scale), |guided, [yes, no, _], at| {
            let expected = no.x0.mix(1.0 - scale, &yes.x0, scale);
            near(guided.denoise(&X, at), expected, 1e-12);
            let said = guided.estimate(&X, at);
            near(said.x0, expected, 1e-12);
            // Both sides carry the rounding of x0 divided by sigma.
            near(said.eps, no.eps.mix(1.0 - scale, &yes.eps, scale), 1e-11);
        });
    }
}

#[test]
fn only_the_branches_that_are_mixed_are_asked_for() {
    use Branch::{Conditional, Negative, Unconditional};
    let branches_of = |scale, kind, nsr| {
        let guidance = Guidance { interval: [0.5, 2.0], kind, ..Guidance::plain(scale) };
        guidance.branches(Level::variance_exploding(0.0, nsr))
    };
    let perpendicular = GuidanceKind::Perpendicular { weight: 1.0 };
    for kind in [GuidanceKind::Plain, GuidanceKind::CfgPlusPlus, GuidanceKind::Negative, perpendicular] {
        for nsr in [0.1, 0.5, 2.1, f64::INFINITY] {
            assert_eq!(branches_of(3.0, kind, nsr), [Conditional], "{kind:?} outside its interval, at {nsr}");
        }
        assert_eq!(branches_of(0.0, kind, 1.0).len(), 1, "{kind:?}");
    }
    for nsr in [0.51, 2.0] {
        assert_eq!(branches_of(3.0, GuidanceKind::Plain, nsr), [Conditional, Unconditional]);
        assert_eq!(branches_of(1.0, GuidanceKind::Plain, nsr), [Conditional]);
        assert_eq!(branches_of(0.0, GuidanceKind::Plain, nsr), [Unconditional]);
        // Its noise is the unguided model's at every scale.
        assert_eq!(branches_of(1.0, GuidanceKind::CfgPlusPlus, nsr), [Conditional, Unconditional]);
        assert_eq!(branches_of(3.0, GuidanceKind::Negative, nsr), [Conditional, Negative]);
        assert_eq!(branches_of(3.0, perpendicular, nsr), [Conditional, Unconditional, Negative]);
    }
    let everywhere = Guidance::plain(3.0);
    assert_eq!(everywhere.branches(Level { t: 0.0, alpha: 0.0, sigma: 1.0 }).len(), 2);
}

#[test]
fn outside_its_interval_guidance_is_the_conditional_model() {
    let guidance = Guidance { interval: [0.1, 2.0], ..Guidance::plain(4.0) };
    with_models(guidance, |guided, [yes, no, _], at| {
        let inside = (0.1..2.0).contains(&at.nsr());
        assert!(!inside || at.nsr() == 0.6 / 0.8);
        let expected = if inside { no.x0.mix(-3.0, &yes.x0, 4.0) } else { yes.x0 };
        near(guided.denoise(&X, at), expected, 1e-12);
    });
}

#[test]
fn cfg_plus_plus_keeps_the_noise_of_the_unguided_model() {
    with_models(Guidance { kind: GuidanceKind::CfgPlusPlus, ..Guidance::plain(0.6) }, |guided, [yes, no, _], at| {
        let said = guided.estimate(&X, at);
        near(said.x0, no.x0.mix(0.4, &yes.x0, 0.6), 1e-12);
        assert_eq!(said.eps, no.eps);
    });
}

#[test]
fn a_negative_branch_takes_the_place_of_the_unconditional_one() {
    with_models(Guidance { kind: GuidanceKind::Negative, ..Guidance::plain(2.5) }, |guided, [yes, _, worse], at| {
        near(guided.denoise(&X, at), worse.x0.mix(-1.5, &yes.x0, 2.5), 1e-12);
    });
}

/// What Perp-Neg adds to plain guidance is perpendicular to the conditional direction, and as long as that part of the
/// negative direction.
#[test]
fn perp_neg_takes_off_only_what_is_perpendicular() {
    let (scale, weight) = (3.0, 0.7);
    let kind = GuidanceKind::Perpendicular { weight };
    with_models(Guidance { kind, ..Guidance::plain(scale) }, |guided, [yes, no, negative], at| {
        let plain = no.x0.mix(1.0 - scale, &yes.x0, scale);
        let taken = guided.denoise(&X, at).mix(-1.0, &plain, 1.0);
        let (towards, away) = (yes.x0.mix(1.0, &no.x0, -1.0), negative.x0.mix(1.0, &no.x0, -1.0));
        let length = towards[0].hypot(towards[1]);
        // In the plane the perpendicular is a quarter turn.
        let normal = [-towards[1] / length, towards[0] / length];
        let along = away[0] * normal[0] + away[1] * normal[1];
        near(taken, normal.scale(scale * weight * along), 1e-11);
    });
    // Without a direction nothing is divided by nothing.
    let model = class(0);
    let same = Models { conditional: &model, unconditional: &model, negative: &data() as &dyn Denoiser<Point> };
    let guided = Guided { model: same, guidance: Guidance { kind, ..Guidance::plain(scale) } };
    assert!(guided.denoise(&X, level(LEVELS[0])).iter().all(|v| v.is_finite()));
}

/// Models that answer with what a network of a given kind would put out.
struct Outputs(Prediction);

const OUTPUTS: [[f64; 4]; 2] = [[0.3, -1.1, 0.4, 2.0], [0.5, 0.2, -0.9, 0.1]];
const LONG: [f64; 4] = [0.7, -0.4, 1.1, 0.2];

impl Branches<[f64; 4]> for Outputs {
    fn branches(&self, x: &[f64; 4], at: Level, which: &[Branch]) -> Vec<Estimate<[f64; 4]>> {
        let output = |branch: &Branch| &OUTPUTS[usize::from(*branch != Branch::Conditional)];
        which.iter().map(|b| Estimate::of_x0(x, self.0.to_x0(x, output(b), at), at)).collect()
    }

    fn output(&self) -> Prediction {
        self.0
    }
}

/// Against the formula of the paper on the outputs themselves, as diffusers' `rescale_noise_cfg` computes it.
#[test]
fn rescaled_outputs_have_the_deviation_of_the_conditional_one() {
    let std = |v: &[f64; 4]| {
        let mean = v.iter().sum::<f64>() / 4.0;
        (v.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / 3.0).sqrt()
    };
    let at = level(LEVELS[0]);
    for prediction in [Prediction::Epsilon, Prediction::Velocity, Prediction::Sample, Prediction::Flow] {
        for rescale in [0.0, 0.7, 1.0] {
            let guided = Guided { model: Outputs(prediction), guidance: Guidance { rescale, ..Guidance::plain(5.0) } };
            let [yes, no] = OUTPUTS;
            let mixed = no.mix(-4.0, &yes, 5.0);
            let expected = mixed.mix(1.0 - rescale, &mixed, rescale * std(&yes) / std(&mixed));
            let got = prediction.from_x0(&LONG, &guided.denoise(&LONG, at), at);
            assert!(got.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-12), "{prediction:?} {rescale}: {got:?}");
            if rescale == 1.0 {
                assert!((std(&got) - std(&yes)).abs() < 1e-12);
            }
        }
    }
}

/// The exact classifier of a class of the data: what the class adds to the score, `score = -eps / sigma`.
struct Exact(Mixture<2>);

impl Classifier<Point> for Exact {
    fn gradient(&self, x: &Point, at: Level) -> Point {
        self.0.posterior(x, at).eps.mix(-1.0 / at.sigma, &data().posterior(x, at).eps, 1.0 / at.sigma)
    }
}

/// `log p(y | x)`, by the densities of the components.
fn log_share(k: usize, x: Point, Level { alpha, sigma, .. }: Level) -> f64 {
    let density = |weight: f64, mean: Point, std: f64| {
        let variance = (alpha * std).powi(2) + sigma * sigma;
        let distance = (x[0] - alpha * mean[0]).powi(2) + (x[1] - alpha * mean[1]).powi(2);
        weight / variance * (-0.5 * distance / variance).exp()
    };
    let first = density(1.0, [1.5, 1.0], 0.5);
    let others = density(2.0, [-1.5, 0.5], 0.3) + density(0.5, [0.5, -2.0], 0.8);
    ([first, others][k] / (first + others)).ln()
}

#[test]
fn the_exact_gradient_is_that_of_the_posterior() {
    for at in [(0.8, 0.6), (0.3, 0.7), (0.01, 1.0)].map(level) {
        for k in [0, 1] {
            let h = 1e-5;
            let slope =
                |d: Point| (log_share(k, X.mix(1.0, &d, h), at) - log_share(k, X.mix(1.0, &d, -h), at)) / (2.0 * h);
            // A central difference errs by h^2 times the third derivative, and by rounding over h.
            near(Exact(class(k)).gradient(&X, at), [slope([1.0, 0.0]), slope([0.0, 1.0])], 1e-8);
        }
    }
}

#[test]
fn an_exact_classifier_makes_the_conditional_model() {
    for at in LEVELS.map(level) {
        for k in [0, 1] {
            let guided = ClassifierGuided { model: data(), classifier: Exact(class(k)), scale: 1.0 };
            // In almost pure noise the gradient is divided by alpha.
            near(guided.denoise(&X, at), class(k).denoise(&X, at), 1e-13 / at.alpha);
            let (got, expected) = (guided.estimate(&X, at), class(k).estimate(&X, at));
            near(got.x0, expected.x0, 1e-13 / at.alpha);
            near(got.eps, expected.eps, 1e-12);
            let twice = ClassifierGuided { scale: 2.0, ..guided };
            near(twice.denoise(&X, at), expected.x0.mix(2.0, &data().denoise(&X, at), -1.0), 1e-12 / at.alpha);
        }
    }
    let pure = Level { t: 0.0, alpha: 0.0, sigma: 1.0 };
    let guided = ClassifierGuided { model: data(), classifier: Exact(class(0)), scale: 1.0 };
    near(guided.denoise(&X, pure), data().denoise(&X, pure), 0.0);
}

#[test]
fn clipping_leaves_the_noise_or_makes_it_agree() {
    let at = level(LEVELS[0]);
    let (model, clip) = (data(), Clip::Range { low: -0.2, high: 0.1 });
    let raw = model.estimate(&X, at);
    let x0 = raw.x0.clamp(-0.2, 0.1);
    assert!(x0 != raw.x0);
    let kept = Clipped { model: model.clone(), clip, use_clipped_model_output: false };
    assert_eq!(kept.denoise(&X, at), x0);
    assert_eq!(kept.estimate(&X, at), Estimate { x0, ..raw });
    let agreeing = Clipped { model, clip, use_clipped_model_output: true };
    assert_eq!(agreeing.estimate(&X, at), Estimate::of_x0(&X, x0, at));
}

/// Against numbers made with `numpy.quantile(abs(v), p)`.
#[test]
fn quantiles_are_numpys() {
    let v = [0.5, -3.0, 2.0, -1.0, 0.0];
    for (p, expected) in [(0.0, 0.0), (0.25, 0.5), (0.3, 0.6), (0.5, 1.0), (0.9, 2.6), (0.995, 2.98), (1.0, 3.0)] {
        let got = v.quantile_of_magnitudes(p);
        assert!(got.iter().all(|q| (q - expected).abs() < 1e-14), "{p}: {got:?}");
    }
}

#[test]
fn dynamic_thresholding_divides_by_the_quantile() {
    let threshold = |x0: [f64; 5], ratio, most| {
        let model = move |_: &[f64; 5], _: Level| x0;
        let clip = Clip::Dynamic { ratio, most };
        Clipped { model, clip, use_clipped_model_output: false }.denoise(&x0, level(LEVELS[0]))
    };
    let same = |a: [f64; 5], b: [f64; 5]| assert!(a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-15), "{a:?}, {b:?}");
    let wild = [0.5, -3.0, 2.0, -1.0, 0.0];
    same(threshold(wild, 0.9, 10.0), [0.5 / 2.6, -1.0, 2.0 / 2.6, -1.0 / 2.6, 0.0]);
    // At most `most`; and at least 1, which is plain clipping.
    same(threshold(wild, 0.9, 1.5), [0.5 / 1.5, -1.0, 1.0, -1.0 / 1.5, 0.0]);
    same(threshold(wild, 0.2, 10.0), [0.5, -1.0, 1.0, -1.0, 0.0]);
    let tame = [0.1, -0.9, 0.3, 0.0, 1.0];
    same(threshold(tame, 0.995, 10.0), tame);
}

/// Where `sampler` ends on the way down `grid` from `start`.
fn end_of(sampler: &str, model: &dyn Denoiser<Point>, start: Point, grid: &Grid) -> Point {
    let row = method::<Point>(sampler).expect("a row");
    let (schedule, mut noise) = (Flow { t_max: 1.0 }, Draws(TorchGenerator::new(3)));
    let sample = row.on_grid().expect("it takes the steps of a grid");
    let schedule: &dyn NoiseSchedule = &schedule;
    let run = Run::new(start, grid, schedule, model, &mut noise);
    sample(run).last().expect("a step").x
}

struct Draws(TorchGenerator);

impl Noise<Point> for Draws {
    fn normal(&mut self, _: &Point) -> Point {
        [0, 1].map(|_| self.0.randn_f64(1)[0])
    }
}

/// The first step of DDIM on CFG++: the guided picture, the unguided noise.
#[test]
fn ddim_steps_on_both_halves_of_cfg_plus_plus() {
    with_models(Guidance { kind: GuidanceKind::CfgPlusPlus, ..Guidance::plain(0.6) }, |guided, [yes, no, _], from| {
        let to = Level { t: 0.0, alpha: 1.0, sigma: 0.5 * from.nsr() };
        let grid = Grid::new(vec![from, to]).expect("falling");
        let x0 = no.x0.mix(0.4, &yes.x0, 0.6);
        // Rounding of the noise is divided by the sigma it came from.
        near(end_of("ddim", guided, X, &grid), x0.mix(1.0, &no.eps, to.sigma), 1e-12 * (1.0 + to.sigma / from.sigma));
    });
}
