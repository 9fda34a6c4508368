//! Recorded inputs and outputs of networks.

use burn::tensor::{Device, Tensor, TensorData};
use safetensors::{Dtype, SafeTensors};
use std::fs;
use std::path::{Path, PathBuf};
use unnoise::backend::cpu;

/// The processor.
pub fn device() -> Device {
    cpu::device()
}

/// A folder of the project's own references.
pub fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/networks").join(name)
}

/// A folder of the large references, where they are at hand.
pub fn shared(name: &str) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared").join(name);
    if !folder.exists() {
        println!("skipped: {} is not here; tests/golden/networks holds small ones of the kind", folder.display());
        return None;
    }
    Some(folder)
}

pub fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

pub fn bytes(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// Named tensors of one file.
pub struct Oracle(Vec<u8>);

impl Oracle {
    pub fn read(path: &Path) -> Self {
        Self(bytes(path))
    }

    /// The numbers of a tensor, and its shape.
    pub fn numbers(&self, name: &str) -> (Vec<f64>, Vec<usize>) {
        let file = SafeTensors::deserialize(&self.0).expect("safetensors");
        let view = file.tensor(name).unwrap_or_else(|e| panic!("{name}: {e}"));
        let data = view.data();
        let numbers = match view.dtype() {
            Dtype::F32 => data.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b).into()).collect(),
            Dtype::I64 => data.as_chunks::<8>().0.iter().map(|b| i64::from_le_bytes(*b) as f64).collect(),
            other => panic!("{name} is {other:?}"),
        };
        (numbers, view.shape().to_vec())
    }

    pub fn has(&self, name: &str) -> bool {
        SafeTensors::deserialize(&self.0).expect("safetensors").names().contains(&name)
    }

    pub fn tensor<const D: usize>(&self, name: &str) -> Tensor<D> {
        let (numbers, shape) = self.numbers(name);
        Tensor::from_data(TensorData::new(numbers.iter().map(|v| *v as f32).collect::<Vec<_>>(), shape), &device())
    }

    pub fn usizes(&self, name: &str) -> Vec<usize> {
        self.numbers(name).0.iter().map(|v| *v as usize).collect()
    }

    /// Rows of token ids.
    pub fn ids(&self, name: &str) -> Vec<Vec<u32>> {
        let (numbers, shape) = self.numbers(name);
        numbers.chunks(shape[1]).map(|row| row.iter().map(|v| *v as u32).collect()).collect()
    }

    /// Whether `got` is the tensor `name`, to the rounding of a network in single precision.
    pub fn check<const D: usize>(&self, name: &str, got: Tensor<D>) {
        let (expected, shape) = self.numbers(name);
        assert_eq!(got.dims().to_vec(), shape, "{name}");
        let got = cpu::read(got);
        let most = expected.iter().fold(0.0_f64, |most, v| most.max(v.abs()));
        let far = got.iter().zip(&expected).map(|(got, v)| (f64::from(*got) - v).abs()).fold(0.0_f64, f64::max);
        let finite = got.iter().all(|v| v.is_finite());
        println!("{name}: {far:.1e} of {:.1e}", 2e-5 * (1.0 + most));
        assert!(finite && far <= 2e-5 * (1.0 + most), "{name} is {far:e} away where {most} is the largest");
    }
}
