//! Where a run looked in its prompt, as files.

use crate::output::{self, WriteError};
use safetensors::tensor::{Dtype, TensorView, serialize_to_file};
use serde_json::json;
use std::collections::HashMap;
use std::error::Error;
use std::path::Path;
use unnoise::picture;
use unnoise::pipeline::text::Word;
use unnoise::session::Attention;

/// What can be written, by the endings of files.
const ENDINGS: [&str; 2] = ["png", "safetensors"];

/// The maps of each step.
pub struct Maps {
    words: Vec<Word>,
    steps: Vec<Attention>,
}

/// Whether maps can be written there.
pub fn check(path: &Path) -> Result<(), Box<dyn Error>> {
    if !ENDINGS.iter().any(|ending| has_ending(path, ending)) {
        let path = path.display();
        return Err(format!("--attention takes a name that ends in .png or .safetensors, and this is {path}").into());
    }
    Ok(output::has_place(path)?)
}

fn has_ending(path: &Path, ending: &str) -> bool {
    path.extension().is_some_and(|own| own.eq_ignore_ascii_case(ending))
}

impl Maps {
    pub fn new(words: Vec<Word>) -> Self {
        Self { words, steps: Vec::new() }
    }

    pub fn push(&mut self, step: Option<Attention>) {
        self.steps.extend(step);
    }

    /// Writes the maps beside the pictures that the run ended in, and says what was written.
    pub fn write(&self, path: &Path, pixels: &[u8], shape: [usize; 3]) -> Result<String, Box<dyn Error>> {
        let words: Vec<_> = self.words.iter().map(|word| word.text.as_str()).collect();
        if has_ending(path, "png") {
            let (bytes, columns, channels) = self.sheet(pixels, shape)?;
            let shape = [channels, shape[1], shape[2]];
            output::png(path, picture::rows(&bytes, shape, columns), channels)?;
            return Ok(format!("{}: each picture, and where it looked at: {}", path.display(), words.join(" · ")));
        }
        self.tensors(path)?;
        Ok(format!("{}: maps of {} words and {} steps", path.display(), words.len(), self.steps.len()))
    }

    /// A row for each picture: itself, and a map for each word, the mean of the steps; the largest weight of a map is white.
    fn sheet(&self, pixels: &[u8], [channels, height, width]: [usize; 3]) -> Result<(Vec<u8>, usize, usize), String> {
        let mean = Attention::mean(&self.steps).ok_or("no step looked in the prompt, so there is no map of one")?;
        let (words, places) = (self.words.len(), mean.height * mean.width);
        let maps = mean.of(&self.words);
        let mut bytes = Vec::new();
        for (i, own) in pixels.chunks_exact(channels * height * width).enumerate() {
            bytes.extend(own);
            for map in maps[i * words * places..(i + 1) * words * places].chunks_exact(places) {
                let most = map.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
                for pixel in 0..height * width {
                    let (row, column) = (pixel / width * mean.height / height, pixel % width * mean.width / width);
                    let byte = (255.0 * map[row * mean.width + column] / most).round() as u8;
                    // A picture with an alpha channel is opaque where maps are shown.
                    bytes.extend((0..channels).map(|channel| if channel == 3 { 255 } else { byte }));
                }
            }
        }
        Ok((bytes, words + 1, channels))
    }

    /// `maps` `[steps, images, tokens, height, width]`, and in the metadata the words with the tokens that each has.
    fn tensors(&self, path: &Path) -> Result<(), Box<dyn Error>> {
        let first = self.steps.first().ok_or("no step looked in the prompt, so there is no map of one")?;
        let Attention { tokens, height, width, .. } = *first;
        let images = first.maps.len() / (tokens * height * width);
        let bytes: Vec<u8> =
            self.steps.iter().flat_map(|step| &step.maps).flat_map(|weight| weight.to_le_bytes()).collect();
        let view = TensorView::new(Dtype::F32, vec![self.steps.len(), images, tokens, height, width], &bytes)?;
        let word = |word: &Word| json!({"text": word.text, "tokens": [word.tokens.start, word.tokens.end]});
        let words = json!(self.words.iter().map(word).collect::<Vec<_>>()).to_string();
        let metadata = HashMap::from([("words".to_owned(), words)]);
        serialize_to_file([("maps", view)], Some(metadata), path).map_err(|e| WriteError::new(path, &e))?;
        Ok(())
    }
}
