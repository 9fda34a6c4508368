//! Models of every process that a folder can name, from its files to pictures and measures. The weights are random: what is
//! held is the conditioning time of the network, and that every sampler, schedule and measure gets along with the process.
#![cfg(all(feature = "autodiff", feature = "cpu"))]

use burn::tensor::{Device, Tensor};
use futures_util::TryStreamExt;
use pollster::block_on;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use unnoise::backend::{self, Backend};
use unnoise::denoise::Prediction;
use unnoise::eval::{Control, Decoder, Likelihood, Pictures, Probes, Variance, bound, standard_normal};
use unnoise::math::{NoiseSchedule, Schedule, Spacing, TorchGenerator};
use unnoise::pipeline::{Condition, Memory, Pipeline};
use unnoise::samplers::methods;
use unnoise::session::{Frame, Given, SessionError};
use unnoise::settings::Settings;

fn device() -> Device {
    block_on(backend::open(Backend::Cpu)).expect("the CPU backend is compiled in").device
}

/// The model of the network `tests/golden/unet_variants/<network>` and this scheduler config. Clipping keeps an untrained
/// network within bounds.
fn model(network: &str, scheduler: &Value, device: &Device) -> Pipeline {
    let unet = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/unet_variants").join(network).join("unet");
    let read = |path: &str| fs::read(unet.join(path)).expect("readable");
    let files = [
        ("unet/config.json", read("config.json")),
        ("unet/diffusion_pytorch_model.safetensors", read("diffusion_pytorch_model.safetensors")),
        ("scheduler/scheduler_config.json", scheduler.to_string().into_bytes()),
        ("unnoise.json", json!({"range": [-1.0, 1.0], "clip_denoised": true}).to_string().into_bytes()),
    ];
    let files = Memory(files.into_iter().map(|(path, bytes)| (path.to_owned(), bytes)).collect());
    block_on(Pipeline::open(&files, device)).expect("it loads")
}

/// A model of each process that is not the table of betas that `tests/suite/session.rs` runs, by name.
fn kinds(device: &Device) -> Vec<(&'static str, Pipeline)> {
    let ve = json!({"_class_name": "ScoreSdeVeScheduler", "num_train_timesteps": 2000, "sigma_min": 0.01,
        "sigma_max": 50.0, "snr": 0.15, "correct_steps": 1, "sampling_eps": 1e-5});
    let flow = json!({"_class_name": "FlowMatchEulerDiscreteScheduler", "num_train_timesteps": 1000, "shift": 1.0});
    let zero_snr = json!({"_class_name": "DDIMScheduler", "num_train_timesteps": 1000, "beta_schedule": "scaled_linear",
        "beta_start": 0.00085, "beta_end": 0.012, "prediction_type": "v_prediction", "rescale_betas_zero_snr": true,
        "timestep_spacing": "trailing", "set_alpha_to_one": true, "clip_sample": true});
    let of = |network, scheduler| model(network, &scheduler, device);
    vec![
        ("variance exploding", of("fourier", ve)),
        ("flow", of("heads-of-8", flow)),
        ("zero terminal SNR", of("heads-of-8", zero_snr)),
    ]
}

fn values(tensor: Tensor<4>) -> Vec<f32> {
    block_on(backend::read(tensor)).expect("the CPU does not fail")
}

fn frames(model: &Pipeline, settings: &Settings) -> Result<Vec<Frame>, SessionError> {
    block_on(model.frames(settings, Given::default()).try_collect())
}

fn settings() -> Settings {
    Settings { steps: 4, images: 1, seed: 40, ..Settings::default() }
}

#[test]
fn the_conditioning_time_is_that_of_diffusers() {
    let device = device();
    for (name, model) in kinds(&device) {
        let (t, expected, prediction) = match &model.schedule {
            Schedule::Ve(_) => (0.5, (0.01f64 * 50.0).sqrt(), Prediction::Score),
            Schedule::Flow(_) => (250.0, 250.0, Prediction::Flow),
            _ => (999.0, 999.0, Prediction::Velocity),
        };
        let [channels, height, width] = model.shape();
        let x = Tensor::ones([1, channels, height, width], &device);
        let at = model.schedule.level(t);
        assert_eq!(model.prediction, prediction, "{name}");
        assert_eq!(
            values(model.output(x.clone(), &[at], &Condition::Nothing)),
            values(model.network.unet2d().expect("a network of pictures").forward(x, &[expected], None)),
            "{name} at {at:?}"
        );
    }
}

#[test]
fn a_run_starts_from_noise_as_strong_as_the_process_has() {
    let device = device();
    for (name, model) in kinds(&device) {
        let start = frames(&model, &Settings { images: 16, ..settings() }).expect(name).remove(0);
        let sigma = if matches!(model.schedule, Schedule::Ve(_)) { 50.0 } else { 1.0 };
        assert!((start.level.sigma - sigma).abs() < 1e-12, "{name}: {:?}", start.level);
        let rms = (start.x.iter().map(|v| f64::from(v * v)).sum::<f64>() / start.x.len() as f64).sqrt();
        // Four standard errors of the deviation of that many normal numbers.
        let error = 4.0 / (2.0 * start.x.len() as f64).sqrt();
        assert!((rms / start.level.marginal_std() - 1.0).abs() < error, "{name}: {rms}");
    }
}

#[test]
fn every_sampler_makes_a_picture() {
    let device = device();
    let mut outside = Vec::new();
    for (name, model) in kinds(&device) {
        for method in methods::<f64>() {
            let settings = Settings { sampler: method.id.to_owned(), ..settings() };
            let frames = frames(&model, &settings).unwrap_or_else(|e| panic!("{} on {name}: {e}", method.id));
            let last = frames.last().expect("frames");
            assert_eq!((last.done, last.level.sigma), (1.0, 0.0), "{} on {name}", method.id);
            // The clean picture is an estimate, which is clipped; the boundary conditions of consistency models add a share of
            // x_t to it. No untrained network gives a grey one.
            let clipped = method.id != "lcm-boundary";
            outside.extend((clipped && last.x.iter().any(|v| v.abs() > 1.0)).then_some((method.id, name)));
            assert!(last.x.iter().any(|v| (v - last.x[0]).abs() > 0.01), "{} on {name} is flat", method.id);
        }
    }
    assert_eq!(outside, [], "samples leave the range");
}

#[test]
fn every_schedule_makes_a_picture() {
    let device = device();
    for (name, model) in kinds(&device) {
        for schedule in Spacing::ALL {
            // The listed times are not those of this process.
            if matches!(schedule, Spacing::CustomTimes(_)) && model.schedule.t_max() < 999.0 {
                continue;
            }
            let mut settings = Settings { schedule: schedule.into(), ..settings() };
            settings.fit_schedule();
            let frames = frames(&model, &settings).unwrap_or_else(|e| panic!("{name}: {e}"));
            assert_eq!(frames.len(), settings.steps + 1, "{} on {name}", settings.schedule);
        }
    }
}

/// One sampler of each family.
#[test]
fn a_picture_does_not_depend_on_the_pictures_beside_it() {
    let device = device();
    let mut rows = methods::<f64>();
    rows.dedup_by_key(|row| row.family);
    assert!(rows.len() > 5);
    for (name, model) in kinds(&device) {
        for id in rows.iter().map(|row| row.id) {
            let run = |seed, images| {
                let settings = Settings { sampler: id.to_owned(), seed, images, ..settings() };
                frames(&model, &settings).expect(id).pop().expect("frames").x
            };
            let (batch, alone) = (run(40, 3), run(42, 1));
            for (a, b) in batch[2 * alone.len()..].iter().zip(&alone) {
                assert!((a - b).abs() <= 1e-4 * (1.0 + b.abs()), "{id} on {name}: {a} in the batch, {b} alone");
            }
        }
    }
}

#[test]
fn every_process_has_a_likelihood_and_a_bound() {
    let device = device();
    for (name, model) in kinds(&device) {
        let network = Pictures::new(&model, None, &device).expect("no classes");
        let n = model.shape().iter().product();
        let y: Vec<f64> = TorchGenerator::new(8).rand_f64(n).into_iter().map(|u| 2.0 * u - 1.0).collect();
        let run = Likelihood::new(&model.schedule, Control::Steps(20));
        let probes = Probes::rademacher(1, 2, n);
        let density = run.log_density(&network, &y, &probes, standard_normal, &mut |_| {}).expect(name);
        let grid = Spacing::Trailing.grid(&model.schedule, 10).expect("ten steps");
        let mut generator = TorchGenerator::new(9);
        let mut noise = |_, n| generator.randn_f64(n);
        let choice = (Variance::Large, Decoder::Gaussian);
        let bounds = bound(&network, &[y], &grid, choice, &mut noise, &mut |_| {}).expect(name);
        println!("{name}: ln p {}, bound {}", density.nats(), bounds[0].nats());
        assert!(density.nats().is_finite() && bounds[0].nats().is_finite(), "{name}");
    }
}
