//! A module's parameters as a safetensors file.

use super::plan::Wanted;
use crate::backend::{self, BackendError};
use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{DType, Tensor, TensorData};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensorError, serialize};
use thiserror::Error;

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
    let mut values = Values::default();
    module.visit(&mut values);
    let values = backend::read(Tensor::cat(values.0, 0)).await?;
    let mut rest = values.as_slice();
    let encode = |(name, shape): (String, Vec<usize>)| {
        let own;
        (own, rest) = rest.split_at(shape.iter().product());
        let kind = stored(&name);
        (name, shape, kind, TensorData::new(own.to_vec(), [own.len()]).convert_dtype(kind).into_bytes())
    };
    let encoded: Vec<_> = Wanted::of(module).named.into_iter().map(encode).collect();
    let views = encoded.iter().map(|(name, shape, kind, bytes)| {
        let kind = if *kind == DType::F16 { Dtype::F16 } else { Dtype::F32 };
        Ok((name, TensorView::new(kind, shape.clone(), bytes)?))
    });
    let views = views.collect::<Result<Vec<_>, SafeTensorError>>()?;
    Ok(serialize(views, None)?)
}

/// The values of a module's parameters, in the order of their names in [`Wanted`].
#[derive(Default)]
struct Values(Vec<Tensor<1>>);

impl ModuleVisitor for Values {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.0.push(param.val().reshape([-1]));
    }
}
