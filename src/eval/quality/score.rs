//! All measures of an album of samples at once.

use super::{Album, FitError, Gaussian, Manifold, Neighbour, Points, frechet, memory, nearest};
use crate::backend::{self, BackendError};
use crate::models::classifier::NoisyClassifier;
use burn::tensor::{Device, Tensor, TensorData};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Neighbours that the balls of [`Manifold`] reach to, as in section 3.1 of its paper.
pub const NEIGHBOURS: usize = 3;

/// Pictures that the classifier takes together.
const BATCH: usize = 64;

/// What an album of samples is worth.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// Pictures that were scored.
    pub pictures: usize,
    /// Squared Fréchet distance from the reference pictures.
    pub frechet: f64,
    /// Share that the classifier takes for the class of their label; `None` without labels.
    pub accuracy: Option<f64>,
    /// Share that lies in the region of real pictures.
    pub precision: f64,
    /// Share of real pictures that lies in the region of these.
    pub recall: f64,
    /// Mean distance from the nearest training picture, root mean square over the bytes of a picture.
    pub distance: f64,
    /// Share that belongs to one training picture.
    pub memorised: f64,
}

/// What real pictures are worth, which samples are measured by: as many a set as there are samples, and the mean of all sets, because one
/// set's distance is half as large again as another's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Floor {
    #[serde(flatten)]
    pub mean: Score,
    /// Standard deviation of the distance from set to set; `None` of one set.
    pub deviation: Option<f64>,
}

impl Floor {
    fn of(sets: &[Score]) -> Self {
        let count = sets.len() as f64;
        let mean = |of: &dyn Fn(&Score) -> f64| sets.iter().map(of).sum::<f64>() / count;
        let frechet = mean(&|s| s.frechet);
        let accuracies: Option<Vec<f64>> = sets.iter().map(|s| s.accuracy).collect();
        let squares: f64 = sets.iter().map(|s| (s.frechet - frechet).powi(2)).sum();
        Self {
            mean: Score {
                pictures: sets.first().map_or(0, |s| s.pictures),
                frechet,
                accuracy: accuracies.map(|all| all.iter().sum::<f64>() / count),
                precision: mean(&|s| s.precision),
                recall: mean(&|s| s.recall),
                distance: mean(&|s| s.distance),
                memorised: mean(&|s| s.memorised),
            },
            deviation: (sets.len() > 1).then(|| (squares / (count - 1.0)).sqrt()),
        }
    }
}

/// Why pictures cannot be scored.
#[derive(Debug, Error)]
pub enum ScoreError {
    #[error("The classifier takes {expected} channels, but the pictures have {got}; choose the one of their data.")]
    Channels { expected: usize, got: usize },
    #[error("The classifier knows {known} classes, but the pictures have class {got}; choose the one of their data.")]
    Class { known: usize, got: usize },
    #[error("The measures need at least {} pictures, got {got}.", NEIGHBOURS + 1)]
    TooFew { got: usize },
    #[error(transparent)]
    Fit(#[from] FitError),
    #[error(transparent)]
    Backend(#[from] BackendError),
}

/// The training pictures as a classifier sees them, which samples are compared with.
pub struct Reference<'a> {
    classifier: &'a NoisyClassifier,
    device: &'a Device,
    features: Points,
    gaussian: Gaussian,
    training: Points,
}

impl<'a> Reference<'a> {
    /// A reference that compares features with those of the first `reference` pictures of `training`, and pixels with all of
    /// them. `watch` gets how many pictures the classifier has seen.
    ///
    /// # Errors
    /// Pictures that the classifier does not take, or too few of them; the device failed.
    pub fn new(
        classifier: &'a NoisyClassifier,
        device: &'a Device,
        training: &Album,
        reference: usize,
        watch: &mut dyn FnMut(usize),
    ) -> Result<Self, ScoreError> {
        let (features, _) = classify(classifier, device, &training.first(reference), watch)?;
        let gaussian = Gaussian::fit(&features)?;
        Ok(Self { classifier, device, features, gaussian, training: training.pixels() })
    }

    /// Numbers that the classifier makes of a picture.
    pub fn features(&self) -> usize {
        self.features.dimensions()
    }

    /// Scores `album`. Precision and recall are between it and as many reference pictures.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn score(&self, album: &Album, watch: &mut dyn FnMut(usize)) -> Result<Score, ScoreError> {
        let (features, classes) = classify(self.classifier, self.device, album, watch)?;
        let real = self.features.first(features.len());
        let right = album.labels.iter().zip(&classes).filter(|(label, class)| label == class).count();
        let near = self.nearest(album, 2);
        let size = self.training.dimensions() as f64;
        Ok(Score {
            pictures: album.len(),
            frechet: frechet(&self.gaussian, &Gaussian::fit(&features)?),
            accuracy: (!album.labels.is_empty()).then(|| right as f64 / album.len() as f64),
            precision: Manifold::new(&real, NEIGHBOURS).share(&features),
            recall: Manifold::new(&features, NEIGHBOURS).share(&real),
            distance: memory::distance(&near) / size.sqrt(),
            memorised: memory::memorised(&near),
        })
    }

    /// What sets of `n` pictures of `test`, which the model never saw, score in the mean. `watch` gets how many were scored.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn floor(&self, test: &Album, n: usize, watch: &mut dyn FnMut(usize)) -> Result<Floor, ScoreError> {
        let (sets, mut before) = (test.sets(n), 0);
        let score = |set: &Album| {
            let score = self.score(set, &mut |seen| watch(before + seen))?;
            before += set.len();
            Ok(score)
        };
        let scores: Result<Vec<_>, ScoreError> = sets.iter().map(score).collect();
        match scores?.as_slice() {
            [] => Err(ScoreError::TooFew { got: 0 }),
            scores => Ok(Floor::of(scores)),
        }
    }

    /// The `k` training pictures nearest to each picture of `album`, byte by byte.
    pub fn nearest(&self, album: &Album, k: usize) -> Vec<Vec<Neighbour>> {
        nearest(&album.pixels(), &self.training, k)
    }
}

/// The features of each picture and the class it is taken for.
fn classify(
    classifier: &NoisyClassifier,
    device: &Device,
    album: &Album,
    watch: &mut dyn FnMut(usize),
) -> Result<(Points, Vec<usize>), ScoreError> {
    let config = classifier.config();
    let [channels, height, width] = album.shape;
    if channels != config.in_channels {
        return Err(ScoreError::Channels { expected: config.in_channels, got: channels });
    }
    if let Some(&got) = album.labels.iter().find(|label| **label >= config.num_classes) {
        return Err(ScoreError::Class { known: config.num_classes, got });
    }
    let images = album.len();
    if images <= NEIGHBOURS {
        return Err(ScoreError::TooFew { got: images });
    }
    let (mut features, mut classes) = (Vec::new(), Vec::new());
    for from in (0..images).step_by(BATCH) {
        let to = (from + BATCH).min(images);
        let values = TensorData::new(album.values(from, to), [to - from, channels, height, width]);
        // Clean pictures are those of time 0.
        let seen = classifier.features(Tensor::from_data(values, device), &vec![0.0; to - from]);
        let [_, dimensions] = seen.dims();
        let both = Tensor::cat(vec![seen.clone(), classifier.classify(seen)], 1);
        for row in pollster::block_on(backend::read(both))?.chunks_exact(dimensions + config.num_classes) {
            let (seen, logits) = row.split_at(dimensions);
            features.extend_from_slice(seen);
            classes.push(largest(logits));
        }
        watch(to);
    }
    let dimensions = features.len() / images;
    Ok((Points::new(features, dimensions), classes))
}

/// The place of the largest number.
fn largest(values: &[f32]) -> usize {
    values.iter().enumerate().max_by(|(_, a), (_, b)| a.total_cmp(b)).map_or(0, |(i, _)| i)
}
