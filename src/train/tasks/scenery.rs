//! Scenes as the batches of a step. What is drawn is what `training/` draws from the same seed: the scenes from Python's generator, the
//! rest from numpy's, noise from torch's.

use crate::dataset::scenes::{PythonRandom, Scene, SceneSet};
use crate::math::TorchGenerator;
use crate::train::numpy::Numpy;
use burn::tensor::{Device, Tensor, TensorData};

/// The random stream of steps among those of a seed.
const DRAWS: u64 = 2;

/// The scenes of a recipe.
pub struct Scenery {
    pub set: SceneSet,
    pub seed: u64,
    /// Scenes of a step.
    pub size: usize,
    /// That pictures are made for.
    pub device: Device,
}

impl Scenery {
    pub fn scenes(&self, step: usize) -> Vec<Scene> {
        let mut rng = PythonRandom::new(&format!("{}-{DRAWS}-{step}", self.seed));
        (0..self.size).map(|_| self.set.scenes.draw(&mut rng)).collect()
    }

    /// What else is drawn in a step is drawn from here.
    pub fn draws(&self, step: usize) -> Numpy {
        Numpy::new(&[self.seed, DRAWS, step as u64])
    }

    /// `[scenes, 3, side, side]` in `[-1, 1]`.
    pub fn pictures<'a>(&self, scenes: impl ExactSizeIterator<Item = &'a Scene>) -> Tensor<4> {
        let (count, side) = (scenes.len(), self.set.sprites.side());
        self.tensor(scenes.flat_map(|scene| self.set.sprites.draw(scene)).collect(), [count, 3, side, side])
    }

    /// Standard normal noise of the generator that `draws` seeds.
    pub fn noise(&self, draws: &mut Numpy, shape: [usize; 4]) -> Tensor<4> {
        self.tensor(TorchGenerator::new(draws.integer()).randn(shape.iter().product()), shape)
    }

    pub fn tensor(&self, values: Vec<f32>, shape: [usize; 4]) -> Tensor<4> {
        Tensor::from_data(TensorData::new(values, shape), &self.device)
    }
}
