//! The generator's stream against draws of the real torch.

use safetensors::SafeTensors;
use safetensors::tensor::TensorView;
use serde_json::Value;
use std::fs;
use std::path::Path;
use unnoise::math::TorchGenerator;

/// One unit in the last place of a number between 4 and 8: torch computes blocks of single precision with polynomials of
/// its own. An angle that is not rounded to single precision would be off by up to 1.6e-6.
const SINGLE: f64 = 5e-7;
/// A few units in the last place of a number up to 8: logarithm, square root and cosine each round once.
const DOUBLE: f64 = 1e-14;

fn numbers(view: &TensorView<'_>) -> Vec<f64> {
    let data = view.data();
    match view.dtype() {
        safetensors::Dtype::F32 => {
            data.chunks_exact(4).map(|b| f64::from(f32::from_le_bytes(b.try_into().unwrap()))).collect()
        }
        safetensors::Dtype::F64 => data.chunks_exact(8).map(|b| f64::from_le_bytes(b.try_into().unwrap())).collect(),
        other => panic!("no numbers of type {other:?}"),
    }
}

/// Compares every case of `folder`, and returns how many there were.
fn compare(folder: &Path) -> usize {
    let index: Value = serde_json::from_slice(&fs::read(folder.join("rng.json")).unwrap()).unwrap();
    let bytes = fs::read(folder.join("rng.safetensors")).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let cases = index["cases"].as_array().unwrap();
    for case in cases {
        let id = case["id"].as_str().unwrap();
        let widen = |numbers: Vec<f32>| numbers.into_iter().map(f64::from).collect::<Vec<_>>();
        let mut generator = TorchGenerator::new(case["seed"].as_u64().unwrap());
        for (k, n) in case["draws"].as_array().unwrap().iter().enumerate() {
            let n = n.as_u64().unwrap() as usize;
            let (drawn, tolerance) = match (id.split('.').next(), case["dtype"].as_str()) {
                (Some("randn"), Some("float32")) => (widen(generator.randn(n)), SINGLE),
                (Some("randn"), Some("float64")) => (generator.randn_f64(n), DOUBLE),
                (Some("rand"), Some("float32")) => (widen(generator.rand(n)), 0.0),
                (Some("rand"), Some("float64")) => (generator.rand_f64(n), 0.0),
                other => panic!("{id}: no draw of {other:?}"),
            };
            let expected = numbers(&tensors.tensor(&format!("{id}/{k}")).unwrap());
            assert_eq!(drawn.len(), expected.len(), "{id}/{k}");
            for (i, (a, b)) in drawn.iter().zip(&expected).enumerate() {
                assert!((a - b).abs() <= tolerance, "{id}/{k}: number {i} is {a}, torch's is {b}");
            }
        }
    }
    cases.len()
}

#[test]
fn the_stream_is_that_of_torch() {
    assert_eq!(compare(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/rng")), 16);
}

#[test]
fn the_stream_is_that_of_the_reference_vectors() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/reference/rng");
    if !folder.exists() {
        println!("skipped: {} is not here; tests/golden/rng holds the same kind of cases", folder.display());
        return;
    }
    assert!(compare(&folder) > 0);
}
