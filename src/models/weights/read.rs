//! The tensors of weights files, brought to the device one by one.

use super::WeightsError;
use super::files::{Ranges, WeightFiles};
use super::plan::Placed;
use burn::tensor::{DType, Device, Element, Tensor, TensorData, bf16, f16};
use futures_util::FutureExt;
use std::collections::HashMap;

/// What is read at a time: several small tensors, or a part of a large one. A whole number of values of every type.
const PIECE: u64 = 4 << 20;

/// The values of a tensor as the device gets them.
enum Values {
    Single(Vec<f32>),
    Half(Vec<f16>),
}

/// The tensors of the files that a parameter takes, by its name, on `device`: in 32 bits, or in the 16 of float16 where `half`
/// says so.
///
/// What is held besides them is one piece and the values of one tensor on their way to the device; on the processor those
/// are the tensor.
pub(super) async fn tensors(
    reader: &dyn Ranges,
    files: &[Vec<Placed>],
    device: &Device,
    half: bool,
) -> Result<HashMap<String, Tensor<1>>, WeightsError> {
    let mut done = HashMap::new();
    let longest = files.iter().filter_map(|placed| Some(placed.last()?.range.end)).max().unwrap_or(0);
    // In its full length from the start: growing would need it twice.
    let mut piece = Vec::with_capacity(PIECE.min(longest) as usize);
    for (file, placed) in files.iter().enumerate() {
        let mut rest = placed.as_slice();
        while let [first, ..] = rest {
            let start = first.range.start;
            let together = rest.iter().take_while(|placed| placed.range.end - start <= PIECE).count().max(1);
            let (group, others) = rest.split_at(together);
            rest = others;
            let end = group.last().map_or(start, |last| last.range.end);
            let mut values = Values::Single(Vec::new());
            let mut at = start;
            while at < end {
                piece.resize(PIECE.min(end - at) as usize, 0);
                reader.read(file, at, &mut piece).await?;
                for placed in group {
                    let Some((name, dtype)) = &placed.parameter else { continue };
                    let bytes = within(&piece, at, placed);
                    if placed.range.start >= at {
                        values = Values::room(name, *dtype, placed, half)?;
                    }
                    if !values.extend(bytes, *dtype) {
                        return Err(WeightsError::NotFinite { name: name.clone() });
                    }
                    if placed.range.end <= at + piece.len() as u64 {
                        let values = std::mem::replace(&mut values, Values::Single(Vec::new()));
                        done.insert(name.clone(), values.upload(device));
                    }
                }
                at += piece.len() as u64;
            }
        }
    }
    Ok(done)
}

/// The bytes of a tensor in the piece that begins at `at`.
fn within<'p>(piece: &'p [u8], at: u64, placed: &Placed) -> &'p [u8] {
    let index = |place: u64| (place.saturating_sub(at) as usize).min(piece.len());
    &piece[index(placed.range.start)..index(placed.range.end)]
}

impl Values {
    /// Memory for the values of a tensor. One that is larger than what is left is an error, and not the end of the program.
    fn room(name: &str, dtype: DType, placed: &Placed, half: bool) -> Result<Self, WeightsError> {
        let count = placed.values(dtype);
        let size = if half && dtype == DType::F16 { 2 } else { 4 };
        let memory = || WeightsError::Memory { name: name.to_owned(), megabytes: (size * count).div_ceil(1_000_000) };
        let room = usize::try_from(count).map_err(|_| memory())?;
        if size == 2 {
            let mut values = Vec::new();
            values.try_reserve_exact(room).map_err(|_| memory())?;
            return Ok(Self::Half(values));
        }
        let mut values = Vec::new();
        values.try_reserve_exact(room).map_err(|_| memory())?;
        Ok(Self::Single(values))
    }

    /// Adds the values in `bytes`, and says whether all are finite.
    fn extend(&mut self, bytes: &[u8], dtype: DType) -> bool {
        match self {
            Self::Single(values) => extend(values, bytes, dtype),
            Self::Half(values) => {
                let before = values.len();
                values.extend(bytes.as_chunks().0.iter().map(|bytes| f16::from_le_bytes(*bytes)));
                values[before..].iter().all(|v| v.is_finite())
            }
        }
    }

    fn upload(self, device: &Device) -> Tensor<1> {
        let (data, dtype) = match self {
            Self::Single(values) => (flat(values), DType::F32),
            Self::Half(values) => (flat(values), DType::F16),
        };
        device.memory_persistent_allocations(data, |data| Tensor::from_data(data, (device, dtype)))
    }
}

fn flat<E: Element>(values: Vec<E>) -> TensorData {
    let count = values.len();
    TensorData::new(values, [count])
}

/// Adds the values in `bytes` as 32-bit floats, and says whether all are finite.
fn extend(values: &mut Vec<f32>, bytes: &[u8], dtype: DType) -> bool {
    let before = values.len();
    match dtype {
        DType::F64 => convert(values, bytes, |b| f64::from_le_bytes(b) as f32),
        DType::F16 => convert(values, bytes, |b| f16::from_le_bytes(b).to_f32()),
        DType::BF16 => convert(values, bytes, |b| bf16::from_le_bytes(b).to_f32()),
        _ => convert(values, bytes, f32::from_le_bytes),
    }
    values[before..].iter().all(|v| v.is_finite())
}

fn convert<const N: usize>(values: &mut Vec<f32>, bytes: &[u8], value: impl Fn([u8; N]) -> f32) {
    values.extend(bytes.as_chunks::<N>().0.iter().map(|bytes| value(*bytes)));
}

/// The values of the tensor `name` of a file as 32-bit floats, and its shape.
///
/// # Errors
/// A file that is no safetensors file; [`WeightsError::Missing`], [`WeightsError::Type`].
///
/// # Panics
/// Never: memory is not waited for.
pub fn values(file: &[u8], name: &str) -> Result<(Vec<f32>, Vec<usize>), WeightsError> {
    let files = [file];
    let files = WeightFiles::in_memory(&files);
    let entries = files.header(0).now_or_never().expect("memory is read without waiting")?;
    let Some(entry) = entries.into_iter().find(|entry| entry.name == name) else {
        return Err(WeightsError::Missing { name: name.to_owned(), expected: Vec::new() });
    };
    let Some(dtype) = entry.float() else {
        return Err(WeightsError::Type { name: name.to_owned(), got: entry.dtype });
    };
    let mut values = Vec::new();
    extend(&mut values, &file[entry.range.start as usize..entry.range.end as usize], dtype);
    Ok((values, entry.shape))
}
