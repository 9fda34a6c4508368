//! Autoencoders against what diffusers computes.

use super::oracle::{Oracle, bytes, device, golden, shared, text};
use std::path::Path;
use unnoise::models::autoencoder_kl::{AutoencoderKl, AutoencoderKlConfig};
use unnoise::models::vq_model::{VqModel, VqModelConfig};

fn files(folder: &Path) -> (String, [Vec<u8>; 1]) {
    let own = folder.join("model.safetensors");
    let weights = if own.exists() { own } else { folder.join("diffusion_pytorch_model.safetensors") };
    (text(&folder.join("config.json")), [bytes(&weights)])
}

fn kl(folder: &Path) -> AutoencoderKl {
    let (config, weights) = files(folder);
    AutoencoderKl::load(&config, &weights, &device()).expect("it loads")
}

fn vq(folder: &Path) -> VqModel {
    let (config, weights) = files(folder);
    VqModel::load(&config, &weights, &device()).expect("it loads")
}

#[test]
fn variational_autoencoders_agree_with_diffusers() {
    for name in ["kl-legacy", "kl-plain"] {
        let (oracle, net) = (Oracle::read(&golden(name).join("oracle.safetensors")), kl(&golden(name)));
        oracle.check("decoded", net.decode(oracle.tensor("latents")));
        let latents = net.encode(oracle.tensor("image"));
        oracle.check("mean", latents.mean);
        oracle.check("logvar", latents.logvar);
    }
}

#[test]
fn codebooks_agree_with_diffusers() {
    let (oracle, net) = (Oracle::read(&golden("vq").join("oracle.safetensors")), vq(&golden("vq")));
    oracle.check("encoded", net.encode(oracle.tensor("image")));
    let (nearest, numbers) = net.quantize(oracle.tensor("latents"));
    oracle.check("quantized", nearest);
    oracle.check("numbers", numbers.float());
    oracle.check("decoded", net.decode(oracle.tensor("latents")));
}

#[test]
fn the_autoencoders_of_pipelines_agree() {
    for (name, part) in [("ldm_kl_public", "vqvae"), ("sd1_public", "vae")] {
        let Some(folder) = shared(&format!("reference/networks/{name}")) else { return };
        let (oracle, net) = (Oracle::read(&folder.join("oracle.safetensors")), kl(&folder.join(part)));
        println!("{name}");
        oracle.check("ae/decoded", net.decode(oracle.tensor("ae/latent_in")));
        let latents = net.encode(oracle.tensor("ae/image"));
        oracle.check("ae/enc_mean", latents.mean);
        oracle.check("ae/enc_logvar", latents.logvar);
    }
    let Some(folder) = shared("reference/networks/ldm_vq_public") else { return };
    let (oracle, net) = (Oracle::read(&folder.join("oracle.safetensors")), vq(&folder.join("vqvae")));
    oracle.check("ae/enc", net.encode(oracle.tensor("ae/image")));
    let (nearest, numbers) = net.quantize(oracle.tensor("ae/latent_in"));
    oracle.check("ae/quantized", nearest);
    oracle.check("ae/indices", numbers.float());
    oracle.check("ae/decoded", net.decode(oracle.tensor("ae/latent_in")));
}

#[test]
fn what_cannot_be_built_is_refused_by_name() {
    let kl = |json: &str| AutoencoderKlConfig::from_json(json).err();
    let vq = |json: &str| VqModelConfig::from_json(json).err();
    for (refusal, part) in [
        (kl(r#"{"latents_mean": [0.0]}"#), "latents_mean"),
        (kl(r#"{"latents_mean": [0, 0, 0, 0], "latents_std": [1, 1, 0, 1]}"#), "latents_std"),
        (kl(r#"{"down_block_types": ["AttnDownEncoderBlock2D"]}"#), "down_block_types"),
        (kl(r#"{"norm_num_groups": 7}"#), "norm_num_groups"),
        (kl(r#"{"scaling": 1}"#), "scaling"),
        (vq(r#"{"norm_type": "spatial"}"#), "norm_type"),
        (vq(r#"{"vq_embed_dim": 0}"#), "vq_embed_dim"),
    ] {
        let refusal = refusal.unwrap_or_else(|| panic!("accepted: {part}")).to_string();
        assert!(refusal.contains(part) && refusal.ends_with('.'), "{refusal}");
    }
}
