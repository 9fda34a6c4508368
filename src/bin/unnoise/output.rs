//! Files that a run leaves.

use safetensors::tensor::{Dtype, TensorView, serialize_to_file};
use std::fmt::Display;
use std::io::Write;
use std::path::Path;
use thiserror::Error;
use unnoise::dataset::pictures::{self, PictureError};
use unnoise::picture;
use unnoise::provenance::Made;
use unnoise::session::Frame;

/// A file that could not be written.
#[derive(Debug, Error)]
#[error("cannot write {path}: {why}")]
pub struct WriteError {
    path: String,
    why: String,
}

impl WriteError {
    pub fn new(path: &Path, why: &impl ToString) -> Self {
        Self { path: path.display().to_string(), why: why.to_string() }
    }
}

fn failed<E: ToString>(path: &Path) -> impl FnOnce(E) -> WriteError + use<'_, E> {
    move |e| WriteError::new(path, &e)
}

pub fn create_dir(dir: &Path) -> Result<(), WriteError> {
    std::fs::create_dir_all(dir).map_err(failed(dir))
}

/// Prints a line. Whoever reads may have stopped reading (`| head`), which is no reason to fail.
pub fn line(text: impl Display) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// Whether a file can come to stand at `path`, checked before the work whose result it would lose.
pub fn has_place(path: &Path) -> Result<(), WriteError> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if folder.is_dir() { Ok(()) } else { Err(failed(path)(format!("there is no folder {}", folder.display()))) }
}

/// Writes `(bytes, width, height)` with 1, 3 or 4 channels.
pub fn png(path: &Path, (bytes, width, height): (Vec<u8>, usize, usize), channels: usize) -> Result<(), PictureError> {
    pictures::write(path, &bytes, [channels, height, width])
}

/// The same of a picture that says how it was made.
pub fn png_made(
    path: &Path,
    (bytes, width, height): (Vec<u8>, usize, usize),
    channels: usize,
    made: Made<'_>,
) -> Result<(), PictureError> {
    pictures::write_with(path, &bytes, [channels, height, width], |png| made.into_png(&png))
}

/// Writes a text.
pub fn text(path: &Path, text: &str) -> Result<(), WriteError> {
    std::fs::write(path, text).map_err(failed(path))
}

/// Writes one tensor of f32.
pub fn tensor(path: &Path, name: &str, values: &[f64], shape: &[usize]) -> Result<(), WriteError> {
    let bytes: Vec<u8> = values.iter().flat_map(|v| (*v as f32).to_le_bytes()).collect();
    let view = TensorView::new(Dtype::F32, shape.to_vec(), &bytes).map_err(failed(path))?;
    serialize_to_file([(name, view)], None, path).map_err(failed(path))
}

/// Writes a frame of a walk, `frame-0003.png`.
pub fn frame(
    dir: &Path,
    number: usize,
    bytes: &[u8],
    [channels, height, width]: [usize; 3],
) -> Result<(), PictureError> {
    png(&dir.join(format!("frame-{number:04}.png")), (bytes.to_vec(), width, height), channels)
}

/// Writes a step's sheets, `step-0003-x.png` and `step-0003-x0.png`.
pub fn frames(
    dir: &Path,
    step: usize,
    x: &[u8],
    denoised: Option<&[u8]>,
    shape: [usize; 3],
) -> Result<(), PictureError> {
    for (name, bytes) in [("x", Some(x)), ("x0", denoised)] {
        if let Some(bytes) = bytes {
            png(&dir.join(format!("step-{step:04}-{name}.png")), picture::sheet(bytes, shape), shape[0])?;
        }
    }
    Ok(())
}

/// Everything that a run computed. With `n` steps: `x` is `[n + 1, images, channels, height, width]` from the starting
/// noise on, `denoised` `[n, ...]`, both f32; `t`, `alpha` and `sigma` are the f64 levels of `x`, `[n + 1]`.
#[derive(Default)]
pub struct Trace {
    x: Vec<f32>,
    denoised: Vec<f32>,
    levels: [Vec<f64>; 3],
}

impl Trace {
    pub fn push(&mut self, frame: Frame) {
        self.x.extend(frame.x);
        self.denoised.extend(frame.denoised.into_iter().flatten());
        let level = frame.level;
        for (all, value) in self.levels.iter_mut().zip([level.t, level.alpha, level.sigma]) {
            all.push(value);
        }
    }

    pub fn write(&self, path: &Path, images: usize, [channels, height, width]: [usize; 3]) -> Result<(), WriteError> {
        let f32s = |values: &[f32]| -> Vec<u8> { values.iter().flat_map(|v| v.to_le_bytes()).collect() };
        let f64s = |values: &Vec<f64>| -> Vec<u8> { values.iter().flat_map(|v| v.to_le_bytes()).collect() };
        let points = self.levels[0].len();
        let picture = |n| vec![n, images, channels, height, width];
        let [t, alpha, sigma] = self.levels.each_ref().map(f64s);
        let (x, denoised) = (f32s(&self.x), f32s(&self.denoised));
        let tensors = [
            ("x", Dtype::F32, picture(points), &x),
            ("denoised", Dtype::F32, picture(points - 1), &denoised),
            ("t", Dtype::F64, vec![points], &t),
            ("alpha", Dtype::F64, vec![points], &alpha),
            ("sigma", Dtype::F64, vec![points], &sigma),
        ];
        let views =
            tensors.into_iter().map(|(name, dtype, shape, bytes)| Ok((name, TensorView::new(dtype, shape, bytes)?)));
        let views = views.collect::<Result<Vec<_>, safetensors::SafeTensorError>>().map_err(failed(path))?;
        serialize_to_file(views, None, path).map_err(failed(path))
    }
}
