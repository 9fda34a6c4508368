//! Names that diffusers gave to parameters, keys and classes in its first versions, for folders that were written then.
//!
//! They are those of its `scripts/change_naming_configs_and_checkpoints.py`.

use crate::interchange::scheduler_config::strict;
use serde_json::{Map, Value};

/// Keys of a network's configuration: now, then.
const CONFIG_KEYS: [(&str, &str); 10] = [
    ("sample_size", "image_size"),
    ("layers_per_block", "num_res_blocks"),
    ("block_out_channels", "block_channels"),
    ("down_block_types", "down_blocks"),
    ("up_block_types", "up_blocks"),
    ("freq_shift", "downscale_freq_shift"),
    ("norm_num_groups", "resnet_num_groups"),
    ("act_fn", "resnet_act_fn"),
    ("norm_eps", "resnet_eps"),
    ("attention_head_dim", "num_head_channels"),
];

/// Keys of a scheduler's configuration: now, then.
const SCHEDULER_KEYS: [(&str, &str); 2] =
    [("num_train_timesteps", "timesteps"), ("clip_sample", "clip_predicted_image")];

/// Classes of schedulers: now, then.
const SCHEDULERS: [(&str, &str); 1] = [("DDPMScheduler", "GaussianDDPMScheduler")];

/// Parts of a parameter's name: now, then.
const PARTS: [(&str, &str); 4] = [("to_q", "query"), ("to_k", "key"), ("to_v", "value"), ("to_out.0", "proj_attn")];

/// First words of a parameter's name: now, then.
const STEMS: [(&str, &str); 4] = [
    ("time_proj", "time_steps"),
    ("mid_block", "mid"),
    ("down_blocks", "downsample_blocks"),
    ("up_blocks", "upsample_blocks"),
];

/// What the parameter `name` was called before, likely ones first.
pub fn parameter(name: &str) -> impl Iterator<Item = String> {
    let part = PARTS.iter().find(|(now, _)| name.contains(now));
    let part = part.map(|(now, then)| name.replacen(now, then, 1));
    let names: Vec<String> = [name.to_owned()].into_iter().chain(part).collect();
    let stem = |name: &String| {
        let (first, rest) = name.split_once('.')?;
        let (_, then) = STEMS.iter().find(|(now, _)| *now == first)?;
        Some(format!("{then}.{rest}"))
    };
    let older: Vec<String> = names.iter().filter_map(stem).collect();
    names.into_iter().skip(1).chain(older)
}

/// Whether `name` is a copy of a downsampling convolution, which the first versions stored twice.
pub fn is_copy(name: &str) -> bool {
    [".op.weight", ".op.bias"].iter().any(|end| name.ends_with(end))
}

/// Gives the keys of a network's configuration, and the names in their values, as they are now.
pub fn config(keys: &mut Map<String, Value>) {
    rename(keys, &CONFIG_KEYS);
    for key in ["down_block_types", "up_block_types"] {
        for block in keys.get_mut(key).and_then(Value::as_array_mut).into_iter().flatten() {
            if let Some(name) = block.as_str().and_then(|name| name.strip_prefix("UNetRes")) {
                *block = Value::from(name);
            }
        }
    }
}

/// The text of a scheduler's configuration with the names of now; a text that has none of the old names stays as it is.
pub fn scheduler_config(json: &str) -> String {
    let Ok(Value::Object(mut keys)) = serde_json::from_str(&strict(json)) else { return json.to_owned() };
    let before = keys.clone();
    rename(&mut keys, &SCHEDULER_KEYS);
    if let Some(class) = keys.get_mut("_class_name")
        && let Some((now, _)) = SCHEDULERS.iter().find(|(_, then)| class == then)
    {
        *class = Value::from(*now);
    }
    if keys == before { json.to_owned() } else { Value::Object(keys).to_string() }
}

/// An old key beside the new one goes if it says the same; otherwise it stays, for the reader to refuse.
fn rename(keys: &mut Map<String, Value>, names: &[(&str, &str)]) {
    for (now, then) in names {
        match (keys.get(*now), keys.get(*then)) {
            (Some(new), Some(old)) if new == old => drop(keys.remove(*then)),
            (None, Some(_)) => {
                let value = keys.remove(*then).unwrap_or_default();
                keys.insert((*now).to_owned(), value);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn parameters_have_their_older_names() {
        let older = |name| parameter(name).collect::<Vec<_>>();
        assert_eq!(older("conv_in.weight"), [""; 0]);
        assert_eq!(older("mid_block.resnets.0.conv1.bias"), ["mid.resnets.0.conv1.bias"]);
        let query = ["up_blocks.1.attentions.0.query.weight", "upsample_blocks.1.attentions.0.to_q.weight"];
        let all = older("up_blocks.1.attentions.0.to_q.weight");
        assert_eq!(all[..2], query);
        assert_eq!(all[2], "upsample_blocks.1.attentions.0.query.weight");
    }

    #[test]
    fn an_old_key_gives_way_to_a_new_one_that_says_the_same() {
        let mut same = json!({"sample_size": 32, "image_size": 32, "num_res_blocks": 2});
        config(same.as_object_mut().unwrap());
        assert_eq!(same, json!({"sample_size": 32, "layers_per_block": 2}));
        let mut other = json!({"sample_size": 32, "image_size": 64});
        config(other.as_object_mut().unwrap());
        assert_eq!(other["image_size"], 64);
    }

    #[test]
    fn a_scheduler_of_the_first_versions_is_read() {
        let old = r#"{"_class_name": "GaussianDDPMScheduler", "timesteps": 1000, "clip_predicted_image": true}"#;
        let new: Value = serde_json::from_str(&scheduler_config(old)).unwrap();
        assert_eq!(new, json!({"_class_name": "DDPMScheduler", "num_train_timesteps": 1000, "clip_sample": true}));
        let now = r#"{ "_class_name": "DDIMScheduler", "lambda_min_clipped": -Infinity }"#;
        assert_eq!(scheduler_config(now), now);
        assert_eq!(scheduler_config("{"), "{");
    }
}
