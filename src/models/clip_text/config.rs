use crate::models::keys::{ConfigError, Keys};
use crate::nn::Activation;
use serde_json::{Map, Value, json};

/// `text_encoder/config.json` of transformers' `CLIPTextModel`. Fields are named as there and mean the same.
#[derive(Clone, Debug, PartialEq)]
pub struct ClipTextConfig {
    pub vocab_size: usize,
    pub hidden_size: usize,
    pub intermediate_size: usize,
    pub num_hidden_layers: usize,
    pub num_attention_heads: usize,
    pub max_position_embeddings: usize,
    pub hidden_act: Activation,
    pub layer_norm_eps: f64,
    pub eos_token_id: u32,
    /// Width of the projection of the pooled state; `None` for a network without one.
    pub projection_dim: Option<usize>,
}

/// What every configuration of transformers may hold besides: notes, and settings of training and of generated text.
const INERT: &[&str] = &[
    "add_cross_attention",
    "attention_dropout",
    "bad_words_ids",
    "begin_suppress_tokens",
    "bos_token_id",
    "chunk_size_feed_forward",
    "cross_attention_hidden_size",
    "decoder_start_token_id",
    "diversity_penalty",
    "do_sample",
    "dropout",
    "dtype",
    "early_stopping",
    "encoder_no_repeat_ngram_size",
    "exponential_decay_length_penalty",
    "finetuning_task",
    "forced_bos_token_id",
    "forced_eos_token_id",
    "gradient_checkpointing",
    "id2label",
    "initializer_factor",
    "initializer_range",
    "is_decoder",
    "is_encoder_decoder",
    "label2id",
    "length_penalty",
    "max_length",
    "min_length",
    "model_type",
    "no_repeat_ngram_size",
    "num_beam_groups",
    "num_beams",
    "num_return_sequences",
    "output_attentions",
    "output_hidden_states",
    "output_scores",
    "pad_token_id",
    "prefix",
    "problem_type",
    "pruned_heads",
    "remove_invalid_values",
    "repetition_penalty",
    "return_dict",
    "return_dict_in_generate",
    "sep_token_id",
    "suppress_tokens",
    "task_specific_params",
    "temperature",
    "tf_legacy_loss",
    "tie_encoder_decoder",
    "tie_word_embeddings",
    "tokenizer_class",
    "top_k",
    "top_p",
    "torch_dtype",
    "torchscript",
    "transformers_version",
    "typical_p",
    "use_bfloat16",
    "use_cache",
];

impl ClipTextConfig {
    /// What transformers wrote for the end token before 2023, whatever its number was.
    pub const FORMER_END: u32 = 2;

    /// The configuration of a text encoder with transformers' arguments in `section`, for a tokenizer of `tokens` tokens, of which the first is
    /// the start, and the second the end, which fills a text up too.
    pub fn json(section: &Map<String, Value>, tokens: usize) -> Value {
        let mut config = json!(section);
        config["architectures"] = json!(["CLIPTextModel"]);
        config["model_type"] = json!("clip_text_model");
        config["vocab_size"] = json!(tokens);
        config["bos_token_id"] = json!(0);
        config["eos_token_id"] = json!(1);
        config["pad_token_id"] = json!(1);
        config["projection_dim"] = json!(section.get("hidden_size"));
        config
    }

    /// Reads the JSON text of a configuration. Keys that it lacks have transformers' defaults. The network has a
    /// projection if `architectures` says so.
    ///
    /// # Errors
    /// Text that is no JSON object, a key that is not known, a value that this version cannot build.
    pub fn from_json(json: &str) -> Result<Self, ConfigError> {
        let mut k = Keys::read("CLIPTextModel", json)?;
        let architectures: Vec<String> = k.take(
            "architectures",
            json!(["CLIPTextModel"]),
            "[\"CLIPTextModel\"] or [\"CLIPTextModelWithProjection\"]",
            |a: &Vec<String>| matches!(a.as_slice(), [a] if a == "CLIPTextModel" || a == "CLIPTextModelWithProjection"),
        )?;
        let projected = architectures.iter().any(|a| a == "CLIPTextModelWithProjection");
        let hidden_size = k.count("hidden_size", 512, 8192)?;
        let projection_dim = k.take("projection_dim", json!(512), "a number from 1 to 8192", |n: &Option<usize>| {
            !projected && n.is_none() || n.is_some_and(|n| (1..=8192).contains(&n))
        })?;
        let config = Self {
            vocab_size: k.count("vocab_size", 49408, 1_000_000)?,
            hidden_size,
            intermediate_size: k.count("intermediate_size", 2048, 65536)?,
            num_hidden_layers: k.count("num_hidden_layers", 12, 128)?,
            num_attention_heads: k.take(
                "num_attention_heads",
                8,
                "a number that divides hidden_size",
                |n: &usize| *n > 0 && hidden_size.is_multiple_of(*n),
            )?,
            max_position_embeddings: k.count("max_position_embeddings", 77, 4096)?,
            hidden_act: k.take("hidden_act", "quick_gelu", "\"quick_gelu\" or \"gelu\"", |_| true)?,
            layer_norm_eps: k.eps("layer_norm_eps", 1e-5)?,
            eos_token_id: k.take("eos_token_id", 49407, "a token's number", |_| true)?,
            projection_dim: projection_dim.filter(|_| projected),
        };
        k.only("use_attention_mask", &[Value::from(false)])?;
        k.only("model_type", &[Value::from("clip_text_model")])?;
        k.ignore(INERT);
        k.all_taken()?;
        Ok(config)
    }
}
