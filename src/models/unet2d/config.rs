//! `config.json` of diffusers' `UNet2DModel`.

use crate::models::legacy;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use std::fmt;
use thiserror::Error;

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
    /// Channels of each level, from the picture's size down.
    pub block_out_channels: Vec<usize>,
    /// Whether each level attends on the way down.
    pub down_attention: Vec<bool>,
    /// Whether each level attends on the way up, the lowest first.
    pub up_attention: Vec<bool>,
    pub mid_block: bool,
    /// Whether the middle block attends.
    pub add_attention: bool,
    /// What the middle block's sums are divided by.
    pub mid_block_scale_factor: f64,
    pub layers_per_block: usize,
    /// 1 on every side, or 0: then one row and one column of zeros follow the picture.
    pub downsample_padding: usize,
    /// Channels of an attention head; `None` is one head.
    pub attention_head_dim: Option<usize>,
    pub norm_num_groups: usize,
    /// Groups of the middle block's attention.
    pub attn_norm_num_groups: usize,
    pub norm_eps: f64,
    /// Rows of the class embedding.
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
}

/// Why a configuration is refused.
#[derive(Debug, Error, PartialEq)]
pub enum ConfigError {
    #[error("The network's config.json is not a JSON object: {0}.")]
    Json(String),
    #[error("The network's config.json sets {key} to {value}, but this version supports only {supported}.")]
    Refused { key: &'static str, value: String, supported: String },
    #[error(
        "The network's config.json sets {key} to {value}, and the UNet2DModel that this version builds has no such key."
    )]
    Unknown { key: String, value: String },
    #[error("The network's config.json describes a {0}, but this version runs only a UNet2DModel.")]
    Class(String),
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
        let mut map = serde_json::from_str(json).map_err(|e| ConfigError::Json(e.to_string()))?;
        legacy::config(&mut map);
        let mut k = Keys(map);
        k.class()?;
        k.one_of("act_fn", &["silu", "swish"])?;
        k.one_of("resnet_time_scale_shift", &["default"])?;
        k.one_of("downsample_type", &["conv"])?;
        k.one_of("upsample_type", &["conv"])?;
        k.take("class_embed_type", Value::Null, "null", |v: &Value| v.is_null())?;
        // Only training drops out, and only learned time embeddings depend on the number of timesteps.
        k.take("dropout", json!(0.0), "a number from 0 to 1", |p: &f64| (0.0..=1.0).contains(p))?;
        k.take("num_train_timesteps", Value::Null, "null or a number", |_: &Option<u64>| true)?;

        let block_out_channels = k.take(
            "block_out_channels",
            json!([224, 448, 672, 896]),
            "a list of 1 to 8 numbers from 2 to 4096",
            |c: &Vec<usize>| (1..=8).contains(&c.len()) && c.iter().all(|c| (2..=4096).contains(c)),
        )?;
        let channels = &block_out_channels;
        let (first, last, levels) = (channels[0], channels[channels.len() - 1], channels.len());
        let down_attention =
            k.attention("down_block_types", [false, true, true, true], ["DownBlock2D", "AttnDownBlock2D"], levels)?;
        let up_attention =
            k.attention("up_block_types", [true, true, true, false], ["UpBlock2D", "AttnUpBlock2D"], levels)?;
        let mid: Option<String> =
            k.take("mid_block_type", json!("UNetMidBlock2D"), "\"UNetMidBlock2D\" or null", |m: &Option<String>| {
                m.as_deref().is_none_or(|m| m == "UNetMidBlock2D")
            })?;
        let add_attention = k.take("add_attention", json!(true), "true or false", |_| true)?;
        // The channels of every attention: each level's on the way down and up, and the middle's.
        let attending: Vec<usize> = (channels.iter().zip(&down_attention))
            .chain(channels.iter().rev().zip(&up_attention))
            .chain([(&last, &(mid.is_some() && add_attention))])
            .filter_map(|(&c, &attends)| attends.then_some(c))
            .collect();
        let attention_head_dim = k.take(
            "attention_head_dim",
            json!(8),
            "null or a number that divides the channels of every level with attention",
            |d: &Option<usize>| d.is_none_or(|d| d > 0 && attending.iter().all(|c| c.is_multiple_of(d))),
        )?;
        let norm_num_groups =
            k.take("norm_num_groups", json!(32), "a number that divides the channels of every level", |&g: &usize| {
                g > 0 && channels.iter().all(|c| c.is_multiple_of(g))
            })?;
        let attn_norm_num_groups = k.take(
            "attn_norm_num_groups",
            Value::Null,
            "null or a number that divides the channels of the last level",
            |g: &Option<usize>| g.is_none_or(|g| g > 0 && last.is_multiple_of(g)),
        )?;
        let downsample_padding = k.take("downsample_padding", json!(1), "0 or 1", |p| *p <= 1)?;
        let time_embedding_dim =
            k.take("time_embedding_dim", Value::Null, "null or a number from 1 to 16384", |d: &Option<usize>| {
                d.is_none_or(|d| (1..=16384).contains(&d))
            })?;

        let heads = |c: usize| attention_head_dim.map_or(1, |d| c / d);
        let fits = |[height, width]: [usize; 2]| {
            let smallest = 1 << (levels - 1);
            let feature_maps = (channels.iter().enumerate()).map(|(i, c)| {
                // Going up, a level joins what comes from below to what it passed across.
                let below = channels.get(i + 1).unwrap_or(c);
                (c + below) * (height >> i).max(1) * (width >> i).max(1)
            });
            let attention = (channels.iter().zip(&down_attention).zip(up_attention.iter().rev()).enumerate())
                .filter(|(_, ((_, down), up))| **down || **up)
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
        let config = Self {
            sample_size: sample_size.pair(),
            in_channels: k.take("in_channels", json!(3), "a number from 1 to 64", |n| (1..=64).contains(n))?,
            out_channels: k.take("out_channels", json!(3), "a number from 1 to 64", |n| (1..=64).contains(n))?,
            center_input_sample: k.take("center_input_sample", json!(false), "true or false", |_| true)?,
            time_embedding_type: k.take(
                "time_embedding_type",
                json!("positional"),
                "\"positional\" or \"fourier\"",
                |_| true,
            )?,
            time_embedding_dim: time_embedding_dim.unwrap_or(4 * first),
            freq_shift: k.take(
                "freq_shift",
                json!(0),
                "a number from 0 to below half the first level's channels",
                |v| (0.0..(first / 2) as f64).contains(v),
            )?,
            flip_sin_to_cos: k.take("flip_sin_to_cos", json!(true), "true or false", |_| true)?,
            mid_block: mid.is_some(),
            add_attention,
            mid_block_scale_factor: k.take("mid_block_scale_factor", json!(1), "a number above 0", |v| *v > 0.0)?,
            layers_per_block: k
                .take("layers_per_block", json!(2), "a number from 1 to 16", |n| (1..=16).contains(n))?,
            attn_norm_num_groups: attn_norm_num_groups.unwrap_or(norm_num_groups),
            norm_eps: k.take("norm_eps", json!(1e-5), "a number above 0 and below 1", |v| *v > 0.0 && *v < 1.0)?,
            num_class_embeds: k.take(
                "num_class_embeds",
                Value::Null,
                "null or a number from 1 to 100000",
                |n: &Option<usize>| n.is_none_or(|n| (1..=100_000).contains(&n)),
            )?,
            block_out_channels,
            down_attention,
            up_attention,
            downsample_padding,
            attention_head_dim,
            norm_num_groups,
        };
        k.all_taken()?;
        Ok(config)
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
        let levels = self.down_attention.iter().zip(self.up_attention.iter().rev()).enumerate();
        let attending = levels.filter(|(_, (down, up))| **down || **up).map(|(i, _)| i);
        let mut attention: Vec<_> = attending.map(|i| format!("{} x {}", width >> i, height >> i)).collect();
        attention.extend((self.mid_block && self.add_attention).then(|| "the middle".to_owned()));
        let attention =
            if attention.is_empty() { "nowhere".to_owned() } else { format!("at {}", attention.join(", ")) };
        let time = match self.time_embedding_type {
            TimeEmbedding::Positional => "positional",
            TimeEmbedding::Fourier => "Fourier",
        };
        let (channels, layers) = (channels.join("-"), self.layers_per_block);
        let layers = format!("{layers} layer{}", if layers == 1 { "" } else { "s" });
        write!(f, "UNet2DModel, {channels} channels, {layers} a level, attention {attention}, {time} time embedding")
    }
}

/// `sample_size`: one number for both sides, or height and width.
#[derive(Deserialize)]
#[serde(untagged)]
enum Size {
    Square(usize),
    Pair([usize; 2]),
}

impl Size {
    fn pair(&self) -> [usize; 2] {
        match *self {
            Self::Square(side) => [side, side],
            Self::Pair(pair) => pair,
        }
    }
}

/// The beginning of a value, as a message shows it.
fn shown(value: &Value) -> String {
    value.to_string().chars().take(80).collect()
}

/// The keys of a configuration that were not read yet.
struct Keys(Map<String, Value>);

impl Keys {
    /// The value of `key`, or of `default` where it is absent, if it is a `T` that `fits`.
    fn take<T: DeserializeOwned>(
        &mut self,
        key: &'static str,
        default: Value,
        supported: &str,
        fits: impl FnOnce(&T) -> bool,
    ) -> Result<T, ConfigError> {
        let value = self.0.remove(key).unwrap_or(default);
        T::deserialize(&value).ok().filter(fits).ok_or_else(|| ConfigError::Refused {
            key,
            value: shown(&value),
            supported: supported.to_owned(),
        })
    }

    /// One of the strings `supported`, the first of which is the default.
    fn one_of(&mut self, key: &'static str, supported: &[&str]) -> Result<String, ConfigError> {
        let listed: Vec<_> = supported.iter().map(|s| format!("{s:?}")).collect();
        self.take(key, json!(supported[0]), &listed.join(" or "), |v: &String| supported.contains(&v.as_str()))
    }

    /// A block type for each level: whether it is the second of `types`, the one with attention.
    fn attention(
        &mut self,
        key: &'static str,
        default: [bool; 4],
        types: [&str; 2],
        levels: usize,
    ) -> Result<Vec<bool>, ConfigError> {
        let default = default.map(|attends| types[usize::from(attends)]);
        let supported = format!("{:?} and {:?}, one for each of block_out_channels", types[0], types[1]);
        let list = self.take(key, json!(default), &supported, |list: &Vec<String>| {
            list.len() == levels && list.iter().all(|t| types.contains(&t.as_str()))
        })?;
        Ok(list.iter().map(|t| t == types[1]).collect())
    }

    /// The class is `UNet2DModel`, by its name of now or of diffusers 0.1, or is not named.
    fn class(&self) -> Result<(), ConfigError> {
        match self.0.get("_class_name").and_then(Value::as_str) {
            None | Some("UNet2DModel" | "UNetUnconditionalModel") => Ok(()),
            Some(other) => Err(ConfigError::Class(other.to_owned())),
        }
    }

    /// Only notes are left, and keys that other versions of diffusers know and that are switched off.
    fn all_taken(self) -> Result<(), ConfigError> {
        let is_off = |value: &Value| match value {
            Value::Null | Value::Bool(false) => true,
            Value::Number(number) => number.as_f64() == Some(0.0),
            Value::String(text) => text.is_empty(),
            Value::Array(list) => list.is_empty(),
            Value::Object(keys) => keys.is_empty(),
            Value::Bool(true) => false,
        };
        match self.0.into_iter().find(|(key, value)| !key.starts_with('_') && !is_off(value)) {
            Some((key, value)) => Err(ConfigError::Unknown { key, value: shown(&value) }),
            None => Ok(()),
        }
    }
}
