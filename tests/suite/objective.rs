//! The training objective against torch and diffusers: `tests/golden/objective.safetensors`, made by
//! `training/make_objective.py` with the network of `models/selftest`.
#![cfg(feature = "cpu")]

use burn::tensor::{Tensor, TensorData};
use pollster::block_on;
use safetensors::SafeTensors;
use std::path::Path;
use unnoise::backend::{self, Backend};
use unnoise::math::NoiseSchedule;
use unnoise::pipeline::Pipeline;
use unnoise::train::{Example, diffuse, objective};

#[test]
fn the_forward_process_and_l_simple_are_those_of_torch() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let file = std::fs::read(root.join("tests/golden/objective.safetensors")).unwrap();
    let file = SafeTensors::deserialize(&file).unwrap();
    let values = |name: &str| -> Vec<f32> {
        file.tensor(name).unwrap().data().as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect()
    };
    let device = block_on(backend::open(Backend::Cpu)).unwrap().device;
    let model = Pipeline::from_dir(&root.join("models/selftest"), &device).unwrap();
    let [channels, height, width] = model.shape();
    let t: Vec<f64> = values("t").into_iter().map(f64::from).collect();
    let picture =
        |name| Tensor::<4>::from_data(TensorData::new(values(name), [t.len(), channels, height, width]), &device);
    let classes = values("class").into_iter().map(|c| c as usize).collect();
    let example = Example { x0: picture("x0"), eps: picture("eps"), t, classes: Some(classes) };

    // diffusers multiplies up to 1000 factors in f32 to get alpha_bar: a walk of 1000 roundings of 6e-8, of which 1e-5 is
    // five deviations. Then a network's worth of roundings, as in tests/suite/models.rs.
    let levels: Vec<_> = example.t.iter().map(|&t| model.schedule.level(t)).collect();
    let x_t = block_on(backend::read(diffuse(&example.x0, &example.eps, &levels))).unwrap();
    close(&x_t, &values("x_t"), 1e-5);
    let loss = block_on(backend::read(objective(&model, &example))).unwrap();
    close(&loss, &values("loss"), 2e-5);
}

fn close(got: &[f32], expected: &[f32], tolerance: f32) {
    assert_eq!(got.len(), expected.len());
    for (got, expected) in got.iter().zip(expected) {
        assert!((got - expected).abs() <= tolerance * (1.0 + expected.abs()), "{got} is not {expected}");
    }
}
