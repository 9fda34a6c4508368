//! Pictures in a safetensors file, with or without the noise that each of them belongs to.

use super::{DataError, Pictures, broken, unreadable};
use half::f16;
use safetensors::tensor::{Dtype, TensorView};
use safetensors::{SafeTensorError, SafeTensors};
use std::fs;
use std::path::Path;

const WHAT: &str = "a safetensors file of pictures";

/// `images` `[n, channels, height, width]`, bytes or floats in `[-1, 1]`, with `labels` `[n]` and perhaps `seeds` `[n]`, both
/// 64-bit integers: a picture with a seed belongs to the noise of torch's generator, as the pairs of a rectified flow do
/// (Liu et al. 2022, arXiv 2209.03003).
///
/// # Errors
/// A file that is missing, damaged, or lacks one of them.
pub fn pairs(path: &Path) -> Result<Pictures, DataError> {
    let bytes = fs::read(path).map_err(unreadable(path))?;
    let file = SafeTensors::deserialize(&bytes).map_err(broken(path, WHAT))?;
    let numbers = |view: TensorView, name: &str| match view.dtype() {
        Dtype::I64 => Ok(view.data().as_chunks::<8>().0.iter().map(|b| i64::from_le_bytes(*b) as u64).collect()),
        other => Err(broken(path, WHAT)(format!("{name} is stored as {other:?}, not as I64"))),
    };
    let images = file.tensor("images").map_err(broken(path, WHAT))?;
    let labels: Vec<u64> = numbers(file.tensor("labels").map_err(broken(path, WHAT))?, "labels")?;
    let seeds = match file.tensor("seeds") {
        Ok(view) => Some(numbers(view, "seeds")?),
        Err(SafeTensorError::TensorNotFound(_)) => None,
        Err(e) => return Err(broken(path, WHAT)(e)),
    };
    let &[count, channels, height, width] = images.shape() else {
        return Err(broken(path, WHAT)(format!("the shape of images is {:?}", images.shape())));
    };
    if labels.len() != count || seeds.as_ref().is_some_and(|seeds| seeds.len() != count) {
        return Err(DataError::Count { path: path.to_owned(), pictures: count, labels: labels.len() });
    }
    let (shape, data) = ([channels, height, width], images.data());
    let labels = labels.into_iter().map(|label| label as usize).collect();
    let pictures = match images.dtype() {
        Dtype::U8 => Pictures::of_bytes(shape, data.to_vec(), labels),
        Dtype::F32 => {
            let floats = data.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect();
            Pictures::of_floats(shape, floats, labels)
        }
        Dtype::F16 => Pictures::of_floats(
            shape,
            data.as_chunks::<2>().0.iter().map(|b| f16::from_le_bytes(*b).to_f32()).collect(),
            labels,
        ),
        other => return Err(broken(path, WHAT)(format!("images are stored as {other:?}, not as U8, F16 or F32"))),
    };
    Ok(Pictures { seeds, ..pictures })
}
