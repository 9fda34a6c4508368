//! Scenes as the batches of a step. What is drawn is what `training/` draws from the same seed: the scenes from Python's generator, the
//! rest from numpy's, noise from torch's.

use crate::dataset::scenes::{Part, PythonRandom, Scene, SceneSet};
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
        self.scenes_of(&mut self.random(step))
    }

    /// The scenes of a step with a caption each that is not true of it. There is more than one base emoji.
    pub fn scenes_and_wrong(&self, step: usize) -> (Vec<Scene>, Vec<String>) {
        let mut rng = self.random(step);
        let scenes = self.scenes_of(&mut rng);
        let wrong = scenes.iter().map(|scene| self.set.scenes.wrong(scene, &mut rng)).collect();
        (scenes, wrong)
    }

    fn random(&self, step: usize) -> PythonRandom {
        PythonRandom::new(&format!("{}-{DRAWS}-{step}", self.seed))
    }

    fn scenes_of(&self, rng: &mut PythonRandom) -> Vec<Scene> {
        (0..self.size).map(|_| self.set.scenes.draw(rng)).collect()
    }

    /// What else is drawn in a step is drawn from here.
    pub fn draws(&self, step: usize) -> Numpy {
        Numpy::new(&[self.seed, DRAWS, step as u64])
    }

    /// `[scenes, 3, side, side]` in `[-1, 1]`.
    pub fn pictures(&self, scenes: &[Scene]) -> Tensor<4> {
        self.pictures_of(scenes.iter().map(|scene| &scene.parts[..]))
    }

    /// The same of what stands in scenes.
    pub fn pictures_of<'a>(&self, scenes: impl ExactSizeIterator<Item = &'a [Part]>) -> Tensor<4> {
        let (count, side) = (scenes.len(), self.set.sprites.side());
        self.tensor(scenes.flat_map(|parts| self.set.sprites.draw(parts)).collect(), [count, 3, side, side])
    }

    /// Standard normal noise of the generator that `draws` seeds.
    pub fn noise(&self, draws: &mut Numpy, shape: [usize; 4]) -> Tensor<4> {
        self.tensor(TorchGenerator::new(draws.integer()).randn(shape.iter().product()), shape)
    }

    pub fn tensor(&self, values: Vec<f32>, shape: [usize; 4]) -> Tensor<4> {
        Tensor::from_data(TensorData::new(values, shape), &self.device)
    }
}
