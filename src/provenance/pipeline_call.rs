//! A JSON object with the arguments of a pipeline of diffusers, or with the names that InvokeAI gives them.

use super::Taken;
use super::names::{of_comfyui, of_diffusers};
use serde_json::{Map, Value};

/// `None` where there is no number of steps beside a prompt or a guidance scale.
pub fn read(text: &str) -> Option<Taken> {
    let all: Map<String, Value> = serde_json::from_str(text).ok()?;
    let has = |names: &[&str]| names.iter().any(|name| all.contains_key(*name));
    if !(has(&["num_inference_steps", "steps"]) && has(&["prompt", "positive_prompt", "guidance_scale", "cfg_scale"])) {
        return None;
    }
    let mut taken = Taken::default();
    let [mut width, mut height] = [None; 2];
    for (name, value) in &all {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        match name.as_str() {
            "prompt" | "positive_prompt" | "negative_prompt" if value.is_null() => {}
            "prompt" | "positive_prompt" | "negative_prompt" if !value.is_string() => taken.leave(name, text),
            "prompt" | "positive_prompt" => taken.prompt("prompt", &text),
            "negative_prompt" => taken.prompt("negative", &text),
            "num_inference_steps" | "steps" => taken.number(name, "steps", &text),
            "guidance_scale" | "cfg_scale" => taken.number(name, "guidance", &text),
            "guidance_rescale" | "cfg_rescale_multiplier" => taken.number(name, "rescale", &text),
            "num_images_per_prompt" => taken.number(name, "images", &text),
            "seed" => taken.seed(name, "seed", &text),
            "scheduler" => match of_diffusers(&text).or_else(|| of_comfyui(&text)) {
                Some(id) => taken.take("sampler", id),
                None => taken.leave(name, text),
            },
            "width" => width = value.as_u64(),
            "height" => height = value.as_u64(),
            _ => taken.leave(name, text),
        }
    }
    if let (Some(width), Some(height)) = (width, height) {
        taken.take("size", format!("{width}x{height}").as_str());
    }
    Some(taken)
}
