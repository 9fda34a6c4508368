//! `config.json` of diffusers' `UNet2DModel`.

use super::BlockType;
use crate::models::keys::{ConfigError, Keys, Size};
use crate::models::legacy;
use crate::nn::{Activation, Sampling, TimeNorm, skip_groups};
use serde::Deserialize;
use serde_json::{Value, json};
use std::fmt;

/// A `UNet2DModel` that this version can build. Fields are named as in diffusers and mean the same.
#[derive(Clone, Debug, PartialEq)]
pub struct Unet2dConfig {
    /// Height and width in pixels.
    pub sample_size: [usize; 2],
    pub in_channels: usize,
    pub out_channels: usize,
    /// Whether pictures come in `[0, 1]` and are first mapped to `[-1, 1]`.
    pub center_input_sample: bool,
    pub time_embedding_type: TimeEmbedding,
    /// Width of the conditioning vector.
    pub time_embedding_dim: usize,
    pub freq_shift: f64,
    pub flip_sin_to_cos: bool,
    /// Rows of a learned embedding of the time.
    pub num_train_timesteps: Option<usize>,
    /// Channels of each level, from the picture's size down.
    pub block_out_channels: Vec<usize>,
    pub down_block_types: Vec<BlockType>,
    /// The lowest first.
    pub up_block_types: Vec<BlockType>,
    pub mid_block: bool,
    /// Whether the middle block attends.
    pub add_attention: bool,
    /// What the middle block's sums are divided by.
    pub mid_block_scale_factor: f64,
    pub layers_per_block: usize,
    /// 1 on every side, or 0: then one row and one column of zeros follow the picture.
    pub downsample_padding: usize,
    pub act_fn: Activation,
    /// Channels of an attention head; `None` is one head.
    pub attention_head_dim: Option<usize>,
    /// `None` only where every level carries a picture beside its features, and so has groups of its own.
    pub norm_num_groups: Option<usize>,
    /// Groups of the middle block's attention; `None` for one without a normalisation.
    pub attn_norm_num_groups: Option<usize>,
    pub norm_eps: f64,
    pub resnet_time_scale_shift: TimeNorm,
    pub class_embed_type: ClassEmbedding,
    /// Number of classes, of which the embedding has a row each.
    pub num_class_embeds: Option<usize>,
}

/// How the time is embedded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeEmbedding {
    /// Sines and cosines of the time.
    Positional,
    /// Sines and cosines of its logarithm at random frequencies; the output is divided by the time, which is above 0.
    Fourier,
    /// A row for each whole time.
    Learned,
}

/// How a class is embedded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClassEmbedding {
    /// A row for each of `num_class_embeds`, where there are any.
    Rows,
    /// Its number, as the time is.
    Timestep,
    /// What is given as the class is the embedding: [`forward_conditioned`](super::Unet2d::forward_conditioned) takes it.
    Identity,
}

/// The longest tensor that one image may need, in elements: 128 MiB, what every WebGPU device binds.
const LARGEST_TENSOR: usize = 1 << 25;

impl Unet2dConfig {
    /// Reads the JSON text of a configuration. Keys that it lacks have diffusers' defaults, keys of its first versions their
    /// later names; keys that begin with an underscore are notes.
    ///
    /// # Errors
    /// Text that is no JSON object; a key that diffusers does not know; a value that this version cannot build, or that
    /// is too large to be meant.
    pub fn from_json(json: &str) -> Result<Self, ConfigError> {
        let mut k = Keys::read("UNet2DModel", json)?.renamed(legacy::config);
        // Its names of now and of diffusers 0.1.
        k.class(&["UNet2DModel", "UNetUnconditionalModel"])?;
        // Only training drops out.
        k.take("dropout", json!(0.0), "a number from 0 to 1", |p: &f64| (0.0..=1.0).contains(p))?;

        let block_out_channels = k.take(
            "block_out_channels",
            json!([224, 448, 672, 896]),
            "a list of 1 to 8 numbers from 2 to 4096",
            |c: &Vec<usize>| (1..=8).contains(&c.len()) && c.iter().all(|c| (2..=4096).contains(c)),
        )?;
        let channels = &block_out_channels;
        let (first, last, levels) = (channels[0], channels[channels.len() - 1], channels.len());
        let downsample_padding = k.take("downsample_padding", json!(1), "0 or 1", |p| *p <= 1)?;
        let resnet = |k: &mut Keys, key| {
            let value: Option<String> =
                k.take(key, json!("conv"), "\"conv\" or \"resnet\"", |v: &Option<String>| {
                    v.as_deref().is_none_or(|v| v == "conv" || v == "resnet")
                })?;
            Ok(value.as_deref() == Some("resnet"))
        };
        let [down_resnet, up_resnet] = [resnet(&mut k, "downsample_type")?, resnet(&mut k, "upsample_type")?];
        let down_block_types =
            BlockType::list(&mut k, "Down", [false, true, true, true], levels, down_resnet, downsample_padding)?;
        let up_block_types =
            BlockType::list(&mut k, "Up", [true, true, true, false], levels, up_resnet, downsample_padding)?;
        let mid: Option<String> =
            k.take("mid_block_type", json!("UNetMidBlock2D"), "\"UNetMidBlock2D\" or null", |m: &Option<String>| {
                m.as_deref().is_none_or(|m| m == "UNetMidBlock2D")
            })?;
        let add_attention = k.flag("add_attention", true)?;
        // The channels of every attention: each level's on the way down and up, and the middle's.
        let attending: Vec<usize> = (channels.iter().zip(&down_block_types))
            .chain(channels.iter().rev().zip(&up_block_types))
            .filter_map(|(&c, block)| block.attends.then_some(c))
            .chain((mid.is_some() && add_attention).then_some(last))
            .collect();
        let attention_head_dim = k.take(
            "attention_head_dim",
            json!(8),
            "null or a number that is at most the channels of every level with attention",
            |d: &Option<usize>| d.is_none_or(|d| d > 0 && attending.iter().all(|c| *c >= d)),
        )?;
        let resnet_time_scale_shift =
            k.take("resnet_time_scale_shift", "default", "\"default\" or \"scale_shift\"", |_| true)?;
        let skips = |blocks: &[BlockType]| blocks.iter().all(|block| block.sampling == Sampling::Skip);
        let all_skip = skips(&down_block_types) && skips(&up_block_types);
        let norm_num_groups = k.take(
            "norm_num_groups",
            json!(32),
            "a number that divides the channels of every level, or null where every block is one of the Skip blocks",
            |g: &Option<usize>| match g {
                // Levels with a picture beside them have groups of their own; the middle and the end do not.
                Some(g) if all_skip => *g > 0 && first.is_multiple_of(*g) && last.is_multiple_of(*g),
                Some(g) => *g > 0 && channels.iter().all(|c| c.is_multiple_of(*g)),
                None => all_skip,
            },
        )?;
        let attn_norm_num_groups = k.take(
            "attn_norm_num_groups",
            Value::Null,
            "null or a number that divides the channels of the last level",
            |g: &Option<usize>| g.is_none_or(|g| g > 0 && last.is_multiple_of(g)),
        )?;
        let own_groups = norm_num_groups.unwrap_or(skip_groups(last));
        let attn_norm_num_groups =
            attn_norm_num_groups.or((resnet_time_scale_shift == TimeNorm::Default).then_some(own_groups));

        let heads = |c: usize| attention_head_dim.map_or(1, |d| c / d);
        let fits = |[height, width]: [usize; 2]| {
            let smallest = 1 << (levels - 1);
            let feature_maps = (channels.iter().enumerate()).map(|(i, c)| {
                // Going up, a level joins what comes from below to what it passed across.
                let below = channels.get(i + 1).unwrap_or(c);
                (c + below) * (height >> i).max(1) * (width >> i).max(1)
            });
            let attention = (channels.iter().zip(&down_block_types).zip(up_block_types.iter().rev()).enumerate())
                .filter(|(_, ((_, down), up))| down.attends || up.attends)
                .map(|(i, ((&c, _), _))| heads(c) * ((height >> i) * (width >> i)).pow(2));
            height.min(width) >= smallest
                && height.max(width) <= 4096
                && feature_maps.chain(attention).all(|n| n <= LARGEST_TENSOR)
        };
        let sample_size = k.take(
            "sample_size",
            Value::Null,
            "a size, or a height and a width, that its levels can halve and for which no tensor of an image passes 128 MiB",
            |s: &Size| fits(s.pair()),
        )?;
        let time_embedding_type =
            k.take("time_embedding_type", "positional", "\"positional\", \"fourier\" or \"learned\"", |_| true)?;
        let learned = time_embedding_type == TimeEmbedding::Learned;
        let num_train_timesteps = k.take(
            "num_train_timesteps",
            Value::Null,
            "a number from 1 to 100000, or null where the time embedding is not learned",
            |n: &Option<usize>| n.map_or(!learned, |n| (1..=100_000).contains(&n)),
        )?;
        let class_embed_type: Option<ClassEmbedding> =
            k.take("class_embed_type", Value::Null, "null, \"timestep\" or \"identity\"", |v| {
                *v != Some(ClassEmbedding::Rows)
            })?;
        let config = Self {
            sample_size: sample_size.pair(),
            in_channels: k.count("in_channels", 3, 64)?,
            out_channels: k.count("out_channels", 3, 64)?,
            center_input_sample: k.flag("center_input_sample", false)?,
            time_embedding_type,
            time_embedding_dim: k.maybe("time_embedding_dim", 16384)?.unwrap_or(4 * first),
            freq_shift: k.take(
                "freq_shift",
                json!(0),
                "a number from 0 to below half the first level's channels",
                |v| (0.0..(first / 2) as f64).contains(v),
            )?,
            flip_sin_to_cos: k.flag("flip_sin_to_cos", true)?,
            num_train_timesteps: num_train_timesteps.filter(|_| learned),
            mid_block: mid.is_some(),
            add_attention,
            mid_block_scale_factor: k.take("mid_block_scale_factor", json!(1), "a number above 0", |v| *v > 0.0)?,
            layers_per_block: k.count("layers_per_block", 2, 16)?,
            act_fn: k.activation("act_fn", "silu")?,
            attn_norm_num_groups,
            norm_eps: k.eps("norm_eps", 1e-5)?,
            resnet_time_scale_shift,
            class_embed_type: class_embed_type.unwrap_or(ClassEmbedding::Rows),
            num_class_embeds: k.maybe("num_class_embeds", 100_000)?,
            block_out_channels,
            down_block_types,
            up_block_types,
            downsample_padding,
            attention_head_dim,
            norm_num_groups,
        };
        config.skips_fit(&k)?;
        k.all_taken()?;
        Ok(config)
    }

    /// Number of classes that it can be told of, `None` for a network without.
    pub fn classes(&self) -> Option<usize> {
        /// Where classes are embedded as times are, no number of them is bound to be said.
        const UNSAID: usize = 1000;
        match self.class_embed_type {
            ClassEmbedding::Rows => self.num_class_embeds,
            ClassEmbedding::Timestep => Some(self.num_class_embeds.unwrap_or(UNSAID)),
            ClassEmbedding::Identity => None,
        }
    }

    /// Attention heads of a block with `channels`.
    pub fn heads(&self, channels: usize) -> usize {
        self.attention_head_dim.map_or(1, |dim| channels / dim)
    }
}

impl fmt::Display for Unet2dConfig {
    /// The network in a line: channels, layers, where it attends and how the time is embedded.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let channels: Vec<_> = self.block_out_channels.iter().map(usize::to_string).collect();
        let [height, width] = self.sample_size;
        let levels = self.down_block_types.iter().zip(self.up_block_types.iter().rev()).enumerate();
        let attending = levels.filter(|(_, (down, up))| down.attends || up.attends).map(|(i, _)| i);
        let mut attention: Vec<_> = attending.map(|i| format!("{} x {}", width >> i, height >> i)).collect();
        attention.extend((self.mid_block && self.add_attention).then(|| "the middle".to_owned()));
        let attention =
            if attention.is_empty() { "nowhere".to_owned() } else { format!("at {}", attention.join(", ")) };
        let time = match self.time_embedding_type {
            TimeEmbedding::Positional => "positional",
            TimeEmbedding::Fourier => "Fourier",
            TimeEmbedding::Learned => "learned",
        };
        let (channels, layers) = (channels.join("-"), self.layers_per_block);
        let layers = format!("{layers} layer{}", if layers == 1 { "" } else { "s" });
        write!(f, "UNet2DModel, {channels} channels, {layers} a level, attention {attention}, {time} time embedding")
    }
}
