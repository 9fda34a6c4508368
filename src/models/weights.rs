//! Safetensors files into modules and back, matched by the module's own parameter names and shapes.

use super::legacy;
use crate::backend::{self, BackendError};
use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{DType, Tensor, TensorData};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensorError, SafeTensors, serialize};
use std::collections::HashMap;
use thiserror::Error;

/// Why a weights file does not fit a module.
#[derive(Debug, Error)]
pub enum WeightsError {
    #[error("The weights are not a whole safetensors file ({0}); download them again.")]
    Unreadable(#[from] SafeTensorError),
    #[error(
        "The weights file is only a Git LFS pointer to the weights; fetch them with `git lfs pull`, or download them."
    )]
    Pointer,
    #[error("Two of the weights' parts hold the tensor {name:?}; download them again.")]
    Twice { name: String },
    #[error("The weights have no tensor {name:?}, which the configuration needs with shape {expected:?}.")]
    Missing { name: String, expected: Vec<usize> },
    #[error("The weights hold {count} tensors that the configuration has no place for, among them {name:?}.")]
    Unexpected { name: String, count: usize },
    #[error("The weights' tensor {name:?} has shape {got:?}, but the configuration needs {expected:?}.")]
    Shape { name: String, expected: Vec<usize>, got: Vec<usize> },
    #[error("The weights' tensor {name:?} is stored as {got:?}; F32, F16 and BF16 are supported.")]
    Type { name: String, got: Dtype },
    #[error("The weights' tensor {name:?} holds values that are not finite; download the file again.")]
    NotFinite { name: String },
}

/// How a Git LFS pointer begins, which stands in a clone for a file that was not fetched.
const POINTER: &[u8] = b"version https://git-lfs";

/// Fills every parameter of `module` from a safetensors file, or from all its shards, as 32-bit floats on the module's
/// device.
///
/// # Errors
/// A file that is truncated or otherwise no safetensors file; a tensor that is missing, unexpected, of another shape or
/// of a type other than F32, F16 or BF16. Shapes are compared before anything of a parameter's size is allocated.
pub fn load<M: Module>(module: M, files: &[impl AsRef<[u8]>]) -> Result<M, WeightsError> {
    let parts = files.iter().map(|bytes| open(bytes.as_ref())).collect::<Result<Vec<_>, _>>()?;
    let mut tensors = HashMap::new();
    for part in &parts {
        for (name, view) in part.tensors() {
            if tensors.insert(name.clone(), view).is_some() {
                return Err(WeightsError::Twice { name });
            }
        }
    }
    let mut loader = Loader { tensors, path: Vec::new(), error: None };
    let module = module.map(&mut loader);
    if let Some(error) = loader.error {
        return Err(error);
    }
    let mut unexpected: Vec<_> = loader.tensors.into_keys().filter(|name| !legacy::is_copy(name)).collect();
    unexpected.sort_unstable();
    match unexpected.first() {
        Some(name) => Err(WeightsError::Unexpected { name: name.clone(), count: unexpected.len() }),
        None => Ok(module),
    }
}

fn open(bytes: &[u8]) -> Result<SafeTensors<'_>, WeightsError> {
    if bytes.starts_with(POINTER) {
        return Err(WeightsError::Pointer);
    }
    Ok(SafeTensors::deserialize(bytes)?)
}

/// The values of the tensor `name` as 32-bit floats, and its shape.
///
/// # Errors
/// [`WeightsError::Missing`], [`WeightsError::Type`].
pub fn values(file: &SafeTensors, name: &str) -> Result<(Vec<f32>, Vec<usize>), WeightsError> {
    let Ok(view) = file.tensor(name) else {
        return Err(WeightsError::Missing { name: name.to_owned(), expected: Vec::new() });
    };
    Ok((floats(name, &view)?, view.shape().to_vec()))
}

fn floats(name: &str, view: &TensorView) -> Result<Vec<f32>, WeightsError> {
    let dtype = match view.dtype() {
        Dtype::F32 => DType::F32,
        Dtype::F16 => DType::F16,
        Dtype::BF16 => DType::BF16,
        got => return Err(WeightsError::Type { name: name.to_owned(), got }),
    };
    let data = TensorData::from_bytes_vec(view.data().to_vec(), view.shape().to_vec(), dtype);
    Ok(data.iter::<f32>().collect())
}

/// Why a module was not stored.
#[derive(Debug, Error)]
pub enum SaveError {
    #[error(transparent)]
    Backend(#[from] BackendError),
    #[error("The weights cannot be written as safetensors: {0}.")]
    Write(#[from] SafeTensorError),
}

/// The parameters of `module` as a safetensors file, each under the name of its place and in 16 or 32 bits as `stored` says.
///
/// # Errors
/// A device that was lost; a type that is no float of 16 or 32 bits.
pub async fn save<M: Module>(module: &M, stored: impl Fn(&str) -> DType) -> Result<Vec<u8>, SaveError> {
    let mut all = Collector::default();
    module.visit(&mut all);
    let values = backend::read(Tensor::cat(all.values, 0)).await?;
    let mut rest = values.as_slice();
    let encode = |(name, shape): (String, Vec<usize>)| {
        let own;
        (own, rest) = rest.split_at(shape.iter().product());
        let kind = stored(&name);
        (name, shape, kind, TensorData::new(own.to_vec(), [own.len()]).convert_dtype(kind).into_bytes())
    };
    let encoded: Vec<_> = all.named.into_iter().map(encode).collect();
    let views = encoded.iter().map(|(name, shape, kind, bytes)| {
        let kind = if *kind == DType::F16 { Dtype::F16 } else { Dtype::F32 };
        Ok((name, TensorView::new(kind, shape.clone(), bytes)?))
    });
    let views = views.collect::<Result<Vec<_>, SafeTensorError>>()?;
    Ok(serialize(views, None)?)
}

#[derive(Default)]
struct Collector {
    path: Vec<String>,
    named: Vec<(String, Vec<usize>)>,
    values: Vec<Tensor<1>>,
}

impl ModuleVisitor for Collector {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.named.push((self.path.join("."), param.lazy_shape().to_vec()));
        self.values.push(param.val().reshape([-1]));
    }
}

struct Loader<'a> {
    /// Those that no parameter has taken yet.
    tensors: HashMap<String, TensorView<'a>>,
    path: Vec<String>,
    /// The first failure; a mapper cannot stop, so it does nothing from there on.
    error: Option<WeightsError>,
}

impl Loader<'_> {
    fn fetch(&mut self, expected: Vec<usize>) -> Result<TensorData, WeightsError> {
        let name = self.path.join(".");
        let older = legacy::parameter(&name).find(|older| self.tensors.contains_key(older));
        let name = if self.tensors.contains_key(&name) { name } else { older.unwrap_or(name) };
        let Some(view) = self.tensors.remove(&name) else {
            return Err(WeightsError::Missing { name, expected });
        };
        if view.shape() != expected {
            return Err(WeightsError::Shape { name, expected, got: view.shape().to_vec() });
        }
        let values = floats(&name, &view)?;
        if values.iter().any(|v| !v.is_finite()) {
            return Err(WeightsError::NotFinite { name });
        }
        Ok(TensorData::new(values, expected))
    }
}

impl ModuleMapper for Loader<'_> {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if self.error.is_some() {
            return param;
        }
        let device = param.lazy_device();
        match self.fetch(param.lazy_shape().to_vec()) {
            Ok(data) => {
                let id = param.id;
                let tensor = device.memory_persistent_allocations(data, |data| Tensor::from_data(data, &device));
                param.transform_for_load(tensor, id)
            }
            Err(error) => {
                self.error = Some(error);
                param
            }
        }
    }
}
