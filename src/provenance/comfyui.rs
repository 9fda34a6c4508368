//! The text `prompt` of ComfyUI: the graph of its nodes, of which the sampler's inputs are followed.

use super::Taken;
use super::names::{SCHEDULES, of_comfyui};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// Nodes that are looked at for a prompt.
const NODES: usize = 256;

/// `None` where there is no sampler with its steps.
pub fn read(text: &str) -> Option<Taken> {
    let graph: Map<String, Value> = serde_json::from_str(text).ok()?;
    let inputs = graph.values().filter_map(|node| node["inputs"].as_object());
    let sampler =
        inputs.into_iter().find(|inputs| inputs.contains_key("sampler_name") && inputs.contains_key("steps"))?;
    let mut taken = Taken::default();
    for (name, value) in sampler.iter().filter(|(name, _)| *name != "model") {
        let usable = match name.as_str() {
            "steps" | "cfg" | "seed" | "noise_seed" | "denoise" => value.is_number(),
            "sampler_name" | "scheduler" => value.is_string(),
            "positive" | "negative" | "latent_image" => true,
            _ => false,
        };
        if !usable {
            taken.leave(name, value.to_string());
        }
    }
    for (name, key) in [("steps", "steps"), ("cfg", "guidance")] {
        if let Some(number) = sampler.get(name).filter(|value| value.is_number()) {
            taken.number(name, key, &number.to_string());
        }
    }
    for name in ["seed", "noise_seed"] {
        if let Some(seed) = sampler.get(name).filter(|value| value.is_number()) {
            taken.seed(name, "seed", &seed.to_string());
        }
    }
    if let Some(name) = sampler["sampler_name"].as_str() {
        match of_comfyui(name) {
            Some(id) => taken.take("sampler", id),
            None => taken.leave("sampler_name", name),
        }
    }
    if let Some(name) = sampler.get("scheduler").and_then(Value::as_str) {
        let id = name.replace('_', "-");
        match id == "linear-quadratic" || SCHEDULES.iter().any(|(_, ours)| *ours == id) {
            true => taken.take("schedule", id.as_str()),
            false => taken.leave("scheduler", name),
        }
    }
    if let Some(denoise) = sampler.get("denoise").and_then(Value::as_f64).filter(|denoise| *denoise < 1.0) {
        taken.leave("denoise", denoise);
    }
    for (name, key) in [("positive", "prompt"), ("negative", "negative")] {
        if let Some(text) = sampler.get(name).and_then(|link| prompt(&graph, link, &mut BTreeSet::new())) {
            taken.prompt(key, text);
        }
    }
    if let Some(latent) = sampler.get("latent_image").and_then(|link| followed(&graph, link)) {
        let number = |name: &str| latent.get(name).and_then(Value::as_u64);
        if let (Some(width), Some(height)) = (number("width"), number("height")) {
            taken.take("size", format!("{width}x{height}").as_str());
        }
        if let Some(images) = number("batch_size") {
            taken.take("images", images as f64);
        }
    }
    Some(taken)
}

/// The inputs of the node that a link, `["6", 0]`, names.
fn followed<'a>(graph: &'a Map<String, Value>, link: &Value) -> Option<&'a Map<String, Value>> {
    graph.get(link.get(0)?.as_str()?)?["inputs"].as_object()
}

/// The text of that node, or of one that it takes its own from; each node is looked at once.
fn prompt<'a>(graph: &'a Map<String, Value>, link: &'a Value, seen: &mut BTreeSet<&'a str>) -> Option<&'a str> {
    if seen.len() > NODES || !seen.insert(link.get(0)?.as_str()?) {
        return None;
    }
    let inputs = followed(graph, link)?;
    if let Some(text) = inputs.get("text").and_then(Value::as_str) {
        return Some(text);
    }
    inputs.values().filter(|value| value.is_array()).find_map(|link| prompt(graph, link, seen))
}
