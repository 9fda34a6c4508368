use super::*;
use crate::math::schedule::tests::all;
use crate::math::{Discrete, Flow, Schedule};
use proptest::prelude::*;

const KARRAS: Spacing = Spacing::Karras { rho: Spacing::RHO };

fn linear() -> Discrete {
    Discrete::linear(1e-4, 0.02, 1000).unwrap()
}

fn times(spacing: Spacing, schedule: &impl NoiseSchedule, steps: usize) -> Vec<f64> {
    let grid = spacing.grid(schedule, steps).unwrap();
    grid.levels()[..steps].iter().map(|level| level.t).collect()
}

/// One of each kind, and those with parameters at the ends of their ranges too; typed lists suit one schedule only.
fn computed() -> Vec<Spacing> {
    let extremes = [
        "karras:0.1",
        "karras:100",
        "polyexponential:0.25",
        "polyexponential:4",
        "beta:0.25,0.25",
        "beta:0.25,10",
        "beta:10,0.25",
        "beta:10,10",
        "shifted:0.01",
        "shifted:100",
        "align-your-steps:sdxl",
        "align-your-steps:svd",
        "blend:karras:0.1,trailing,0",
        "blend:karras:100,shifted:100,0.5",
        "blend:linspace,beta:10,0.25,0.999",
        "blend:leading,trailing,0.001",
        "drawn:1,0.999",
        "drawn:0.001,0",
        "drawn:1,0.999,0.998,0.003,0.002,0.001,0",
    ];
    let extremes = extremes.map(|text| text.parse().unwrap());
    Spacing::ALL.into_iter().chain(extremes).filter(|spacing| spacing.steps().is_none()).collect()
}

fn assert_a_grid(spacing: &Spacing, name: &str, schedule: &Schedule, steps: usize) {
    // Grid::new holds that the levels are finite and fall strictly.
    let grid = spacing.grid(schedule, steps).unwrap_or_else(|e| panic!("{spacing} on {name}, {steps} steps: {e}"));
    assert_eq!(grid.steps(), steps);
    assert_eq!(grid.last(), Level::CLEAN);
    for level in &grid.levels()[..steps] {
        assert!((0.0..=schedule.t_max()).contains(&level.t), "{spacing} on {name}: {level:?}");
    }
    if steps == 1 {
        assert_eq!(grid.first(), schedule.level(schedule.t_max()), "{spacing} on {name}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    #[test]
    fn every_spacing_of_every_schedule_is_a_grid(steps in 1_usize..=1000) {
        for (name, schedule) in all() {
            computed().iter().for_each(|spacing| assert_a_grid(spacing, name, &schedule, steps));
        }
    }
}

#[test]
fn the_ends_of_the_step_range_are_grids_too() {
    for (name, schedule) in all() {
        for steps in [1, 2, 3, 334, 999, 1000] {
            computed().iter().for_each(|spacing| assert_a_grid(spacing, name, &schedule, steps));
        }
    }
}

#[test]
fn whole_timesteps_are_those_of_diffusers() {
    // DDPMScheduler.set_timesteps(7) and (3) with each timestep_spacing, diffusers 0.42.1.
    assert_eq!(times(Spacing::Linspace, &linear(), 7), [999.0, 832.0, 666.0, 500.0, 333.0, 166.0, 0.0]);
    assert_eq!(times(Spacing::Leading, &linear(), 7), [852.0, 710.0, 568.0, 426.0, 284.0, 142.0, 0.0]);
    assert_eq!(times(Spacing::Trailing, &linear(), 7), [999.0, 856.0, 713.0, 570.0, 428.0, 285.0, 142.0]);
    assert_eq!(times(Spacing::Trailing, &linear(), 3), [999.0, 666.0, 332.0]);
    // 937.5 would round to the even 938, but numpy's arange arrives a little below it.
    assert_eq!(times(Spacing::Trailing, &linear(), 48)[3], 936.0);
}

#[test]
fn continuous_times_are_uniform() {
    let flow = Flow::default();
    let near = |a: Vec<f64>, b: [f64; 4]| assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-12), "{a:?}");
    near(times(Spacing::Trailing, &flow, 4), [1.0, 0.75, 0.5, 0.25]);
    near(times(Spacing::Linspace, &flow, 4), [1.0, 0.667, 0.334, 0.001]);
    near(times(Spacing::Leading, &flow, 4), [0.75025, 0.5005, 0.25075, 0.001]);
}

#[test]
fn ratios_are_spaced_as_named() {
    let (most, least) = (linear().level(999.0).nsr(), linear().level(0.0).nsr());
    let differences = |spacing: Spacing, of: fn(f64) -> f64| {
        let grid = spacing.grid(&linear(), 5).unwrap();
        let visited: Vec<f64> = grid.levels()[..5].iter().map(|level| of(level.nsr())).collect();
        visited.windows(2).map(|w| w[0] - w[1]).collect::<Vec<_>>()
    };
    let all = |a: Vec<f64>, b: f64| assert!(a.iter().all(|a| (a - b).abs() < 1e-12), "{a:?}, not {b}");
    let root = |v: f64| v.powf(1.0 / 7.0);
    all(differences(KARRAS, root), (root(most) - root(least)) / 4.0);
    all(differences(Spacing::Exponential, f64::ln), (most.ln() - least.ln()) / 4.0);
    all(differences(Spacing::LogSnr, f64::ln), (most.ln() - least.ln()) / 5.0);
}

#[test]
fn a_blend_is_either_spacing_at_its_ends_and_between_them_elsewhere() {
    for (name, schedule) in all() {
        for (one, other) in [("karras", "trailing"), ("beta:0.5,0.7", "log-snr"), ("shifted:2", "drawn:1,0.3,0")] {
            let grid = |text: &str| text.parse::<Spacing>().unwrap().grid(&schedule, 12).unwrap();
            let blend = |weight: f64| grid(&format!("blend:{one},{other},{weight}"));
            let (first, second, mixed) = (grid(one), grid(other), blend(0.3));
            assert_eq!((blend(0.0), blend(1.0)), (first.clone(), second.clone()), "{one}, {other} on {name}");
            // The clean end has no ratio, and the noisiest of a flow has none either.
            for i in 1..12 {
                let [a, b, c] = [&first, &second, &mixed].map(|grid| grid.levels()[i].nsr().ln());
                // A table of levels is read back to its own precision.
                assert!((0.7 * a + 0.3 * b - c).abs() < 1e-9, "{one}, {other} on {name}, level {i}: {a} {b} {c}");
            }
        }
    }
}

#[test]
fn a_drawn_curve_passes_through_its_heights() {
    let (most, least) = (linear().level(999.0).nsr(), linear().level(0.0).nsr());
    let heights = [1.0, 0.7, 0.1, 0.0];
    let grid = Spacing::Drawn(heights.to_vec().into()).grid(&linear(), 7).unwrap();
    let got: Vec<f64> = grid.levels()[..7].iter().map(|l| (l.nsr() / least).ln() / (most / least).ln()).collect();
    let wanted = [1.0, 0.85, 0.7, 0.4, 0.1, 0.05, 0.0];
    assert!(got.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 1e-9), "{got:?}");
}

#[test]
fn an_infinite_ratio_is_capped_for_spacings_of_ratios_only() {
    for (spacing, first) in [(Spacing::Trailing, 1.0), (KARRAS, 0.999), (Spacing::LogSnr, 0.999)] {
        let sigma = spacing.grid(&Flow::default(), 10).unwrap().first().sigma;
        assert!((sigma - first).abs() < 1e-12, "{}: {sigma}", spacing.id());
    }
}

#[test]
fn too_few_and_too_many_steps_are_errors() {
    assert_eq!(KARRAS.grid(&linear(), 0), Err(GridError::TooShort(0)));
    let said = Spacing::Leading.grid(&linear(), usize::MAX).unwrap_err().to_string();
    assert!(said.contains("100000"), "{said}");
}

#[test]
fn ids_lead_back() {
    for spacing in Spacing::ALL {
        assert_eq!(Spacing::from_id(spacing.id()), Some(spacing));
    }
    assert_eq!(Spacing::from_id("Karras"), None);
}

/// Seven levels on DDPM's linear schedule by ComfyUI's formulas on its table of sigmas, in numpy and scipy at double
/// precision; `align-your-steps` by the authors' `loglinear_interp`, with the table's own ends.
#[test]
fn ratios_are_those_of_the_sources() {
    let ratios = |form: &str, steps: usize| -> Vec<f64> {
        let grid = form.parse::<Spacing>().unwrap().grid(&linear(), steps).unwrap();
        grid.levels()[..steps].iter().map(Level::nsr).collect()
    };
    near(&ratios("simple", 7), &SIMPLE);
    near(&ratios("normal", 7), &NORMAL);
    near(&ratios("sgm-uniform", 7), &SGM_UNIFORM);
    near(&ratios("ddim-uniform", 8), &DDIM_UNIFORM);
    near(&ratios("beta", 7), &BETA);
    near(&ratios("kl-optimal", 7), &KL_OPTIMAL);
    near(&ratios("karras", 7), &KARRAS_SIGMAS);
    near(&ratios("exponential", 7), &EXPONENTIAL);
    near(&ratios("polyexponential:2", 7), &POLYEXPONENTIAL);
    near(&ratios("linear-quadratic", 7), &LINEAR_QUADRATIC.map(|part| part * KL_OPTIMAL[0]));
    near(&AlignYourSteps::Sd1.stretched(14.6146412293, 0.0291671582, 8)[..7], &ALIGN_YOUR_STEPS);
    // `_convert_to_beta` of diffusers 0.42.1, a formula of its own: it takes the quantiles of the sigmas.
    near(&beta(KL_OPTIMAL[0], KL_OPTIMAL[6], 0.6, 0.6, 7), &BETA_OF_DIFFUSERS);
}

fn near(got: &[f64], expected: &[f64]) {
    let close = |(a, b): (&f64, &f64)| (a / b - 1.0).abs() < 1e-11;
    assert!(got.len() == expected.len() && got.iter().zip(expected).all(close), "{got:?}, not {expected:?}");
}

const SIMPLE: [f64; 7] = [
    157.40728081040757,
    41.50529572381967,
    13.298708319373755,
    5.1713763031593425,
    2.3525295953445498,
    1.1494128070547327,
    0.49198113208712274,
];
const NORMAL: [f64; 7] = [
    157.40728081040749,
    33.66342787751566,
    9.488920229525215,
    3.4335389568437975,
    1.4623566969975688,
    0.5856050622130804,
    0.010000500037502575,
];
const SGM_UNIFORM: [f64; 7] = [
    157.40728081040749,
    41.24919133788747,
    13.257427170153889,
    5.1669549162821005,
    2.3542516356232914,
    1.1519259381703622,
    0.4946346112794973,
];
const DDIM_UNIFORM: [f64; 8] = [
    49.027127082594454,
    17.511393756427594,
    7.279302438832972,
    3.461922711368531,
    1.8102238458273079,
    0.9631508027101938,
    0.4335330864098316,
    0.014830923708982587,
];
const BETA: [f64; 7] = [
    157.40728081040757,
    78.79296281366943,
    22.28009092291734,
    6.097201062002503,
    2.051379818470281,
    0.7989747579608089,
    0.24468065953645157,
];
const KL_OPTIMAL: [f64; 7] = [
    157.40728081040564,
    3.678623927345118,
    1.7284490261447985,
    1.0036539734844603,
    0.5834318274411053,
    0.2757615176692756,
    0.010000500037502575,
];
/// k-diffusion's formulas, which are also diffusers' `_convert_to_karras` and `_convert_to_exponential`.
const KARRAS_SIGMAS: [f64; 7] = [
    157.40728081040749,
    61.931675216697855,
    21.105410301025287,
    5.911208764768033,
    1.2463257094660056,
    0.1678541288171804,
    0.010000500037502566,
];
const EXPONENTIAL: [f64; 7] = [
    157.40728081040763,
    31.44302346501675,
    6.280927537350765,
    1.254651950800563,
    0.25062405326071,
    0.05006361806774232,
    0.010000500037502575,
];
const POLYEXPONENTIAL: [f64; 7] = [
    157.40728081040777,
    8.214993090111482,
    0.7334262121246251,
    0.11201404769507135,
    0.02926546261793905,
    0.01307992143153987,
    0.010000500037502575,
];
const LINEAR_QUADRATIC: [f64; 7] = [
    1.0,
    0.9916666666666667,
    0.9833333333333333,
    0.9749999999999999,
    0.9078124999999998,
    0.7229166666666662,
    0.42031249999999964,
];
const ALIGN_YOUR_STEPS: [f64; 7] = [
    14.6146412293,
    5.189446010101512,
    2.8369679700088386,
    1.7288996588663745,
    1.0714240518081375,
    0.6078477543163822,
    0.22914204814219852,
];
const BETA_OF_DIFFUSERS: [f64; 7] = [
    157.40728081040757,
    143.0075080065196,
    114.05797788068051,
    78.70864065522255,
    43.359303429764566,
    14.409773303925498,
    0.010000500037502575,
];

#[test]
fn a_table_of_ten_steps_is_as_it_was_published_on_its_own_schedule_and_stretched_on_others() {
    for table in AlignYourSteps::ALL {
        let [first, .., last] = table.ratios();
        near(&table.stretched(first, last, 11), &table.ratios());
        let stretched = table.stretched(first.powi(2), last.powi(2), 11);
        near(&stretched, &table.ratios().map(|ratio| ratio.powi(2)));
    }
}

#[test]
fn a_flow_is_shifted_as_in_diffusers() {
    // The sigmas of FlowMatchEulerDiscreteScheduler(shift=3) before it rounds them, u to 3 u / (1 + 2 u).
    let expected =
        [1.0, 0.9473684210526314, 0.8823529411764706, 0.8, 0.6923076923076922, 0.5454545454545454, 1.0 / 3.0];
    near(&times(Spacing::Shifted { shift: 3.0 }, &Flow::default(), 7), &expected);
    let plain = Spacing::Shifted { shift: 1.0 };
    assert_eq!(times(plain, &linear(), 48), times(Spacing::Trailing, &linear(), 48));
}

#[test]
fn timesteps_that_would_repeat_are_moved_to_the_next_free_one() {
    for steps in [500, 1000] {
        let visited = times("shifted:20".parse().unwrap(), &linear(), steps);
        assert!(visited.iter().all(|t| t.fract() == 0.0) && visited[0] == 999.0, "{visited:?}");
    }
    assert_eq!(times("beta:10,10".parse().unwrap(), &linear(), 1000)[998..], [1.0, 0.0]);
}

#[test]
fn typed_lists_are_taken_as_they_are() {
    let ratios = "custom:14.6,7,1,0.1".parse::<Spacing>().unwrap();
    let grid = ratios.grid(&linear(), 20).unwrap();
    assert_eq!(grid.steps(), 4);
    near(&grid.levels()[..4].iter().map(Level::nsr).collect::<Vec<_>>(), &[14.6, 7.0, 1.0, 0.1]);
    near(&times("custom-times:999,749.5,1".parse().unwrap(), &linear(), 3), &[999.0, 749.5, 1.0]);
    // Times beyond the end of this process are its end, so these are the same.
    let refused = "custom-times:999,749".parse::<Spacing>().unwrap().grid(&Flow::default(), 2);
    assert!(matches!(refused, Err(GridError::NotFalling { index: 1, .. })));
}
