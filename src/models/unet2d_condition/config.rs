use crate::models::keys::{ConfigError, Keys, Size};
use crate::nn::{Activation, TimeNorm};
use serde::Deserialize;
use serde_json::{Value, json};

/// `unet/config.json` of diffusers' `UNet2DConditionModel`. Fields are named as there and mean the same.
#[derive(Clone, Debug, PartialEq)]
pub struct Unet2dConditionConfig {
    /// Height and width of the latents; `None` where the configuration leaves them open.
    pub sample_size: Option<[usize; 2]>,
    pub in_channels: usize,
    pub out_channels: usize,
    pub center_input_sample: bool,
    pub flip_sin_to_cos: bool,
    pub freq_shift: f64,
    /// Channels of each level, from the input's size down.
    pub block_out_channels: Vec<usize>,
    /// Whether each level attends on the way down.
    pub down_attention: Vec<bool>,
    /// Whether each level attends on the way up, the lowest first.
    pub up_attention: Vec<bool>,
    pub mid_block: Option<MidBlockType>,
    pub only_cross_attention: Vec<bool>,
    pub layers_per_block: Vec<usize>,
    pub downsample_padding: usize,
    pub mid_block_scale_factor: f64,
    pub act_fn: Activation,
    pub norm_num_groups: usize,
    pub norm_eps: f64,
    pub cross_attention_dim: Vec<usize>,
    /// Of each level on the way down, layer by layer; the middle has as many as the last level's first.
    pub transformer_layers_per_block: Vec<Vec<usize>>,
    /// Of each place on the way up, the lowest first.
    pub reverse_transformer_layers_per_block: Vec<Vec<usize>>,
    /// Heads of each level's attention.
    pub heads: Vec<usize>,
    pub use_linear_projection: bool,
    /// Rows of the class embedding.
    pub num_class_embeds: Option<usize>,
    /// What `addition_embed_type` "text_time" needs.
    pub addition: Option<Addition>,
    pub resnet_time_scale_shift: TimeNorm,
    pub time_embedding_dim: usize,
    pub time_embedding_act_fn: Option<Activation>,
    /// Width of the embedding of a guidance scale (Meng et al. 2023, arXiv 2210.03142).
    pub time_cond_proj_dim: Option<usize>,
    pub conv_in_kernel: usize,
    pub conv_out_kernel: usize,
}

/// What the middle of the network is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum MidBlockType {
    /// Two residual blocks around a transformer.
    #[serde(rename = "UNetMidBlock2DCrossAttn")]
    CrossAttention,
    /// One residual block.
    #[serde(rename = "UNetMidBlock2D")]
    Plain,
}

/// The pooled text and the sizes of the picture that SDXL is conditioned on (Podell et al. 2023, arXiv 2307.01952, section 2.2).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Addition {
    /// Width of the embedding of each size.
    pub time_embed_dim: usize,
    /// Width of the pooled text and all sizes together.
    pub input_dim: usize,
}

impl Unet2dConditionConfig {
    /// Reads the JSON text of a configuration. Keys that it lacks have diffusers' defaults.
    ///
    /// # Errors
    /// Text that is no JSON object, a key that is not known, a value that this version cannot build.
    pub fn from_json(json: &str) -> Result<Self, ConfigError> {
        let mut k = Keys::read("UNet2DConditionModel", json)?;
        for (key, supported) in [
            ("encoder_hid_dim", vec![Value::Null]),
            ("encoder_hid_dim_type", vec![Value::Null]),
            ("dual_cross_attention", vec![json!(false)]),
            ("class_embed_type", vec![Value::Null]),
            ("class_embeddings_concat", vec![json!(false)]),
            ("resnet_skip_time_act", vec![json!(false)]),
            ("resnet_out_scale_factor", vec![json!(1.0), json!(1)]),
            ("time_embedding_type", vec![json!("positional")]),
            ("timestep_post_act", vec![Value::Null]),
            ("attention_type", vec![json!("default")]),
            ("cross_attention_norm", vec![Value::Null]),
            // Of middle blocks of another type.
            ("mid_block_only_cross_attention", vec![Value::Null, json!(false), json!(true)]),
            // The precision is the backend's own.
            ("upcast_attention", vec![json!(false), json!(true), Value::Null]),
        ] {
            k.only(key, &supported)?;
        }
        // Only training drops out, and the heads are those of another `addition_embed_type`.
        k.take("dropout", json!(0.0), "a number from 0 to 1", |p: &f64| (0.0..=1.0).contains(p))?;
        k.count("addition_embed_type_num_heads", 64, 4096)?;

        let channels: Vec<usize> = k.take(
            "block_out_channels",
            json!([320, 640, 1280, 1280]),
            "a list of 1 to 8 numbers from 2 to 8192",
            |c: &Vec<usize>| (1..=8).contains(&c.len()) && c.iter().all(|c| (2..=8192).contains(c)),
        )?;
        let levels = channels.len();
        let heads = heads(&mut k, &channels)?;
        let layers_per_block = k.each("layers_per_block", 2, levels, 16)?;
        let [transformer_layers_per_block, reverse_transformer_layers_per_block] =
            transformer_layers(&mut k, &layers_per_block)?;
        let size = |v: &Option<Size>| v.as_ref().is_none_or(|s| s.pair().iter().all(|n| (1..=4096).contains(n)));
        let kernel = |n: &usize| n % 2 == 1 && *n < 16;
        let config = Self {
            sample_size: k
                .take("sample_size", Value::Null, "null, a size, or a height and a width", size)?
                .map(|s| s.pair()),
            in_channels: k.count("in_channels", 4, 256)?,
            out_channels: k.count("out_channels", 4, 256)?,
            center_input_sample: k.flag("center_input_sample", false)?,
            flip_sin_to_cos: k.flag("flip_sin_to_cos", true)?,
            freq_shift: k.take("freq_shift", 0, "a number from 0 to below half the first level's channels", |v| {
                (0.0..(channels[0] / 2) as f64).contains(v)
            })?,
            down_attention: attention(&mut k, "down_block_types", "Down", [true, true, true, false], levels)?,
            up_attention: attention(&mut k, "up_block_types", "Up", [false, true, true, true], levels)?,
            mid_block: k.take(
                "mid_block_type",
                json!("UNetMidBlock2DCrossAttn"),
                "\"UNetMidBlock2DCrossAttn\", \"UNetMidBlock2D\" or null",
                |_| true,
            )?,
            only_cross_attention: k.each_flag("only_cross_attention", levels)?,
            layers_per_block,
            downsample_padding: k.take("downsample_padding", 1, "0 or 1", |p| *p <= 1)?,
            mid_block_scale_factor: k.take("mid_block_scale_factor", 1, "a number above 0", |v| *v > 0.0)?,
            act_fn: k.activation("act_fn", "silu")?,
            norm_num_groups: k.take(
                "norm_num_groups",
                32,
                "a number that divides the channels of every level",
                |&g: &usize| g > 0 && channels.iter().all(|c| c.is_multiple_of(g)),
            )?,
            norm_eps: k.eps("norm_eps", 1e-5)?,
            cross_attention_dim: k.each("cross_attention_dim", 1280, levels, 16384)?,
            transformer_layers_per_block,
            reverse_transformer_layers_per_block,
            heads,
            use_linear_projection: k.flag("use_linear_projection", false)?,
            num_class_embeds: k.maybe("num_class_embeds", 100_000)?,
            addition: addition(&mut k)?,
            resnet_time_scale_shift: k.take(
                "resnet_time_scale_shift",
                "default",
                "\"default\" or \"scale_shift\"",
                |_| true,
            )?,
            time_embedding_dim: k.maybe("time_embedding_dim", 65536)?.unwrap_or(4 * channels[0]),
            time_embedding_act_fn: k.take(
                "time_embedding_act_fn",
                Value::Null,
                "null, \"silu\", \"swish\", \"mish\" or \"gelu\"",
                |_| true,
            )?,
            time_cond_proj_dim: k.maybe("time_cond_proj_dim", 65536)?,
            conv_in_kernel: k.take("conv_in_kernel", 3, "an odd number below 16", kernel)?,
            conv_out_kernel: k.take("conv_out_kernel", 3, "an odd number below 16", kernel)?,
            block_out_channels: channels,
        };
        k.all_taken()?;
        Ok(config)
    }
}

/// Heads of each level. `attention_head_dim` counts them, against its name, wherever `num_attention_heads` is not given.
fn heads(k: &mut Keys, channels: &[usize]) -> Result<Vec<usize>, ConfigError> {
    let levels = channels.len();
    let counted = k.each("attention_head_dim", 8, levels, 4096);
    let (key, heads) = match k.is_set("num_attention_heads") {
        true => ("num_attention_heads", k.each("num_attention_heads", 8, levels, 4096)?),
        false => ("attention_head_dim", counted?),
    };
    match channels.iter().zip(&heads).all(|(channels, heads)| channels >= heads) {
        true => Ok(heads),
        false => Err(k.refused(key, json!(heads), "as many heads as their level has channels, or less")),
    }
}

/// The transformers of each layer, on the way down and on the way up.
fn transformer_layers(k: &mut Keys, layers: &[usize]) -> Result<[Vec<Vec<usize>>; 2], ConfigError> {
    let supported = "a number from 1 to 64, or for each level one, or one for each of its layers";
    let way = |value: &Value, layers: &[usize]| -> Option<Vec<Vec<usize>>> {
        let number = |value: &Value| value.as_u64().filter(|n| (1..=64).contains(n)).map(|n| n as usize);
        let level = |(value, layers): (&Value, &usize)| match value {
            Value::Array(list) if list.len() == *layers => list.iter().map(number).collect(),
            value => Some(vec![number(value)?; *layers]),
        };
        match value {
            Value::Array(list) if list.len() == layers.len() => list.iter().zip(layers).map(level).collect(),
            value => Some(layers.iter().map(|layers| Some(vec![number(value)?; *layers])).collect::<Option<_>>()?),
        }
    };
    let up: Vec<usize> = layers.iter().rev().map(|layers| layers + 1).collect();
    let mut take = |key| k.take(key, if key == DOWN { json!(1) } else { Value::Null }, supported, |_: &Value| true);
    const DOWN: &str = "transformer_layers_per_block";
    const UP: &str = "reverse_transformer_layers_per_block";
    let (down_value, up_value) = (take(DOWN)?, take(UP)?);
    let down = way(&down_value, layers).ok_or_else(|| k.refused(DOWN, down_value.clone(), supported))?;
    let mirrored = match &down_value {
        Value::Array(list) => Value::Array(list.iter().rev().cloned().collect()),
        value => value.clone(),
    };
    let value = if up_value.is_null() { mirrored } else { up_value };
    let up = way(&value, &up).ok_or_else(|| k.refused(UP, value.clone(), supported))?;
    Ok([down, up])
}

fn addition(k: &mut Keys) -> Result<Option<Addition>, ConfigError> {
    let kind: Option<String> =
        k.take("addition_embed_type", Value::Null, "null or \"text_time\"", |v: &Option<String>| {
            v.as_deref().is_none_or(|v| v == "text_time")
        })?;
    let time_embed_dim = k.maybe("addition_time_embed_dim", 65536)?;
    let input_dim = k.maybe("projection_class_embeddings_input_dim", 65536)?;
    match (kind, time_embed_dim, input_dim) {
        (None, None, None) => Ok(None),
        (Some(_), Some(time_embed_dim), Some(input_dim)) => Ok(Some(Addition { time_embed_dim, input_dim })),
        (kind, ..) => Err(k.refused(
            "addition_embed_type",
            json!(kind),
            "\"text_time\" with addition_time_embed_dim and projection_class_embeddings_input_dim, or null without",
        )),
    }
}

/// A block type for each level: whether it attends.
fn attention(
    k: &mut Keys,
    key: &'static str,
    way: &str,
    default: [bool; 4],
    levels: usize,
) -> Result<Vec<bool>, ConfigError> {
    let [plain, attends] = ["", "CrossAttn"].map(|kind| format!("{kind}{way}Block2D"));
    let supported = format!("{plain:?} and {attends:?}, one for each of block_out_channels");
    let default = default.map(|attending| if attending { &attends } else { &plain });
    let list = k.take(key, json!(default), &supported, |list: &Vec<String>| {
        list.len() == levels && list.iter().all(|t| *t == plain || *t == attends)
    })?;
    Ok(list.iter().map(|t| *t == attends).collect())
}
