//! The pictures that a model learned from, and those that it never saw.

use std::collections::HashSet;
use std::error::Error;
use std::fs;
use std::path::Path;
use unnoise::dataset::{Pictures, Split};
use unnoise::eval::quality::Album;
use unnoise::picture;
use unnoise::train::Recipe;

pub struct Dataset {
    pub train: Album,
    pub test: Album,
}

impl Dataset {
    /// Reads from the folder `dir` the data set that the recipe in the classifier's folder `judge` names, with pictures of
    /// this `shape`.
    pub fn read(dir: &Path, judge: &Path, shape: [usize; 3]) -> Result<Self, Box<dyn Error>> {
        let place = judge.join("recipe.toml");
        let text = fs::read_to_string(&place)
            .map_err(|e| format!("cannot read {} ({e}), which names the data set", place.display()))?;
        let recipe = Recipe::from_toml(&text).map_err(|e| format!("{}: {e}", place.display()))?;
        let Split { seen, held } = recipe.data.read(dir)?;
        let held = held.ok_or_else(|| format!("the data set of {} has no test pictures", place.display()))?;
        if seen.shape != shape {
            let [got, expected] = [seen.shape, shape].map(|[c, h, w]| format!("{h} x {w} pixels with {c} channels"));
            return Err(format!("{} has pictures of {got}, but the model makes {expected}", dir.display()).into());
        }
        Ok(Self { train: album(&seen), test: album(&held) })
    }
}

/// Each picture once, in an order that mixes what the files keep apart: a walk in strides of about a golden section.
fn album(pictures: &Pictures) -> Album {
    let n = pictures.len();
    let golden = (0.618 * n as f64) as usize;
    let stride = (golden..n).find(|&stride| coprime(stride, n)).unwrap_or(1);
    let (mut bytes, mut labels, mut met) = (Vec::new(), Vec::new(), HashSet::new());
    for i in (0..n).map(|i| i * stride % n) {
        let picture = picture::to_bytes(&pictures.x0(i), pictures.shape, [-1.0, 1.0]);
        if met.insert(picture.clone()) {
            bytes.extend(picture);
            labels.push(pictures.labels[i]);
        }
    }
    Album { bytes, labels, shape: pictures.shape }
}

fn coprime(a: usize, b: usize) -> bool {
    if b == 0 { a == 1 } else { coprime(b, a % b) }
}
