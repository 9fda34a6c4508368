use crate::models::keys::{ConfigError, Keys};
use crate::nn::Activation;
use serde_json::{Value, json};

/// `vae/config.json` of diffusers' `AutoencoderTiny`. Fields are named as there and mean the same.
#[derive(Clone, Debug, PartialEq)]
pub struct AutoencoderTinyConfig {
    pub in_channels: usize,
    pub out_channels: usize,
    pub latent_channels: usize,
    /// Channels of each level, from the picture's size down.
    pub encoder_block_out_channels: Vec<usize>,
    /// From the latents' size up.
    pub decoder_block_out_channels: Vec<usize>,
    /// Blocks of each level.
    pub num_encoder_blocks: Vec<usize>,
    pub num_decoder_blocks: Vec<usize>,
    pub act_fn: Activation,
    /// What latents are multiplied by between the encoder and the denoiser.
    pub scaling_factor: f64,
}

impl AutoencoderTinyConfig {
    /// Reads the JSON text of a configuration. Keys that it lacks have diffusers' defaults.
    ///
    /// # Errors
    /// Text that is no JSON object, a key that is not known, a value that this version cannot build.
    pub fn from_json(json: &str) -> Result<Self, ConfigError> {
        let mut k = Keys::read("AutoencoderTiny", json)?;
        let mut channels = |key| {
            k.take(key, json!([64, 64, 64, 64]), "a list of 1 to 8 numbers from 1 to 4096", |c: &Vec<usize>| {
                (1..=8).contains(&c.len()) && c.iter().all(|c| (1..=4096).contains(c))
            })
        };
        let (encoder, decoder) = (channels("encoder_block_out_channels")?, channels("decoder_block_out_channels")?);
        if encoder.len() != decoder.len() {
            let supported = "as many levels as encoder_block_out_channels";
            return Err(k.refused("decoder_block_out_channels", json!(decoder), supported));
        }
        // Between levels of other channels there is nothing that would change their number.
        for (key, channels) in [("encoder_block_out_channels", &encoder), ("decoder_block_out_channels", &decoder)] {
            if channels.iter().any(|c| *c != channels[0]) {
                return Err(k.refused(key, json!(channels), "the same number of channels in every level"));
            }
        }
        let mut blocks = |key, default: [usize; 4]| {
            k.take(key, json!(default), "a number from 0 to 16 for each level", |c: &Vec<usize>| {
                c.len() == encoder.len() && c.iter().all(|c| *c <= 16)
            })
        };
        let (encoding, decoding) =
            (blocks("num_encoder_blocks", [1, 3, 3, 3])?, blocks("num_decoder_blocks", [3, 3, 3, 1])?);
        k.only("upsample_fn", &[Value::from("nearest")])?;
        k.only("upsampling_scaling_factor", &[Value::from(2)])?;
        // Of latents that are stored as bytes, which pipelines do not do.
        k.take("latent_magnitude", 3, "a number above 0", |v: &f64| *v > 0.0)?;
        k.take("latent_shift", json!(0.5), "a number", |v: &f64| v.is_finite())?;
        // No pipeline that is drawn here adds it.
        k.take("shift_factor", json!(0.0), "null or a number", |v: &Option<f64>| v.is_none_or(f64::is_finite))?;
        // The precision is the backend's own, and the other is a note of diffusers.
        k.flag("force_upcast", false)?;
        k.ignore(&["block_out_channels"]);
        let config = Self {
            in_channels: k.count("in_channels", 3, 64)?,
            out_channels: k.count("out_channels", 3, 64)?,
            latent_channels: k.count("latent_channels", 4, 256)?,
            act_fn: k.activation("act_fn", "relu")?,
            scaling_factor: k.take("scaling_factor", json!(1.0), "a number above 0", |v| *v > 0.0)?,
            encoder_block_out_channels: encoder,
            decoder_block_out_channels: decoder,
            num_encoder_blocks: encoding,
            num_decoder_blocks: decoding,
        };
        k.all_taken()?;
        Ok(config)
    }

    /// How many pixels a latent is wide and high.
    pub fn factor(&self) -> usize {
        1 << (self.decoder_block_out_channels.len() - 1)
    }
}
