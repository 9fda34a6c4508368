//! A ZIP of the steps of a run: a PNG for each, and a list of their levels.

use super::scene::{Scene, Shows};
use super::{FilmError, unwritten};
use crate::picture::{encode, texts};
use rawzip::ZipArchiveWriter;
use serde::Serialize;
use serde_json::json;
use std::io::Write;

/// The list.
const LIST: &str = "steps.json";

/// What is said of a step besides its pictures.
#[derive(Clone, Debug, Default)]
pub struct Step {
    pub step: usize,
    /// Conditioning time, signal and noise of the point's level.
    pub t: f64,
    pub alpha: f64,
    pub sigma: f64,
    /// Texts of its PNGs, by keyword.
    pub texts: Vec<(String, String)>,
}

/// A step in the list.
#[derive(Serialize)]
struct Listed {
    step: usize,
    t: f64,
    alpha: f64,
    sigma: f64,
    /// The file of the point.
    x: Option<String>,
    /// The file of the estimate.
    x0: Option<String>,
}

#[derive(Default)]
pub struct Archive {
    files: Vec<(String, Vec<u8>)>,
    steps: Vec<Listed>,
}

impl Archive {
    pub fn add(&mut self, scene: &Scene, x: &[u8], denoised: Option<&[u8]>, of: &Step) -> Result<(), FilmError> {
        let &Step { step, t, alpha, sigma, .. } = of;
        let mut keep = |name: &str, bytes: &[u8]| {
            let name = format!("step-{step:04}-{name}.png");
            let drawn = scene.sheet(bytes).enlarged(scene.zoom);
            let png = encode::png(&drawn.bytes, [drawn.channels, drawn.height, drawn.width]).map_err(unwritten)?;
            let texts: Vec<_> = of.texts.iter().map(|(keyword, text)| (keyword.as_str(), text.as_str())).collect();
            self.files.push((name.clone(), texts::with(&png, &texts).map_err(unwritten)?));
            Ok::<_, FilmError>(name)
        };
        let x = (scene.shows != Shows::Estimates).then(|| keep("x", x)).transpose()?;
        let estimate = denoised.filter(|_| scene.shows != Shows::Points);
        let x0 = estimate.map(|denoised| keep("x0", denoised)).transpose()?;
        self.steps.push(Listed { step, t, alpha, sigma, x, x0 });
        Ok(())
    }

    /// The archive. PNGs are compressed already, so that nothing is compressed here.
    pub fn finish(mut self, link: &str) -> Result<Vec<u8>, FilmError> {
        if self.files.is_empty() {
            return Err(FilmError::Empty);
        }
        let list = json!({"version": env!("CARGO_PKG_VERSION"), "link": link, "steps": self.steps});
        self.files.push((LIST.to_owned(), format!("{list:#}\n").into_bytes()));
        let mut out = Vec::new();
        let mut archive = ZipArchiveWriter::new(&mut out);
        for (name, bytes) in self.files {
            let (mut entry, config) = archive.new_file(&name).start().map_err(unwritten)?;
            let mut writer = config.wrap(&mut entry);
            writer.write_all(&bytes).map_err(unwritten)?;
            let (_, described) = writer.finish().map_err(unwritten)?;
            entry.finish(described).map_err(unwritten)?;
        }
        archive.finish().map_err(unwritten)?;
        Ok(out)
    }
}
