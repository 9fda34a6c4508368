//! To bring pictures to latents and back.

use super::{Measured, Scenery, Task};
use crate::backend::{self, BackendError};
use crate::dataset::scenes::{Part, PythonRandom, Scene};
use crate::models::autoencoder_kl::AutoencoderKl;
use crate::train::numpy::Numpy;
use crate::train::recipe::Reconstruction;
use crate::train::trainer::Loss;
use burn::tensor::Tensor;
use pollster::block_on;
use std::slice;

/// Pictures that go through the network at once where nothing is learnt.
const AT_ONCE: usize = 64;
/// Scenes that say how far latents spread.
const SPREAD: usize = 1024;

/// Reconstruction of scenes through one draw of their latents (Kingma & Welling 2014, arXiv 1312.6114).
pub struct Autoencode {
    pub scenery: Scenery,
    pub objective: Reconstruction,
    /// Channels and side of latents.
    pub latents: [usize; 2],
}

/// Pictures, and the noise that their latents are drawn with.
pub struct Pictures {
    x: Tensor<4>,
    noise: Tensor<4>,
}

impl Task for Autoencode {
    type Net = AutoencoderKl;
    type Kept = AutoencoderKl;
    type Batch = Pictures;

    fn batch(&mut self, step: usize) -> Pictures {
        let scenery = &self.scenery;
        let (scenes, mut draws) = (scenery.scenes(step), scenery.draws(step));
        let (size, side) = (scenery.size, scenery.set.sprites.side());
        let mut values: Vec<f32> = scenes.iter().flat_map(|scene| scenery.set.sprites.draw(&scene.parts)).collect();
        exchange(&mut values, [size, side], self.objective.shuffle, &mut draws);
        let [channels, latent] = self.latents;
        let noise = scenery.noise(&mut draws, [size, channels, latent, latent]);
        Pictures { x: scenery.tensor(values, [size, 3, side, side]), noise }
    }

    fn loss(&self, net: &AutoencoderKl, Pictures { x, noise }: &Pictures) -> Loss {
        let Reconstruction { l1, mse, gradients, kl, .. } = self.objective;
        let latents = net.encode(x.clone());
        let drawn = latents.mean.clone() + (latents.logvar.clone() * 0.5).exp() * noise.clone();
        let error = net.decode(drawn) - x.clone();
        let square = error.clone().square().mean();
        let [.., height, width] = error.dims();
        // The difference of differences is that of the error.
        let across = error.clone().narrow(3, 1, width - 1) - error.clone().narrow(3, 0, width - 1);
        let down = error.clone().narrow(2, 1, height - 1) - error.clone().narrow(2, 0, height - 1);
        let edges = across.abs().mean() + down.abs().mean();
        // Of the standard normal distribution (equation 10 of appendix B).
        let divergence = (latents.mean.square() + latents.logvar.clone().exp() - latents.logvar - 1.0).mean() * 0.5;
        let descended = error.abs().mean() * l1 + square.clone() * mse + edges * gradients + divergence * kl;
        Loss { descended, reported: square }
    }

    /// The mean squared error of the emoji that were kept back, from the mean of their latents.
    fn measure(&self, net: &AutoencoderKl, _: Option<usize>) -> Result<Option<Measured>, BackendError> {
        let both = self.kept_back(net)?;
        let count: usize = both.iter().map(|[x, _]| x.len()).sum();
        let square = |(a, b): (&f32, &f32)| f64::from(a - b).powi(2);
        let sum: f64 = both.iter().flat_map(|[x, again]| x.iter().zip(again).map(square)).sum();
        Ok((count > 0).then(|| Measured { loss: sum / count as f64, accuracy: None }))
    }

    fn kept(net: &AutoencoderKl) -> &AutoencoderKl {
        net
    }
}

impl Autoencode {
    /// Each emoji that was kept back, and its reconstruction, `3 * side * side` in `[-1, 1]`.
    pub fn kept_back(&self, net: &AutoencoderKl) -> Result<Vec<[Vec<f32>; 2]>, BackendError> {
        let emoji: Vec<Part> = self.scenery.set.kept_back.iter().map(|&index| Part::whole(index)).collect();
        let mut both = Vec::with_capacity(emoji.len());
        for some in emoji.chunks(AT_ONCE) {
            let x = self.scenery.pictures_of(some.iter().map(slice::from_ref));
            let again = net.decode(net.encode(x.clone()).mean).clamp(-1.0, 1.0);
            let [x, again] = [block_on(backend::read(x))?, block_on(backend::read(again))?];
            let size = x.len() / some.len();
            both.extend(x.chunks(size).zip(again.chunks(size)).map(|(x, again)| [x.to_vec(), again.to_vec()]));
        }
        Ok(both)
    }

    /// The latents' means of [`SPREAD`] scenes, by channel.
    pub fn spread(&self, net: &AutoencoderKl) -> Result<Vec<Vec<f32>>, BackendError> {
        let mut rng = PythonRandom::new("scaling");
        let scenes: Vec<Scene> = (0..SPREAD).map(|_| self.scenery.set.scenes.draw(&mut rng)).collect();
        let [channels, side] = self.latents;
        let mut by_channel = vec![Vec::new(); channels];
        for some in scenes.chunks(AT_ONCE) {
            let means = block_on(backend::read(net.encode(self.scenery.pictures(some)).mean))?;
            for (i, plane) in means.chunks(side * side).enumerate() {
                by_channel[i % channels].extend_from_slice(plane);
            }
        }
        Ok(by_channel)
    }
}

/// Red, green and blue exchanged in a share of the pictures, and half of all mirrored: more shades from the same drawings.
fn exchange(values: &mut [f32], [size, side]: [usize; 2], share: f64, draws: &mut Numpy) {
    let changed: Vec<bool> = (0..size).map(|_| draws.random() < share).collect();
    let orders: Vec<[usize; 3]> = (0..size)
        .map(|_| {
            let mut order = [0, 1, 2];
            draws.permute(&mut order);
            order
        })
        .collect();
    let plane = side * side;
    for (i, picture) in values.chunks_exact_mut(3 * plane).enumerate() {
        if draws.random() < 0.5 {
            picture.chunks_exact_mut(side).for_each(<[f32]>::reverse);
        }
        if changed[i] {
            let own = picture.to_vec();
            for (to, from) in picture.chunks_exact_mut(plane).zip(orders[i]) {
                to.copy_from_slice(&own[from * plane..(from + 1) * plane]);
            }
        }
    }
}
