//! Safetensors files into modules and back, matched by the module's own parameter names and shapes.

use crate::backend::{self, BackendError};
use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{DType, Tensor, TensorData};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensorError, SafeTensors, serialize};
use std::collections::HashSet;
use thiserror::Error;

/// Why a weights file does not fit a module.
#[derive(Debug, Error)]
pub enum WeightsError {
    #[error("The weights are not a whole safetensors file ({0}); download them again.")]
    Unreadable(#[from] SafeTensorError),
    #[error("The weights have no tensor {name:?}, which the configuration asks for with shape {expected:?}.")]
    Missing { name: String, expected: Vec<usize> },
    #[error("The weights hold {count} tensors that the configuration has no place for, among them {name:?}.")]
    Unexpected { name: String, count: usize },
    #[error("The weights' tensor {name:?} has shape {got:?}, but the configuration asks for {expected:?}.")]
    Shape { name: String, expected: Vec<usize>, got: Vec<usize> },
    #[error("The weights' tensor {name:?} is stored as {got:?}; F32, F16 and BF16 are supported.")]
    Type { name: String, got: Dtype },
    #[error("The weights' tensor {name:?} holds values that are not finite; download the file again.")]
    NotFinite { name: String },
}

/// Fills every parameter of `module` from the safetensors file `bytes`, as 32-bit floats on the module's device.
///
/// # Errors
/// A file that is truncated or otherwise no safetensors file; a tensor that is missing, unexpected, of another shape or
/// of a type other than F32, F16 or BF16. Shapes are compared before anything of a parameter's size is allocated.
pub fn load<M: Module>(module: M, bytes: &[u8]) -> Result<M, WeightsError> {
    let file = SafeTensors::deserialize(bytes)?;
    let mut loader = Loader { file: &file, path: Vec::new(), used: HashSet::new(), error: None };
    let module = module.map(&mut loader);
    let Loader { used, error, .. } = loader;
    if let Some(error) = error {
        return Err(error);
    }
    let mut unexpected: Vec<_> = file.names().into_iter().filter(|name| !used.contains(*name)).collect();
    unexpected.sort_unstable();
    match unexpected.first() {
        Some(&name) => Err(WeightsError::Unexpected { name: name.to_owned(), count: unexpected.len() }),
        None => Ok(module),
    }
}

/// The values of the tensor `name` as 32-bit floats, and its shape.
///
/// # Errors
/// [`WeightsError::Missing`], [`WeightsError::Type`].
pub fn values(file: &SafeTensors, name: &str) -> Result<(Vec<f32>, Vec<usize>), WeightsError> {
    let Ok(view) = file.tensor(name) else {
        return Err(WeightsError::Missing { name: name.to_owned(), expected: Vec::new() });
    };
    let dtype = match view.dtype() {
        Dtype::F32 => DType::F32,
        Dtype::F16 => DType::F16,
        Dtype::BF16 => DType::BF16,
        got => return Err(WeightsError::Type { name: name.to_owned(), got }),
    };
    let shape = view.shape().to_vec();
    let data = TensorData::from_bytes_vec(view.data().to_vec(), shape.clone(), dtype);
    Ok((data.iter::<f32>().collect(), shape))
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

/// What older diffusers versions called a parameter that is now called `name`.
fn legacy(name: &str) -> Option<String> {
    let renamed = [("to_q", "query"), ("to_k", "key"), ("to_v", "value"), ("to_out.0", "proj_attn")];
    renamed.iter().find(|(now, _)| name.contains(now)).map(|(now, then)| name.replacen(now, then, 1))
}

struct Loader<'a> {
    file: &'a SafeTensors<'a>,
    path: Vec<String>,
    used: HashSet<String>,
    /// The first failure; a mapper cannot stop, so it does nothing from there on.
    error: Option<WeightsError>,
}

impl Loader<'_> {
    fn fetch(&mut self, expected: Vec<usize>) -> Result<TensorData, WeightsError> {
        let mut name = self.path.join(".");
        if self.file.tensor(&name).is_err() {
            match legacy(&name).filter(|old| self.file.tensor(old).is_ok()) {
                Some(old) => name = old,
                None => return Err(WeightsError::Missing { name, expected }),
            }
        }
        let got = self.file.tensor(&name)?.shape().to_vec();
        if got != expected {
            return Err(WeightsError::Shape { name, expected, got });
        }
        let (values, shape) = values(self.file, &name)?;
        if values.iter().any(|v| !v.is_finite()) {
            return Err(WeightsError::NotFinite { name });
        }
        self.used.insert(name);
        Ok(TensorData::new(values, shape))
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
