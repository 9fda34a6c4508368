//! An autoencoder of a curve: what it keeps, what it cannot reach, and that diffusion of its latents ends with them.

use super::run::{distribution, pane, process};
use pollster::block_on;
use unnoise::denoise::ideal::Component;
use unnoise::lab::data;
use unnoise::lab::process::Kind;
use unnoise::lab::run::Stage;
use unnoise::lab::{Autoencoder, Cloud, CloudNoise, Distances, Distribution, Part, Process};
use unnoise::math::Level;

/// The data sets that lie along a curve.
const CURVES: [&str; 5] = ["moons", "spiral", "circles", "swiss-roll", "pinwheel"];

/// A line from (-2, 1) to (2, 1), as Gaussians of width 0.1.
fn line() -> Distribution {
    let part = |i: u32| {
        let mean = [-2.0 + 0.1 * f64::from(i), 1.0];
        Part { class: 0, component: Component { weight: 1.0, mean, std: 0.1 } }
    };
    Distribution::new(&(0..=40).map(part).collect::<Vec<_>>()).expect("a distribution")
}

fn rms(a: &Cloud, b: &Cloud) -> f64 {
    let squares = a.0.iter().zip(&b.0).map(|(a, b)| (a[0] - b[0]).powi(2) + (a[1] - b[1]).powi(2));
    (squares.sum::<f64>() / a.0.len() as f64).sqrt()
}

/// Where the decoded latents of a run end.
fn drawn(auto: &Autoencoder, process: &Process, (sampler, steps): (&str, usize), n: usize) -> Cloud {
    let stage = Stage { narrowest: auto.narrowest(), process, model: auto, seed: 3, eta: 1.0 };
    let z = CloudNoise::new(3).draw(n.div_ceil(2));
    let (z, _) = block_on(stage.end(&pane(sampler, steps), &z)).expect("it runs");
    auto.decoded(&z, n)
}

/// On a straight line everything is known: the latent is the place along it, the reconstruction leaves out what is across.
#[test]
fn a_line_is_encoded_by_the_place_along_it() {
    for std in [1.0, 0.3] {
        let auto = Autoencoder::new(&line(), std);
        // Evenly on (-2, 2) in steps of 0.1, and 0.1 wide: (4^2 + 2 * 4 * 0.1) / 12 is the variance of 41 places.
        let spread = (4.0 * 4.2 / 12.0 + 0.01_f64).sqrt();
        // Places are counted in parts that are a 256th of 4.6 long.
        assert!((auto.spread() - spread).abs() < 2e-3, "{} is not {spread}", auto.spread());
        assert!((auto.scale() * auto.spread() - std).abs() < 1e-12);
        let sign = auto.encode(&[1.0, 1.0]).signum();
        for x in [-2.2, -1.03, 0.0, 0.7, 2.1] {
            for y in [1.0, 1.3, -4.0] {
                let z = auto.encode(&[x, y]);
                assert!((z - sign * x * auto.scale()).abs() < 1e-6, "{x}, {y}: {z}");
                let [u, v] = auto.decode(z);
                assert!((u - x).abs() < 1e-12 && (v - 1.0).abs() < 1e-12, "{x}, {y}: {u}, {v}");
            }
        }
        // Beyond the curve's ends there is nothing: three widths after its last Gaussians.
        assert!((auto.decode(1e3)[0].abs() - 2.3).abs() < 1e-12);
        let data = line().draw(20_000, 1).x;
        // What lies across has the width 0.1; its root mean square is known to 0.5 %.
        assert!((auto.error(&data) / 0.1 - 1.0).abs() < 0.03, "{}", auto.error(&data));
        assert!((auto.error(&data) - rms(&data, &auto.reconstruct(&data))).abs() < 1e-12);
    }
}

#[test]
fn a_decoded_point_is_on_the_curve_and_is_kept() {
    for id in data::sets().iter().map(|set| set.id) {
        let auto = Autoencoder::new(&distribution(id), 1.0);
        let z: Vec<[f64; 2]> = (-60..60).map(|i| [0.05 * f64::from(i), 0.05 * f64::from(i) + 0.02]).collect();
        let points = auto.decoded(&Cloud(z), 240);
        assert_eq!(points.0.len(), 240);
        assert!(auto.error(&points) < 1e-9, "{id}: {}", auto.error(&points));
        let curve = auto.curve();
        assert!(auto.error(&curve) < 1e-9 && curve.0.iter().flatten().all(|v| v.is_finite()), "{id}");
    }
}

/// The curve goes along the data: what is off it is the width of the Gaussians across it.
#[test]
fn data_along_a_curve_lose_their_width_alone() {
    for id in CURVES {
        let distribution = distribution(id);
        let data = distribution.draw(4000, 1).x;
        let error = Autoencoder::new(&distribution, 1.0).error(&data) / distribution.narrowest();
        // Less where another part of the curve is nearer; the seams of circles are open by a Gaussian's distance.
        assert!((0.85..1.05).contains(&error), "{id}: {error}");
    }
    // A square of blobs is no curve.
    let distribution = distribution("four-gaussians");
    let error = Autoencoder::new(&distribution, 1.0).error(&distribution.draw(4000, 1).x) / distribution.narrowest();
    assert!(error > 0.6, "{error}");
}

#[test]
fn latents_have_the_mixture_and_unit_variance() {
    const N: usize = 4000;
    for id in CURVES {
        let distribution = distribution(id);
        let auto = Autoencoder::new(&distribution, 1.0);
        let mut z: Vec<f64> = distribution.draw(N, 1).x.0.iter().map(|x| auto.encode(x)).collect();
        let mean = z.iter().sum::<f64>() / N as f64;
        let variance = z.iter().map(|z| (z - mean).powi(2)).sum::<f64>() / N as f64;
        // Five standard errors of a distribution that is about even.
        assert!(
            mean.abs() < 5.0 / (N as f64).sqrt() && (variance - 1.0).abs() < 5.0 * (0.8 / N as f64).sqrt(),
            "{id}: {mean}, {variance}"
        );
        z.sort_by(f64::total_cmp);
        // Kolmogorov and Smirnov: above 2 / sqrt(N) in one of 1,500 samples of the right distribution.
        let parts = auto.latents().components();
        let total: f64 = parts.iter().map(|part| part.weight).sum();
        let below = |z: f64| {
            let share = |part: &Component<1>| 0.5 * libm::erfc((part.mean[0] - z) / (part.std * 2.0_f64.sqrt()));
            parts.iter().map(|part| part.weight * share(part)).sum::<f64>() / total
        };
        let apart = z.iter().enumerate().map(|(i, z)| (below(*z) - (i as f64 + 0.5) / N as f64).abs());
        let apart = apart.fold(0.0, f64::max);
        assert!(apart < 2.0 / (N as f64).sqrt(), "{id}: {apart}");
    }
}

/// Diffusion of the latents ends with the reconstructions of the data: in all that the decoder can show, nothing is left to be desired.
#[test]
fn diffusion_of_latents_ends_with_what_data_are_reconstructed_as() {
    const N: usize = 1500;
    for id in ["spiral", "moons"] {
        let distribution = distribution(id);
        for kind in [Kind::Linear, Kind::Flow] {
            let process = process(kind);
            let auto = Autoencoder::new(&distribution, 1.0);
            let wanted = auto.reconstruct(&distribution.draw(N, 1).x);
            let floor = Distances::between(&auto.reconstruct(&distribution.draw(N, 2).x), &wanted).energy;
            for sampler in ["ode", "ddpm"] {
                let got = Distances::between(&drawn(&auto, &process, (sampler, 100), N), &wanted).energy;
                // Twice the distance that other data has from these, and what a hundred steps cost.
                assert!(got < 2.0 * floor + 0.01, "{sampler} on {id}: {got}, floor {floor}");
            }
        }
    }
}

/// Why latents are scaled: these processes are made for data of unit variance. Narrower latents are lost in the noise for most of the
/// steps, and wider ones are not reached from a normal distribution.
#[test]
fn few_steps_go_furthest_at_unit_variance() {
    const N: usize = 1500;
    for id in ["spiral", "moons"] {
        let distribution = distribution(id);
        let wanted = distribution.draw(N, 1).x;
        for kind in [Kind::Cosine, Kind::Flow] {
            let process = process(kind);
            let [narrow, unit, wide] = [0.1, 1.0, 10.0].map(|std| {
                let auto = Autoencoder::new(&distribution, std);
                Distances::between(&drawn(&auto, &process, ("ddim", 12), N), &wanted).energy
            });
            assert!(narrow > 3.0 * unit && wide > 3.0 * unit, "{id}: {narrow}, {unit}, {wide}");
        }
    }
}

#[test]
fn the_denoiser_of_pairs_is_that_of_each_latent() {
    let auto = Autoencoder::new(&distribution("moons"), 1.0);
    let at = Level { t: 0.0, alpha: 0.8, sigma: 0.6 };
    let z = [[-1.5, 0.2], [0.7, 3.0]];
    let got = unnoise::denoise::Denoiser::denoise(&auto, &Cloud(z.to_vec()), at);
    for (got, z) in got.0.iter().flatten().zip(z.iter().flatten()) {
        assert_eq!(*got, auto.latents().posterior(&[*z], at).x0[0]);
    }
}

#[test]
fn the_picture_of_latents_and_levels_holds_both() {
    let (auto, process) = (Autoencoder::new(&distribution("spiral"), 1.0), process(Kind::Linear));
    let landscape = auto.landscape(&process, 40);
    assert_eq!(landscape.len(), 1600);
    for row in landscape.chunks(40) {
        assert_eq!(row.iter().copied().fold(f32::NEG_INFINITY, f32::max), 0.0);
    }
    // Noise is a bell whose middle is the top; data along a curve are even up to its ends.
    assert!(
        landscape[0] < -3.0 && landscape[20] > -0.1 && landscape[1560 + 12] > -0.1 && landscape[1560 + 3] < -50.0,
        "{:?}",
        &landscape[1560..]
    );
    for clock in [0.0, 0.4, 1.0] {
        let at = process.level(clock);
        let places = auto.placed(&Cloud(vec![[at.alpha, -at.alpha]]), 2, (&process, at));
        assert_eq!(places.0[0][0], -places.0[1][0]);
        assert!(places.0.iter().all(|[x, y]| x.abs() < 1.0 && (y - (2.0 * clock - 1.0)).abs() < 1e-12), "{places:?}");
    }
}

/// In few steps a sampler in the plane leaves the curve, where the one in the latent cannot.
#[test]
fn few_steps_in_the_plane_go_astray() {
    const N: usize = 1500;
    let (distribution, process) = (distribution("spiral"), process(Kind::Cosine));
    let auto = Autoencoder::new(&distribution, 1.0);
    let data = auto.astray(&distribution.draw(20_000, 1).x);
    // One of 370 on a straight line, and five standard errors.
    assert!((data - 1.0 / 370.0).abs() < 5.0 * (1.0 / 370.0 / 20_000.0_f64).sqrt(), "{data}");
    let stage = Stage {
        narrowest: distribution.narrowest(),
        process: &process,
        model: distribution.mixture(),
        seed: 3,
        eta: 1.0,
    };
    let (x, _) = block_on(stage.end(&pane("ddim", 8), &CloudNoise::new(3).draw(N))).expect("it runs");
    assert!(auto.astray(&x) > 0.03, "{}", auto.astray(&x));
    assert_eq!(auto.astray(&drawn(&auto, &process, ("ddim", 8), N)), 0.0);
}
