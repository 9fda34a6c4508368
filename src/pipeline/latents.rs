//! Between the space that a network draws in and pictures.

use super::tiles::tiled;
use crate::backend;
use crate::models::CoderConfig;
use crate::models::autoencoder_kl::{AutoencoderKl, Gaussian};
use crate::models::autoencoder_tiny::AutoencoderTiny;
use crate::models::vq_model::VqModel;
use burn::tensor::Tensor;

/// Bytes of the activations of one picture at an autoencoder's widest level, of which it holds several at a time; a picture that needs
/// more goes through it in tiles. That of Stable Diffusion comes here beyond 1024×1024 pixels.
const MOST: usize = 1 << 29;

/// Pixels that are decoded together.
const TOGETHER: usize = 16 * 64 * 64;

/// What a pipeline's network draws.
#[derive(Debug)]
pub enum Latents {
    /// Pictures themselves.
    Pixels,
    /// Latents of a variational autoencoder.
    Kl(Box<AutoencoderKl>),
    /// Latents of a small autoencoder in the place of a variational one.
    Tiny(Box<AutoencoderTiny>),
    /// Latents of an autoencoder with a codebook.
    Vq(Box<VqModel>),
}

impl Latents {
    /// The pictures of what was drawn, whose values lie within -1 and 1 but for errors.
    ///
    /// # Shapes
    /// `[batch, channels, height, width]` to `[batch, 3, factor height, factor width]`.
    pub fn decode(&self, x: Tensor<4>) -> Tensor<4> {
        if self.is_large(self.pixels(&x)) { self.decode_tiled(x) } else { self.decode_whole(x) }
    }

    /// The same in parts, each of no more pictures than do with the memory of their network. On the processor each picture is one, on
    /// a core of its own: as with the network, what it comes to must not depend on the others.
    pub fn decode_parts(&self, x: &Tensor<4>) -> Vec<Tensor<4>> {
        let [images, ..] = x.dims();
        let part = |from: usize, count: usize| self.decode(x.clone().narrow(0, from, count.min(images - from)));
        if backend::one_by_one(&x.device()) {
            return backend::on_cores(images, |i| part(i, 1));
        }
        let together = (TOGETHER / self.pixels(x).iter().product::<usize>()).max(1);
        (0..images).step_by(together).map(|from| part(from, together)).collect()
    }

    /// The same in overlapping tiles of the size that the autoencoder was trained at, as diffusers' `enable_tiling` decodes: the
    /// tiles take less memory, and each is normalised by itself, so that colours may differ a little.
    pub fn decode_tiled(&self, x: Tensor<4>) -> Tensor<4> {
        match self.tile(self.pixels(&x)) {
            Some(side) => tiled(x, [side / self.factor(), side], |tile| self.decode_whole(tile)),
            None => self.decode_whole(x),
        }
    }

    fn decode_whole(&self, x: Tensor<4>) -> Tensor<4> {
        match self {
            Self::Pixels => x,
            // No pipeline that is drawn here adds the shift_factor of the configuration.
            Self::Kl(net) => net.decode(net.unscaled(x)),
            Self::Tiny(net) => net.decode(x / net.config().scaling_factor),
            Self::Vq(net) => net.decode(x / net.config().coder.scaling_factor),
        }
    }

    /// What would be drawn of pictures: the inverse of [`decode`](Self::decode), but for what the autoencoder loses. Of a
    /// distribution it is the mean.
    ///
    /// # Shapes
    /// `[batch, 3, factor height, factor width]` to `[batch, channels, height, width]`.
    pub fn encode(&self, pictures: Tensor<4>) -> Tensor<4> {
        let tile = self.tile_of_large(&pictures);
        self.mean(self.coded(pictures, tile))
    }

    /// The same in overlapping tiles, as diffusers' `enable_tiling` encodes.
    pub fn encode_tiled(&self, pictures: Tensor<4>) -> Tensor<4> {
        let [_, _, height, width] = pictures.dims();
        self.mean(self.coded(pictures, self.tile([height, width])))
    }

    /// What the encoder makes of pictures, in tiles of a side where they are too large for one piece.
    fn coded(&self, pictures: Tensor<4>, tile: Option<usize>) -> Tensor<4> {
        let code = |pictures| match self {
            Self::Pixels => pictures,
            Self::Kl(net) => net.moments(pictures),
            Self::Tiny(net) => net.encode(pictures),
            Self::Vq(net) => net.encode(pictures),
        };
        match tile {
            Some(side) => tiled(pictures, [side, side / self.factor()], code),
            None => code(pictures),
        }
    }

    /// The latents of what the encoder made; of a distribution their mean.
    fn mean(&self, coded: Tensor<4>) -> Tensor<4> {
        match self {
            Self::Pixels => coded,
            Self::Kl(net) => net.scaled(Gaussian::of(coded).mean),
            Self::Tiny(net) => coded * net.config().scaling_factor,
            Self::Vq(net) => coded * net.config().coder.scaling_factor,
        }
    }

    /// The side of a tile, where pictures need more memory than whole ones may.
    fn tile_of_large(&self, pictures: &Tensor<4>) -> Option<usize> {
        let [_, _, height, width] = pictures.dims();
        self.tile([height, width]).filter(|_| self.is_large([height, width]))
    }

    /// Whether a picture of this height and width needs more memory than a whole one may.
    fn is_large(&self, [height, width]: [usize; 2]) -> bool {
        let channels = self.coder().map_or(0, |coder| coder.block_out_channels[0]);
        size_of::<f32>() * channels * height * width > MOST
    }

    /// The side of a tile, where a picture of this height and width is larger.
    fn tile(&self, [height, width]: [usize; 2]) -> Option<usize> {
        let (coder, factor) = (self.coder()?, self.factor());
        let side = (coder.sample_size / factor).max(1) * factor;
        (height.max(width) > side).then_some(side)
    }

    /// Height and width of the picture of latents.
    fn pixels(&self, x: &Tensor<4>) -> [usize; 2] {
        let [_, _, height, width] = x.dims();
        [height, width].map(|side| side * self.factor())
    }

    /// The same as [`encode`](Self::encode), drawn from the distribution with `noise` of its shape where there is one.
    pub fn encode_with(&self, pictures: Tensor<4>, noise: impl FnOnce(&Tensor<4>) -> Tensor<4>) -> Tensor<4> {
        let tile = self.tile_of_large(&pictures);
        let coded = self.coded(pictures, tile);
        match self {
            Self::Kl(net) => {
                let Gaussian { mean, logvar } = Gaussian::of(coded);
                let noise = noise(&mean);
                net.scaled(mean + (logvar / 2.0).exp() * noise)
            }
            _ => self.mean(coded),
        }
    }

    /// How many pixels of the picture a place is wide and high.
    pub fn factor(&self) -> usize {
        match self {
            Self::Pixels => 1,
            Self::Kl(net) => net.config().coder.factor(),
            Self::Tiny(net) => net.config().factor(),
            Self::Vq(net) => net.config().coder.factor(),
        }
    }

    /// Channels of a latent; `None` for pictures.
    pub fn channels(&self) -> Option<usize> {
        match self {
            Self::Pixels => None,
            Self::Kl(net) => Some(net.config().coder.latent_channels),
            Self::Tiny(net) => Some(net.config().latent_channels),
            Self::Vq(net) => Some(net.config().vq_embed_dim),
        }
    }

    /// Channels of the pictures of latents.
    pub fn picture_channels(&self) -> Option<usize> {
        match self {
            Self::Pixels => None,
            Self::Kl(net) => Some(net.config().coder.out_channels),
            Self::Tiny(net) => Some(net.config().out_channels),
            Self::Vq(net) => Some(net.config().coder.out_channels),
        }
    }

    /// What a large autoencoder is built from; a small one takes pictures of any size whole.
    fn coder(&self) -> Option<&CoderConfig> {
        match self {
            Self::Pixels | Self::Tiny(_) => None,
            Self::Kl(net) => Some(&net.config().coder),
            Self::Vq(net) => Some(&net.config().coder),
        }
    }
}
