//! What a folder of weights says of itself, and recipes.

use super::{Input, Target, said, text_of};
use unnoise::interchange::diffusers;
use unnoise::math::Schedule;
use unnoise::models::autoencoder_kl::AutoencoderKlConfig;
use unnoise::models::autoencoder_tiny::AutoencoderTinyConfig;
use unnoise::models::classifier::ClassifierConfig;
use unnoise::models::clip_text::ClipTextConfig;
use unnoise::models::dit::DitConfig;
use unnoise::models::mlp::MlpConfig;
use unnoise::models::unet2d::Unet2dConfig;
use unnoise::models::unet2d_condition::Unet2dConditionConfig;
use unnoise::models::vq_model::VqModelConfig;
use unnoise::models::{Card, folder};
use unnoise::pipeline::index::Index;
use unnoise::train::Recipe;

pub const SCHEDULER: Target = Target {
    name: "scheduler-config",
    words: &[
        "_class_name",
        "num_train_timesteps",
        "beta_start",
        "beta_end",
        "beta_schedule",
        "trained_betas",
        "prediction_type",
        "rescale_betas_zero_snr",
        "timestep_spacing",
        "steps_offset",
        "set_alpha_to_one",
        "clip_sample",
        "thresholding",
        "sigma_min",
        "sigma_max",
        "shift",
        "solver_order",
        "algorithm_type",
        "lower_order_final",
        "final_sigmas_type",
        "use_karras_sigmas",
        "use_exponential_sigmas",
        "use_beta_sigmas",
        "original_inference_steps",
        "variance_type",
        "DDIMScheduler",
        "DDPMScheduler",
        "PNDMScheduler",
        "DPMSolverMultistepScheduler",
        "UniPCMultistepScheduler",
        "DEISMultistepScheduler",
        "EulerDiscreteScheduler",
        "EulerAncestralDiscreteScheduler",
        "HeunDiscreteScheduler",
        "LCMScheduler",
        "TCDScheduler",
        "EDMEulerScheduler",
        "KarrasVeScheduler",
        "ScoreSdeVeScheduler",
        "FlowMatchEulerDiscreteScheduler",
        "FlowMatchHeunDiscreteScheduler",
        "CMStochasticIterativeScheduler",
        "SASolverScheduler",
        "linear",
        "scaled_linear",
        "squaredcos_cap_v2",
        "sigmoid",
        "exp",
        "epsilon",
        "v_prediction",
        "sample",
        "leading",
        "trailing",
        "linspace",
        "Infinity",
        "true",
        "false",
        "null",
    ],
    read: scheduler,
};

fn scheduler(input: &Input) -> String {
    let text = text_of(input);
    let process = said(Schedule::from_scheduler_config(&text), |(process, prediction)| {
        format!("{} {prediction:?}", process.family())
    });
    let run = said(diffusers::describe(&text), |described| {
        let grid = said(described.mapped.grid(), |_| "grid".to_owned());
        format!("{} {} {} {grid}", described.class, described.spacing, described.mapped.sampler)
    });
    format!("{process}; {run}")
}

pub const NETWORK: Target = Target {
    name: "unet-config",
    words: &[
        "_class_name",
        "sample_size",
        "in_channels",
        "out_channels",
        "center_input_sample",
        "time_embedding_type",
        "freq_shift",
        "flip_sin_to_cos",
        "down_block_types",
        "up_block_types",
        "block_out_channels",
        "layers_per_block",
        "mid_block_type",
        "mid_block_scale_factor",
        "downsample_padding",
        "act_fn",
        "attention_head_dim",
        "norm_num_groups",
        "norm_eps",
        "resnet_time_scale_shift",
        "class_embed_type",
        "num_class_embeds",
        "cross_attention_dim",
        "transformer_layers_per_block",
        "num_attention_heads",
        "use_linear_projection",
        "addition_embed_type",
        "only_cross_attention",
        "DownBlock2D",
        "AttnDownBlock2D",
        "CrossAttnDownBlock2D",
        "SkipDownBlock2D",
        "AttnSkipUpBlock2D",
        "UpBlock2D",
        "AttnUpBlock2D",
        "ResnetDownsampleBlock2D",
        "UNetMidBlock2D",
        "silu",
        "gelu",
        "fourier",
        "positional",
        "timestep",
        "identity",
        "scale_shift",
        "num_layers",
        "patch_size",
        "latent_channels",
        "hidden_size",
        "vocab_size",
        "num_vq_embeddings",
        "null",
        "UNet2DModel",
        "UNet2DConditionModel",
        "DiTTransformer2DModel",
        "AutoencoderKL",
        "VQModel",
        "CLIPTextModel",
        "AutoencoderTiny",
        "[32, 64]",
        "[[1, 2], 3]",
    ],
    read: network,
};

/// Whichever network it is of.
fn network(input: &Input) -> String {
    let text = text_of(input);
    let read = [
        Unet2dConfig::from_json(&text).map(drop).map_err(|e| e.to_string()),
        Unet2dConditionConfig::from_json(&text).map(drop).map_err(|e| e.to_string()),
        DitConfig::from_json(&text).map(drop).map_err(|e| e.to_string()),
        AutoencoderKlConfig::from_json(&text).map(drop).map_err(|e| e.to_string()),
        AutoencoderTinyConfig::from_json(&text).map(drop).map_err(|e| e.to_string()),
        VqModelConfig::from_json(&text).map(drop).map_err(|e| e.to_string()),
        ClipTextConfig::from_json(&text).map(drop).map_err(|e| e.to_string()),
        ClassifierConfig::from_json(&text).map(drop).map_err(|e| e.to_string()),
        MlpConfig::from_json(&text).map(drop).map_err(|e| e.to_string()),
    ];
    // What most of them say is that it is of another network.
    let own = read.iter().enumerate().map(|(i, read)| match read {
        Ok(()) => format!("read by {}", ["a", "b", "c", "d", "e", "f", "g", "h", "i"][i]),
        Err(error) => error.split_once(", but").map_or_else(String::new, |(said, _)| said.to_owned()),
    });
    own.collect::<Vec<_>>().join(" ")
}

pub const INDEX: Target = Target {
    name: "model-index",
    words: &[
        "_class_name",
        "_diffusers_version",
        "unet",
        "transformer",
        "vae",
        "vqvae",
        "movq",
        "text_encoder",
        "text_encoder_2",
        "tokenizer",
        "tokenizer_2",
        "scheduler",
        "safety_checker",
        "feature_extractor",
        "id2label",
        "force_zeros_for_empty_prompt",
        "weight_map",
        "DDPMPipeline",
        "DDIMPipeline",
        "StableDiffusionPipeline",
        "StableDiffusionXLPipeline",
        "LDMPipeline",
        "DiTPipeline",
        "diffusers",
        "UNet2DModel",
        "UNet2DConditionModel",
        "AutoencoderKL",
        "CLIPTextModel",
        "\"a-00001-of-00002.safetensors\"",
        "[\"diffusers\", \"\"]",
        "null",
    ],
    read: index,
};

/// The index of a pipeline, or of the shards of its weights.
fn index(input: &Input) -> String {
    let text = text_of(input);
    let pipeline = said(Index::read(&text), |index| {
        let complete = said(index.complete(), |()| "complete".to_owned());
        format!("{} {complete} {} {}", index.kind.class, index.labels().len().min(3), index.zeros())
    });
    let files = ["unet/a-00001-of-00002.safetensors".to_owned(), "unet/a-00002-of-00002.safetensors".to_owned()];
    let shards = said(folder::shards("unet/a.safetensors.index.json", &text, &files), |paths| paths.join(" "));
    format!("{pipeline}; {shards}")
}

pub const CARD: Target = Target {
    name: "card",
    words: &[
        "name",
        "description",
        "classes",
        "null_class",
        "licence",
        "range",
        "background",
        "clip_denoised",
        "defaults",
        "classifier",
        "parts",
        "prompts",
        "en",
        "zh",
        "sampler",
        "steps",
        "guidance",
        "heun",
        "vae",
        "..",
    ],
    read: card,
};

fn card(input: &Input) -> String {
    said(Card::from_json(&text_of(input)), |card| said(card.fits(11), |()| format!("{}", card.classes.len().min(12))))
}

pub const RECIPE: Target = Target {
    name: "recipe",
    words: &[
        "[data]",
        "[model]",
        "[classifier]",
        "[schedule]",
        "[objective]",
        "[augment]",
        "[train]",
        "[page]",
        "format",
        "kind",
        "idx",
        "emoji",
        "safetensors",
        "beta_start",
        "beta_end",
        "timesteps",
        "linear",
        "cosine",
        "flow",
        "ve",
        "sigma_min",
        "prediction",
        "epsilon",
        "v_prediction",
        "label_drop",
        "min_snr_gamma",
        "logit_normal",
        "guidance",
        "seed",
        "images",
        "batch",
        "lr",
        "warmup_images",
        "betas",
        "ema_decays",
        "precision",
        "init",
        "num_class_embeds",
        "= [",
        "]]",
        "\n",
        "'''",
        "1979-05-27",
        "inf",
        "nan",
    ],
    read: recipe,
};

fn recipe(input: &Input) -> String {
    said(Recipe::from_toml(&text_of(input)), |recipe| {
        let changed = recipe.what_changed(&recipe).len();
        format!("{changed} {}", recipe.steps() > recipe.warmup())
    })
}
