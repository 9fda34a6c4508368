use crate::models::keys::{ConfigError, Keys};
use crate::nn::Activation;
use serde_json::{Value, json};

/// `transformer/config.json` of diffusers' `DiTTransformer2DModel`. Fields are named as there and mean the same.
#[derive(Clone, Debug, PartialEq)]
pub struct DitConfig {
    /// Height and width of the latents.
    pub sample_size: usize,
    pub in_channels: usize,
    pub out_channels: usize,
    pub num_layers: usize,
    pub num_attention_heads: usize,
    pub attention_head_dim: usize,
    pub attention_bias: bool,
    pub patch_size: usize,
    pub activation_fn: Activation,
    /// Number of classes; one more row of the embedding stands for none.
    pub num_embeds_ada_norm: usize,
    pub norm_eps: f64,
}

impl DitConfig {
    /// Reads the JSON text of a configuration. Keys that it lacks have diffusers' defaults.
    ///
    /// # Errors
    /// Text that is no JSON object, a key that is not known, a value that this version cannot build.
    pub fn from_json(json: &str) -> Result<Self, ConfigError> {
        let mut k = Keys::read("DiTTransformer2DModel", json)?;
        k.only("norm_type", &[json!("ada_norm_zero")])?;
        k.only("norm_elementwise_affine", &[json!(false)])?;
        // The precision is the backend's own, only training drops out, and there is no group normalisation in it.
        k.flag("upcast_attention", false)?;
        k.take("dropout", json!(0.0), "a number from 0 to 1", |p: &f64| (0.0..=1.0).contains(p))?;
        k.maybe("norm_num_groups", 8192)?;
        // Of the transformer that diffusers kept DiT in before it had a class of its own.
        k.ignore(&[
            "cross_attention_dim",
            "double_self_attention",
            "num_vector_embeds",
            "only_cross_attention",
            "use_linear_projection",
            "attention_type",
            "caption_channels",
            "interpolation_scale",
            "use_additional_conditions",
        ]);
        let in_channels = k.count("in_channels", 4, 256)?;
        let out_channels = k.maybe("out_channels", 256)?.unwrap_or(in_channels);
        let patch_size = k.count("patch_size", 2, 64)?;
        let config = Self {
            sample_size: k.take("sample_size", 32, "a multiple of patch_size up to 4096", |n: &usize| {
                (1..=4096).contains(n) && n.is_multiple_of(patch_size)
            })?,
            in_channels,
            out_channels,
            num_layers: k.count("num_layers", 28, 128)?,
            num_attention_heads: k.count("num_attention_heads", 16, 256)?,
            attention_head_dim: k.take("attention_head_dim", 72, "an even number from 2 to 1024", |n: &usize| {
                (2..=1024).contains(n) && n.is_multiple_of(2)
            })?,
            attention_bias: k.flag("attention_bias", true)?,
            patch_size,
            activation_fn: k.take("activation_fn", "gelu-approximate", "\"gelu-approximate\" or \"gelu\"", |a| {
                matches!(a, Activation::GeluTanh | Activation::Gelu)
            })?,
            num_embeds_ada_norm: k.take(
                "num_embeds_ada_norm",
                Value::from(1000),
                "a number from 1 to 100000",
                |n| (1..=100_000).contains(n),
            )?,
            norm_eps: k.eps("norm_eps", 1e-5)?,
        };
        k.all_taken()?;
        Ok(config)
    }

    /// Width of a position.
    pub fn width(&self) -> usize {
        self.num_attention_heads * self.attention_head_dim
    }
}
