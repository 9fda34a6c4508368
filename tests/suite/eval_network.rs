//! Networks as measures see them: read back in batches, and differentiated.
#![cfg(all(feature = "autodiff", feature = "cpu"))]

use pollster::block_on;
use std::path::Path;
use unnoise::backend::{self, Backend};
use unnoise::eval::{Control, Differentiable, Likelihood, Pictures, Probes, PulledBack, Readable, standard_normal};
use unnoise::math::{NoiseSchedule, TorchGenerator};
use unnoise::pipeline::Pipeline;

fn with_network(test: impl Fn(&Pipeline, &Pictures)) {
    let device = block_on(backend::open(Backend::Cpu)).expect("the CPU backend is compiled in").device;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/selftest");
    let model = Pipeline::from_dir(&folder, &device).expect("it loads");
    test(&model, &Pictures::new(&model, Some(1), &device).expect("class 1 of 3"));
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// `v^T J w` against the difference of two estimates along `w`. The weights are random, so the Jacobian is nowhere small.
#[test]
fn the_derivative_is_that_of_differences() {
    with_network(|model, network| {
        let n = network.dimensions();
        let mut generator = TorchGenerator::new(5);
        let mut draw = || generator.randn_f64(n);
        let (x, w, probes) = (draw(), draw(), [draw(), draw(), draw()]);
        for t in [20.0, 400.0] {
            let at = model.schedule.level(t);
            let PulledBack { x0, products } = network.pull_back(&x, at, &probes).expect("the CPU does not fail");
            let whole = network.denoise(&x, at).expect("the CPU does not fail");
            assert!(x0.iter().zip(&whole).all(|(a, b)| (a - b).abs() < 1e-5), "one estimate");
            // Wide enough that single precision leaves three digits of the difference.
            let h = 1e-2;
            let moved = |h: f64| {
                let x: Vec<f64> = x.iter().zip(&w).map(|(x, w)| x + h * w).collect();
                network.denoise(&x, at).expect("the CPU does not fail")
            };
            let (ahead, behind) = (moved(h), moved(-h));
            for (v, product) in probes.iter().zip(&products) {
                let (slope, measured) = (dot(product, &w), (dot(v, &ahead) - dot(v, &behind)) / (2.0 * h));
                println!("t {t}: {slope:.4}, by differences {measured:.4}");
                assert!((slope - measured).abs() < 5e-3 * (1.0 + slope.abs()), "{slope} {measured}");
            }
        }
    });
}

#[test]
fn a_batch_is_its_pictures_one_by_one() {
    with_network(|model, network| {
        let n = network.dimensions();
        let x = TorchGenerator::new(6).randn_f64(3 * n);
        let at = model.schedule.level(300.0);
        let together = network.denoise(&x, at).expect("the CPU does not fail");
        for (x, expected) in x.chunks_exact(n).zip(together.chunks_exact(n)) {
            let alone = network.denoise(x, at).expect("the CPU does not fail");
            assert!(alone.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-5));
        }
    });
}

/// All unit vectors give the divergence itself; signs agree with it within their standard error.
#[test]
fn a_network_has_a_likelihood() {
    with_network(|model, network| {
        let n = network.dimensions();
        let y: Vec<f64> = TorchGenerator::new(8).rand_f64(n).into_iter().map(|u| 2.0 * u - 1.0).collect();
        let full = Likelihood::new(&model.schedule, Control::Steps(1));
        // A short stretch in the middle, where the divergence is not trivial and one step is enough.
        let run = Likelihood { from: 0.3, to: 1.0, ..full };
        let measure = |probes: &Probes| run.log_density(network, &y, probes, standard_normal, &mut |_| {});
        let exact = measure(&Probes::Exact).expect("the CPU does not fail");
        let guess = measure(&Probes::rademacher(1, 32, n)).expect("the CPU does not fail");
        let (off, error) = (guess.nats() - exact.nats(), guess.standard_error().expect("32 probes"));
        println!("ln p {:.3}, off by {off:.3} with a standard error of {error:.3}", exact.nats());
        assert_eq!(exact.evaluations, 7);
        assert!(off.abs() < 4.0 * error && error < 5.0, "{off} {error}");
    });
}

#[test]
fn labels_are_checked() {
    with_network(|model, _| {
        let device = block_on(backend::open(Backend::Cpu)).expect("the CPU backend is compiled in").device;
        let said = |label| Pictures::new(model, label, &device).err().map(|e| e.to_string()).unwrap_or_default();
        assert!(said(Some(3)).contains("has 3 classes"), "{}", said(Some(3)));
        assert!(said(None).contains("name a class"));
        assert_eq!(said(Some(2)), "");
    });
}
