//! What walks in the laboratory: the samplers, the forward chain and annealing.

use unnoise::denoise::ideal::Component;
use unnoise::denoise::{ClassifierGuided, Denoiser, Guided, Mixture};
use unnoise::lab::data::set;
use unnoise::lab::process::Kind;
use unnoise::lab::settings::Cooling;
use unnoise::lab::{
    Annealing, Asked, Cloud, CloudNoise, Curve, Deepest, Distances, Distribution, Energy, Part, Process, Settings,
    Towards, chain, closed_form,
};
use unnoise::math::Latent;
use unnoise::samplers::{Method, Run, Stepping, method, methods};
use unnoise::settings::Linked;

fn process(kind: Kind) -> Process {
    Process::new(kind, &Curve::default()).expect("a process")
}

/// Where a method takes the same noise as any other.
fn end(
    method: &Method<Cloud>,
    model: &dyn Denoiser<Cloud>,
    process: &Process,
    steps: usize,
    particles: usize,
) -> Cloud {
    let grid = process.grid(steps).expect("a grid");
    let mut noise = CloudNoise::new(4);
    let start = noise.draw(particles).scale(grid.first().marginal_std());
    let run = Run::new(start, &grid, process.schedule(), model, &mut noise);
    match &method.stepping {
        Stepping::Grid(sampler) => sampler(run).last().expect("a step").x,
        Stepping::Adaptive(sampler) => {
            let (mut walk, mut x) = (sampler(run), Cloud::default());
            while let Some(error) = walk.attempt() {
                if let Some(step) = walk.judge(error.rms().0[0][0]).expect("a step is short enough") {
                    x = step.x;
                }
            }
            x
        }
    }
}

/// The energy distance of clouds of `n` and `m` points from one distribution has the mean `(1/n + 1/m) E|X - X'|`. Five times that leaves room
/// for its scatter, and for what 50 steps of the coarsest methods are off by: those that take estimates for points.
#[test]
fn every_sampler_lands_on_the_four_gaussians() {
    const N: usize = 1000;
    let distribution = set("four-gaussians").expect("a row").distribution();
    let data = distribution.draw(10 * N, 8).x;
    let (one, other) = data.0.split_at(5 * N);
    let apart = one.iter().zip(other).map(|(x, y)| (x[0] - y[0]).hypot(x[1] - y[1])).sum::<f64>() / (5 * N) as f64;
    let allowed = 5.0 * (1.0 / N as f64 + 0.1 / N as f64) * apart;
    for method in methods::<Cloud>() {
        for kind in [Kind::Linear, Kind::Flow] {
            let Distances { sliced_wasserstein, energy } =
                Distances::between(&end(&method, distribution.mixture(), &process(kind), 50, N), &data);
            assert!(energy < allowed, "{} on {kind:?}: {energy}, allowed {allowed}", method.id);
            // Its squares tell a few points that went astray.
            assert!(sliced_wasserstein < 0.3, "{} on {kind:?}: {sliced_wasserstein}", method.id);
        }
    }
    let noise = Distances::between(&CloudNoise::new(4).draw(N), &data).energy;
    assert!(noise > 20.0 * allowed, "{noise}");
}

/// At scale 1 both kinds of guidance end at the distribution of the class; beyond it the points lie where the classifier is surer.
#[test]
fn guidance_leads_to_the_class_and_beyond_it_to_where_it_is_sure() {
    const N: usize = 1000;
    let (distribution, class) = (set("circles").expect("a row").distribution(), 0);
    let asked = Asked::new(&distribution, class).expect("a class");
    let heun = method("heun").expect("a row");
    let process = process(Kind::Cosine);
    let free = |scale: f64| end(&heun, &Guided { model: asked, guidance: scale.into() }, &process, 50, N);
    let by_classifier = |scale| {
        let model = ClassifierGuided { model: distribution.mixture().clone(), classifier: asked, scale };
        end(&heun, &model, &process, 50, N)
    };
    let only = |class| {
        Distribution::new(&parts_of(distribution.only(class).expect("a class"))).expect("a distribution").draw(N, 2).x
    };
    let [own, other] = [class, 1].map(only);
    for x in [free(1.0), by_classifier(1.0)] {
        let (near, far) = (Distances::between(&x, &own).energy, Distances::between(&x, &other).energy);
        // The mean distance of two such clouds is 2 / N of that of two points, which is less than 2.
        assert!(near < 5.0 * 4.0 / N as f64 && far > 10.0 * near, "{near} from the class, {far} from the other");
    }
    let sure = |x: &Cloud| {
        let here = distribution.at(process.level(0.2));
        x.0.iter().map(|x| here.log_posterior(class, x)).sum::<f64>() / N as f64
    };
    let scales = [0.0, 1.0, 4.0].map(|scale| sure(&free(scale)));
    assert!(scales[0] < scales[1] && scales[1] < scales[2], "{scales:?}");
}

fn parts_of(distribution: &Mixture<2>) -> Vec<Part> {
    distribution.components().iter().map(|component| Part { class: 0, component: *component }).collect()
}

/// Mean and variance of the chain's points against those of one step, level by level.
#[test]
fn the_chain_and_the_closed_form_have_the_same_marginals() {
    const N: usize = 20_000;
    let distribution = set("moons").expect("a row").distribution();
    let start = distribution.draw(N, 0).x;
    for (_, kind) in Kind::ALL {
        let process = process(kind);
        let mut noise = CloudNoise::new(1);
        let frames: Vec<_> = chain(&process, start.clone(), 12, &mut noise).collect();
        assert_eq!(frames.len(), 13);
        assert_eq!(frames[0].1, start);
        for (step, (at, walked)) in frames.iter().enumerate().skip(1) {
            assert!((process.clock(*at) - step as f64 / 12.0).abs() < 1e-12);
            let jumped = closed_form(&start, *at, 77);
            for i in 0..2 {
                let [(mean, variance), (other, spread)] = [walked, &jumped].map(|cloud| moments(cloud, i));
                // Both are samples: five standard errors of a difference of means, and of variances.
                let size = (N as f64).sqrt();
                assert!(
                    (mean - other).abs() < 5.0 * (2.0 * variance).sqrt() / size,
                    "{kind:?} {step}: {mean}, {other}"
                );
                assert!((variance / spread - 1.0).abs() < 5.0 * 2.0 / size, "{kind:?} {step}: {variance}, {spread}");
            }
        }
        // Every step has noise of its own: what two steps added is not the same.
        let added = |k: usize| frames[k + 1].1.mix(1.0, &frames[k].1, -frames[k + 1].0.alpha / frames[k].0.alpha);
        let (a, b) = (added(5), added(6));
        let product = a.times(&b).mean().0[0][0] / (a.rms().0[0][0] * b.rms().0[0][0]);
        assert!(product.abs() < 5.0 / (2.0 * N as f64).sqrt(), "{kind:?}: {product}");
    }
}

fn moments(cloud: &Cloud, i: usize) -> (f64, f64) {
    let n = cloud.0.len() as f64;
    let mean = cloud.0.iter().map(|p| p[i]).sum::<f64>() / n;
    (mean, cloud.0.iter().map(|p| (p[i] - mean).powi(2)).sum::<f64>() / n)
}

/// Four valleys near each other, one a little deeper.
fn hilly() -> Distribution {
    let part = |class, x, y, weight| Part { class, component: Component { weight, mean: [x, y], std: 0.5 } };
    Distribution::new(&[
        part(0, 1.0, 1.0, 3.0),
        part(1, -1.0, 1.0, 1.0),
        part(2, -1.0, -1.0, 1.0),
        part(3, 1.0, -1.0, 1.0),
    ])
    .expect("a distribution")
}

fn cooling(line: &str) -> Cooling {
    let mut settings = Settings::default();
    Settings::row("temperature").expect("a row").set(&mut settings, &line.into()).expect("a cooling curve");
    settings.cooling
}

/// At temperature 1 the chains sample the distribution, at 2 its root.
#[test]
fn metropolis_samples_the_law_at_its_temperature() {
    const N: usize = 4000;
    let distribution = set("one-gaussian").expect("a row").distribution();
    let energy = Energy::new(&distribution, None);
    for temperature in [1.0, 2.0, 0.25] {
        let cooling = cooling(&format!("{temperature}_{temperature}_300"));
        let start = CloudNoise::new(3).draw(N);
        let frames: Vec<_> = Annealing::new(&energy, &cooling, 300, start, 0).collect();
        let last = frames.last().expect("a step");
        for (i, centre) in [1.5, 1.0].into_iter().enumerate() {
            let (mean, variance) = moments(&last.x, i);
            let expected = 0.75 * 0.75 * temperature;
            assert!((mean - centre).abs() < 5.0 * (expected / N as f64).sqrt(), "{temperature}: {mean}");
            assert!((variance / expected - 1.0).abs() < 5.0 * (2.0 / N as f64).sqrt(), "{temperature}: {variance}");
        }
        assert!((0.3..0.9).contains(&last.taken), "{temperature}: {} taken", last.taken);
    }
}

#[test]
fn slow_cooling_reaches_the_deepest_valley_more_often() {
    const N: usize = 1000;
    let distribution = hilly();
    let energy = Energy::new(&distribution, None);
    let (cooling, deepest) = (cooling("8_0.05_2000"), Deepest::of(&energy));
    let start = CloudNoise::new(0).draw(N).scale(2.0);
    let run = |steps: usize| -> Vec<_> { Annealing::new(&energy, &cooling, steps, start.clone(), 5).collect() };
    let (slow, fast) = (run(2000), run(200));
    let share = |frames: &[unnoise::lab::Cooled]| deepest.share(&frames.last().expect("a step").x);
    // Five standard errors of a difference of shares.
    assert!(share(&slow) > share(&fast) + 5.0 * (0.5 / N as f64).sqrt());
    assert_eq!((slow.len(), fast.len()), (2000, 200));
    assert!((slow[0].temperature - 8.0).abs() < 1e-9 && (slow[1999].temperature - 0.05).abs() < 1e-9);
    assert!((fast[199].temperature - 0.05).abs() < 1e-9);
    // Cold chains lie on the floors, and still move.
    assert!(slow[1999].taken > 0.3, "{} taken", slow[1999].taken);
    assert!(slow[1999].energy < slow[0].energy && slow[1999].energy < 3.0, "{}", slow[1999].energy);
}

#[test]
fn the_deepest_valley_is_the_one_of_the_largest_share_or_of_the_class_asked_for() {
    let quarters = [[1.0, 1.0], [-1.0, 1.0], [-1.0, -1.0], [1.0, -1.0]].map(|x| Cloud(vec![x, x.map(|v| 1.3 * v)]));
    let shares = |energy: &Energy| quarters.each_ref().map(|x| Deepest::of(energy).share(x));
    let distribution = hilly();
    assert_eq!(shares(&Energy::new(&distribution, None)), [1.0, 0.0, 0.0, 0.0]);
    // Alike classes have alike valleys, until one is asked for.
    let four = set("four-gaussians").expect("a row").distribution();
    assert_eq!(shares(&Energy::new(&four, None)), [1.0; 4]);
    assert_eq!(shares(&Energy::new(&four, Some(Towards { class: 2, scale: 0.1 }))), [0.0, 0.0, 1.0, 0.0]);
}
