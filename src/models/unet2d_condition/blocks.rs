//! The levels of the network: diffusers' `DownBlock2D`, `CrossAttnDownBlock2D`, `UNetMidBlock2DCrossAttn`, `UpBlock2D`
//! and `CrossAttnUpBlock2D`.

use super::Unet2dConditionConfig;
use crate::nn::{
    Context, Downsample2d, Norm, ResnetBlock2d, ResnetConfig, Transformer2d, Transformer2dConfig, Upsample2d,
};
use burn::module::Module;
use burn::tensor::{Device, Tensor};

/// What every level is built from.
pub(super) struct Stage<'a> {
    pub config: &'a Unet2dConditionConfig,
    pub device: &'a Device,
}

impl Stage<'_> {
    fn resnet(&self, channels: [usize; 2], output_scale_factor: f64) -> ResnetBlock2d {
        let config = ResnetConfig {
            norm: Norm { groups: self.config.norm_num_groups, eps: self.config.norm_eps },
            activation: self.config.act_fn,
            embedding: Some(self.config.time_embedding_dim),
            time_norm: self.config.resnet_time_scale_shift,
            output_scale_factor,
        };
        ResnetBlock2d::new(channels, &config, self.device)
    }

    fn transformer(&self, level: usize, only_cross_attention: bool) -> Transformer2d {
        let config = Transformer2dConfig {
            heads: self.config.heads[level],
            layers: self.config.transformer_layers_per_block[level],
            context: self.config.cross_attention_dim[level],
            groups: self.config.norm_num_groups,
            linear_projection: self.config.use_linear_projection,
            only_cross_attention,
        };
        Transformer2d::new(self.config.block_out_channels[level], &config, self.device)
    }

    /// As many transformers as there are layers, or none.
    fn transformers(&self, level: usize, layers: usize, attends: bool) -> Vec<Transformer2d> {
        let only = self.config.only_cross_attention[level];
        (0..layers).filter(|_| attends).map(|_| self.transformer(level, only)).collect()
    }
}

/// One level on the way down. Levels without attention have no `attentions`, the last has no `downsamplers`.
#[derive(Module, Debug)]
pub(super) struct DownBlock {
    resnets: Vec<ResnetBlock2d>,
    attentions: Vec<Transformer2d>,
    downsamplers: Vec<Downsample2d>,
}

impl DownBlock {
    pub fn new(stage: &Stage, level: usize, [inputs, outputs]: [usize; 2], downsamples: bool) -> Self {
        let (config, layers) = (stage.config, stage.config.layers_per_block[level]);
        let resnet = |i| stage.resnet([if i == 0 { inputs } else { outputs }, outputs], 1.0);
        let downsampler = || Downsample2d::new(outputs, config.downsample_padding, stage.device);
        Self {
            resnets: (0..layers).map(resnet).collect(),
            attentions: stage.transformers(level, layers, config.down_attention[level]),
            downsamplers: downsamples.then(downsampler).into_iter().collect(),
        }
    }

    /// Pushes every intermediate result onto `across`.
    pub fn forward(
        &self,
        mut x: Tensor<4>,
        emb: &Tensor<2>,
        text: Context<'_>,
        across: &mut Vec<Tensor<4>>,
    ) -> Tensor<4> {
        for (i, resnet) in self.resnets.iter().enumerate() {
            x = resnet.forward(x, Some(emb));
            if let Some(attention) = self.attentions.get(i) {
                x = attention.forward(x, text);
            }
            across.push(x.clone());
        }
        for downsampler in &self.downsamplers {
            x = downsampler.forward(x);
            across.push(x.clone());
        }
        x
    }
}

/// The lowest level: two residual blocks around a transformer.
#[derive(Module, Debug)]
pub(super) struct MidBlock {
    resnets: [ResnetBlock2d; 2],
    attentions: [Transformer2d; 1],
}

impl MidBlock {
    pub fn new(stage: &Stage) -> Self {
        let level = stage.config.block_out_channels.len() - 1;
        let channels = stage.config.block_out_channels[level];
        let scale = stage.config.mid_block_scale_factor;
        Self {
            resnets: [(); 2].map(|()| stage.resnet([channels, channels], scale)),
            attentions: [stage.transformer(level, false)],
        }
    }

    pub fn forward(&self, x: Tensor<4>, emb: &Tensor<2>, text: Context<'_>) -> Tensor<4> {
        let ([first, second], [attention]) = (&self.resnets, &self.attentions);
        second.forward(attention.forward(first.forward(x, Some(emb)), text), Some(emb))
    }
}

/// One level on the way up. Levels without attention have no `attentions`, the last has no `upsamplers`.
#[derive(Module, Debug)]
pub(super) struct UpBlock {
    resnets: Vec<ResnetBlock2d>,
    attentions: Vec<Transformer2d>,
    upsamplers: Vec<Upsample2d>,
}

impl UpBlock {
    /// `below` channels come up from the level below. What joins from across has `outputs` channels, but `across` in the
    /// last layer, which gets what the level was handed on the way down.
    pub fn new(stage: &Stage, level: usize, [below, across, outputs]: [usize; 3], upsamples: bool) -> Self {
        let (config, last) = (stage.config, stage.config.layers_per_block[level]);
        let resnet = |i| {
            let inputs = if i == 0 { below } else { outputs };
            stage.resnet([inputs + if i == last { across } else { outputs }, outputs], 1.0)
        };
        let attends = config.up_attention[config.block_out_channels.len() - 1 - level];
        Self {
            resnets: (0..=last).map(resnet).collect(),
            attentions: stage.transformers(level, last + 1, attends),
            upsamplers: upsamples.then(|| Upsample2d::new(outputs, stage.device)).into_iter().collect(),
        }
    }

    /// Pops what it joins off `across`.
    pub fn forward(
        &self,
        mut x: Tensor<4>,
        emb: &Tensor<2>,
        text: Context<'_>,
        across: &mut Vec<Tensor<4>>,
    ) -> Tensor<4> {
        for (i, resnet) in self.resnets.iter().enumerate() {
            let joined = Tensor::cat([x].into_iter().chain(across.pop()).collect(), 1);
            x = resnet.forward(joined, Some(emb));
            if let Some(attention) = self.attentions.get(i) {
                x = attention.forward(x, text);
            }
        }
        for (upsampler, next) in self.upsamplers.iter().zip(across.last()) {
            let [_, _, height, width] = next.dims();
            x = upsampler.forward(x, [height, width]);
        }
        x
    }
}
