//! The blocks that levels are built of, by their names in diffusers.

use super::Unet2dConfig;
use crate::models::keys::{ConfigError, Keys};
use crate::nn::{Sampling, around, joined, joined_groups, skip_groups};
use serde_json::{Value, json};

/// How a level is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockType {
    pub attends: bool,
    pub sampling: Sampling,
}

impl BlockType {
    /// Takes the list of the way `Down` or `Up`. Where `resnet` says so, levels that attend lead on by a residual block, as
    /// `downsample_type` and `upsample_type` have it.
    pub(super) fn list(
        k: &mut Keys,
        way: &'static str,
        attends: [bool; 4],
        levels: usize,
        resnet: bool,
        padding: usize,
    ) -> Result<Vec<Self>, ConfigError> {
        let key = if way == "Down" { "down_block_types" } else { "up_block_types" };
        let default = attends.map(|attends| format!("{}{way}Block2D", if attends { "Attn" } else { "" }));
        let supported = format!(
            "{way}Block2D, Attn{way}Block2D, Skip{way}Block2D, AttnSkip{way}Block2D and Resnet{way}sampleBlock2D, one for each of block_out_channels"
        );
        let named = |name: &String| Self::named(name, way, resnet, padding);
        let names = k.take(key, json!(default), &supported, |list: &Vec<String>| {
            list.len() == levels && list.iter().all(|name| named(name).is_some())
        })?;
        Ok(names.iter().filter_map(named).collect())
    }

    fn named(name: &str, way: &str, resnet: bool, padding: usize) -> Option<Self> {
        let kind = name.strip_suffix("Block2D")?;
        if kind.strip_prefix("Resnet").and_then(|rest| rest.strip_prefix(way)) == Some("sample") {
            return Some(Self { attends: false, sampling: Sampling::Resnet });
        }
        let conv = Sampling::Conv { padding };
        let (attends, sampling) = match kind.strip_suffix(way)? {
            "" => (false, conv),
            "Attn" => (true, if resnet { Sampling::Resnet } else { conv }),
            "Skip" => (false, Sampling::Skip),
            "AttnSkip" => (true, Sampling::Skip),
            _ => return None,
        };
        Some(Self { attends, sampling })
    }

    /// Its name on the way `Down` or `Up`.
    fn name(&self, way: &str) -> String {
        let attends = if self.attends { "Attn" } else { "" };
        match self.sampling {
            Sampling::Skip => format!("{attends}Skip{way}Block2D"),
            Sampling::Resnet if !self.attends => format!("Resnet{way}sampleBlock2D"),
            _ => format!("{attends}{way}Block2D"),
        }
    }

    fn skips(&self) -> bool {
        self.sampling == Sampling::Skip
    }
}

impl Unet2dConfig {
    /// Whether the levels that carry a picture beside their features can be built: diffusers has fixed groups for them, and a
    /// picture of three channels.
    pub(super) fn skips_fit(&self, k: &Keys) -> Result<(), ConfigError> {
        let (channels, layers) = (&self.block_out_channels, self.layers_per_block);
        let (down, up, last) = (&self.down_block_types, &self.up_block_types, channels.len() - 1);
        let refuse = |key, value: Value, supported: &str| Err(k.refused(key, value, supported));
        let names = |blocks: &[BlockType], way| json!(blocks.iter().map(|block| block.name(way)).collect::<Vec<_>>());
        // What is filtered on the way is of the size of the level only if every level before, or after, filters it too.
        let of_three = "3 where a Skip block leads on";
        if down[..last].iter().any(BlockType::skips) {
            if self.in_channels != Sampling::SKIP_CHANNELS {
                return refuse("in_channels", json!(self.in_channels), of_three);
            }
            if !down[..last].is_sorted_by_key(|block| !block.skips()) {
                return refuse("down_block_types", names(down, "Down"), "Skip blocks before all others");
            }
        }
        if let Some(first) = up[..last].iter().position(BlockType::skips) {
            if self.out_channels != Sampling::SKIP_CHANNELS {
                return refuse("out_channels", json!(self.out_channels), of_three);
            }
            if !up[first..].iter().all(BlockType::skips) {
                return refuse("up_block_types", names(up, "Up"), "Skip blocks after all others");
            }
        }
        let whole = |channels: usize, groups: usize| groups > 0 && channels.is_multiple_of(groups);
        let own = |channels: usize| whole(channels, skip_groups(channels));
        for level in 0..=last {
            let around @ [_, inputs, outputs] = around(channels, level);
            let [down, up] = [down[level], up[last - level]];
            let joins = |layer| {
                let joined = joined(around, layer, layers);
                whole(joined.iter().sum(), joined_groups(joined, up.attends))
            };
            let fits_down = !down.skips() || own(inputs) && own(outputs);
            let fits_up = !up.skips() || own(outputs) && (0..=layers).all(joins);
            let attends = |block: BlockType| block.skips() && block.attends;
            let attention = !(attends(down) || attends(up)) || outputs.is_multiple_of(Sampling::SKIP_ATTENTION_GROUPS);
            if !(fits_down && fits_up && attention) {
                let supported = "channels that the fixed groups of Skip blocks divide, a quarter of them but at most 32, and 32 where they attend";
                return refuse("block_out_channels", json!(channels), supported);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The picture beside the features has three channels and the size of its level, and the groups of such levels are fixed.
    #[test]
    fn skip_blocks_are_refused_where_they_do_not_fit() {
        let said = |down: [&str; 2], up: [&str; 2], more: Value| {
            let name = |kinds: [&str; 2], way: &str| kinds.map(|kind| format!("{kind}{way}Block2D"));
            let mut config = json!({"sample_size": 8, "block_out_channels": [8, 8], "norm_num_groups": 4,
                "attention_head_dim": 4, "down_block_types": name(down, "Down"), "up_block_types": name(up, "Up")});
            more.as_object().into_iter().flatten().for_each(|(key, value)| config[key] = value.clone());
            Unet2dConfig::from_json(&config.to_string()).map_or_else(|e| e.to_string(), |_| "it is built".to_owned())
        };
        let (skip, plain) = (["Skip"; 2], [""; 2]);
        assert_eq!(said(skip, skip, json!({"norm_num_groups": null})), "it is built");
        for (down, up, more, part) in [
            (skip, plain, json!({"in_channels": 1}), "sets in_channels to 1"),
            (plain, skip, json!({"out_channels": 6}), "sets out_channels to 6"),
            (["", "Skip"], ["Skip", ""], json!({}), r#"sets up_block_types to ["SkipUpBlock2D","UpBlock2D"]"#),
            (
                skip,
                skip,
                json!({"block_out_channels": [8, 14], "norm_num_groups": 2}),
                "sets block_out_channels to [8,14]",
            ),
            (["Skip", "AttnSkip"], skip, json!({}), "sets block_out_channels to [8,8]"),
            (skip, plain, json!({"norm_num_groups": null}), "sets norm_num_groups to null"),
        ] {
            let said = said(down, up, more);
            assert!(said.contains(part), "{said}");
        }
    }
}
