//! The parts of pipelines of latents and of words in a script.

use super::text::python;
use serde_json::Value;

/// What a pipeline has besides a `UNet2DModel` and a scheduler.
#[derive(Clone, Debug)]
pub struct Parts<'a> {
    /// Class of the network.
    pub network: &'a str,
    /// The autoencoder: its class, the folder of the model that has it, and the folder in that.
    pub decoder: Option<(&'a str, String, &'a str)>,
    /// What texts tell it what to draw.
    pub texts: Option<Texts<'a>>,
}

/// The prompts of a run, and the folders of the models that have what reads them.
#[derive(Clone, Debug)]
pub struct Texts<'a> {
    pub prompt: &'a str,
    pub negative: &'a str,
    pub encoder: String,
    pub tokenizer: String,
}

fn text(text: &str) -> String {
    python(&Value::from(text))
}

/// The class of a run's network.
pub(super) fn network<'a>(parts: Option<&Parts<'a>>) -> &'a str {
    parts.map_or("UNet2DModel", |parts| parts.network)
}

/// What is imported besides, and what is loaded: the lines of each.
pub(super) fn begin(parts: Option<&Parts<'_>>) -> [Vec<String>; 2] {
    let Some(Parts { decoder, texts, .. }) = parts else { return Default::default() };
    let (mut imports, mut lines) = (Vec::new(), Vec::new());
    if let Some((class, folder, subfolder)) = decoder {
        imports.push(format!("from diffusers import {class}"));
        lines.push(format!("vae = {class}.from_pretrained({}, subfolder={}).eval()", text(folder), text(subfolder)));
    }
    if let Some(Texts { prompt, negative, encoder, tokenizer }) = texts {
        imports.push("from transformers import CLIPTextModel, CLIPTokenizer".to_owned());
        let from =
            |class, folder: &str, part| format!("{class}.from_pretrained({}, subfolder=\"{part}\")", text(folder));
        lines.extend([
            format!("tokenizer = {}", from("CLIPTokenizer", tokenizer, "tokenizer")),
            format!("text_encoder = {}.float().eval()", from("CLIPTextModel", encoder, "text_encoder")),
            "tokens = lambda text: tokenizer(text, padding=\"max_length\", truncation=True, return_tensors=\"pt\").input_ids".to_owned(),
            "encode = lambda text: text_encoder(tokens(text))[0].detach().expand(len(generators), -1, -1)".to_owned(),
            format!("prompt, negative = {}, {}", text(prompt), text(negative)),
        ]);
    }
    [imports, lines]
}

/// The states of the prompts, once there are generators.
pub(super) fn states(parts: Option<&Parts<'_>>) -> Option<String> {
    let texts = parts.and_then(|parts| parts.texts.as_ref());
    texts.map(|_| "states, without = encode(prompt), encode(negative)".to_owned())
}

/// The pictures of what was drawn.
pub(super) fn decode(parts: Option<&Parts<'_>>) -> Vec<String> {
    match parts.and_then(|parts| parts.decoder.as_ref()) {
        Some(_) => vec![
            "with torch.no_grad():".to_owned(),
            "    x = vae.decode(x / vae.config.scaling_factor).sample".to_owned(),
        ],
        None => Vec::new(),
    }
}
