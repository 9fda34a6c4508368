//! The list of shapes against the weights that ship.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use unnoise_kernels_gpu::shapes::{Attends, Layer, Network, SHIPPED};

/// What weights say of a layer: of a convolution inputs, outputs, kernel, and what it does to the size; of a normalisation the channels.
type Shape = (Vec<usize>, &'static str);

fn of_network(network: &Network) -> BTreeSet<Shape> {
    let shape = |layer| match layer {
        Layer::Convolution { shape, .. } => {
            let size = match shape.out()[0].cmp(&shape.size[0]) {
                std::cmp::Ordering::Less => "half",
                std::cmp::Ordering::Equal => "same",
                std::cmp::Ordering::Greater => "double",
            };
            Some((vec![shape.inputs, shape.outputs, shape.kernel[0]], size))
        }
        Layer::Normalisation { shape, .. } => Some((vec![shape.channels], "norm")),
        Layer::Attention(_) => None,
    };
    network.layers(1).into_iter().filter_map(shape).collect()
}

/// The names and shapes of the tensors in the weights of a folder.
fn tensors(folder: &Path) -> Vec<(String, Vec<usize>)> {
    let mut file = File::open(folder.join("diffusion_pytorch_model.safetensors")).unwrap();
    let mut length = [0; 8];
    file.read_exact(&mut length).unwrap();
    let mut header = vec![0; usize::try_from(u64::from_le_bytes(length)).unwrap()];
    file.read_exact(&mut header).unwrap();
    // `{"name":{"dtype":"F16","shape":[1,2],"data_offsets":[0,4]},...}`
    let header = String::from_utf8(header).unwrap();
    let entry = |part: &str| {
        let (before, after) = part.split_once("\":{\"dtype\"")?;
        let name = before.rsplit('"').next()?;
        let numbers = after.split_once("\"shape\":[")?.1.split(']').next()?;
        Some((name.to_owned(), numbers.split(',').filter_map(|n| n.parse().ok()).collect()))
    };
    header.split('}').filter_map(entry).collect()
}

fn of_weights(folder: &Path) -> BTreeSet<Shape> {
    let shape = |(name, shape): (String, Vec<usize>)| match shape[..] {
        [outputs, inputs, rows, _] => {
            let size = match &name {
                name if name.contains("downsamplers") => "half",
                name if name.contains("upsamplers") => "double",
                _ => "same",
            };
            Some((vec![inputs, outputs, rows], size))
        }
        // Those in transformers are of another kind.
        [_] if name.contains("norm") && name.ends_with("weight") && !name.contains("transformer_blocks") => {
            Some((shape, "norm"))
        }
        _ => None,
    };
    tensors(folder).into_iter().filter_map(shape).collect()
}

fn models() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../models")
}

#[test]
fn networks_have_the_layers_of_their_weights() {
    for network in &SHIPPED {
        let folder = models().join(network.folder.unwrap());
        assert_eq!(of_network(network), of_weights(&folder), "{}", network.name);
        let config = fs::read_to_string(folder.join("config.json")).unwrap();
        let says = |key: &str, value: usize| {
            let value = format!("\"{key}\": {value}");
            assert!(config.contains(&value), "{}: {value}", network.name);
        };
        says("norm_num_groups", network.groups);
        match network.attention {
            Attends::Nowhere => {}
            Attends::Positions { width, .. } => says("attention_head_dim", width),
            Attends::Words { heads, .. } => says("attention_head_dim", heads),
        }
    }
}

#[test]
fn every_network_that_ships_is_covered() {
    let known: BTreeSet<Shape> = SHIPPED.iter().flat_map(of_network).collect();
    let mut networks = 0;
    for model in fs::read_dir(models()).unwrap() {
        for part in [".", "unet", "vae"] {
            let folder = model.as_ref().unwrap().path().join(part);
            if folder.join("diffusion_pytorch_model.safetensors").is_file() {
                networks += 1;
                let missing: Vec<_> = of_weights(&folder).difference(&known).cloned().collect();
                assert!(missing.is_empty(), "{} has {missing:?}, which no test computes", folder.display());
            }
        }
    }
    assert!(networks >= SHIPPED.len());
}
