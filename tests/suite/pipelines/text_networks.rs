//! Text encoders, and the networks that they condition, against what transformers and diffusers compute.

use super::oracle::{Oracle, bytes, device, golden, shared, text};
use std::path::Path;
use unnoise::models::clip_text::{ClipText, ClipTextConfig};
use unnoise::models::dit::{Dit, DitConfig};
use unnoise::models::unet2d_condition::{Added, Condition, Unet2dCondition, Unet2dConditionConfig};

fn clip(folder: &Path) -> ClipText {
    let weights = [bytes(&folder.join("model.safetensors"))];
    ClipText::load(&text(&folder.join("config.json")), &weights, &device()).expect("it loads")
}

fn weights(folder: &Path) -> [Vec<u8>; 1] {
    let own = folder.join("model.safetensors");
    [bytes(&if own.exists() { own } else { folder.join("diffusion_pytorch_model.safetensors") })]
}

fn unet(folder: &Path) -> Unet2dCondition {
    let config = text(&folder.join("config.json"));
    Unet2dCondition::load(&config, &weights(folder), &device()).unwrap_or_else(|e| panic!("{}: {e}", folder.display()))
}

#[test]
fn text_encoders_agree_with_transformers() {
    for name in ["clip-quick", "clip-projection"] {
        let oracle = Oracle::read(&golden(name).join("oracle.safetensors"));
        let states = clip(&golden(name)).forward(&oracle.ids("ids"));
        oracle.check("last", states.last);
        oracle.check("penultimate", states.penultimate);
        oracle.check("pooled", states.pooled);
    }
}

#[test]
fn the_text_encoder_of_a_pipeline_agrees() {
    let Some(folder) = shared("reference/networks/sd1_public") else { return };
    let oracle = Oracle::read(&folder.join("oracle.safetensors"));
    let states = clip(&folder.join("text_encoder")).forward(&oracle.ids("text/ids"));
    oracle.check("text/last_hidden_state", states.last);
    oracle.check("text/pooled", states.pooled);
}

/// A token does not see what follows it.
#[test]
fn a_text_encoder_is_causal() {
    let encoder = clip(&golden("clip-quick"));
    let states = encoder.forward(&[vec![38, 3, 4, 39], vec![38, 3, 7, 39]]).last;
    let [first, second] = [0, 1].map(|i| states.clone().slice([i..i + 1, 0..4, 0..16]));
    let rows = unnoise::backend::cpu::read((first - second).abs().max_dim(2));
    assert_eq!(rows[..2], [0.0, 0.0]);
    assert!(rows[2..].iter().all(|d| *d > 1e-3), "{rows:?}");
}

#[test]
fn conditional_unets_agree_with_diffusers() {
    for name in ["unet-inpainting", "unet-sd2", "unet-sdxl", "unet-lcm"] {
        let oracle = Oracle::read(&golden(name).join("oracle.safetensors"));
        let optional = |name| oracle.has(name).then(|| oracle.tensor::<2>(name));
        let sizes = |row: &[f64]| row.try_into().expect("six sizes");
        let condition = Condition {
            text: oracle.tensor("text"),
            class: oracle.has("class").then(|| oracle.usizes("class")),
            added: optional("text_embeds")
                .map(|text| Added { text, sizes: oracle.numbers("time_ids").0.chunks(6).map(sizes).collect() }),
            guidance: optional("guidance"),
        };
        let net = unet(&golden(name));
        println!("{name}");
        oracle.check("out", net.forward(oracle.tensor("x"), &oracle.numbers("t").0, &condition));
    }
}

#[test]
fn the_unet_of_a_pipeline_agrees() {
    let Some(folder) = shared("reference/networks/sd1_public") else { return };
    let oracle = Oracle::read(&folder.join("oracle.safetensors"));
    let net = unet(&folder.join("unet"));
    for call in 0..3 {
        let name = |part: &str| format!("call{call}/{part}");
        let condition = Condition { text: oracle.tensor(&name("text")), class: None, added: None, guidance: None };
        let out = net.forward(oracle.tensor(&name("x")), &oracle.numbers(&name("t")).0, &condition);
        oracle.check(&name("out"), out);
    }
}

#[test]
fn diffusion_transformers_agree_with_diffusers() {
    let check = |folder: &Path, oracle: &Oracle, call: &str| {
        let name = |part: &str| format!("{call}{part}");
        let net = Dit::load(&text(&folder.join("config.json")), &weights(folder), &device()).expect("it loads");
        let (times, classes) = (oracle.numbers(&name("t")).0, oracle.usizes(&name("class")));
        oracle.check(&name("out"), net.forward(oracle.tensor(&name("x")), &times, &classes));
    };
    check(&golden("dit"), &Oracle::read(&golden("dit").join("oracle.safetensors")), "");
    let Some(folder) = shared("reference/networks/dit_public") else { return };
    let oracle = Oracle::read(&folder.join("oracle.safetensors"));
    for call in ["call0/", "call1/", "call2/"] {
        check(&folder.join("transformer"), &oracle, call);
    }
}

/// A key that asks for something else is named.
#[test]
fn what_cannot_be_built_is_refused_by_name() {
    let refusals = [
        Unet2dConditionConfig::from_json(r#"{"dual_cross_attention": true}"#).err(),
        Unet2dConditionConfig::from_json(r#"{"attention_head_dim": 321}"#).err(),
        Unet2dConditionConfig::from_json(r#"{"attention_head_dim": [8, 8]}"#).err(),
        Unet2dConditionConfig::from_json(r#"{"num_attention_heads": 321}"#).err(),
        Unet2dConditionConfig::from_json(r#"{"addition_embed_type": "text_time"}"#).err(),
        Unet2dConditionConfig::from_json(r#"{"down_block_types": ["DownBlock2D"]}"#).err(),
        Unet2dConditionConfig::from_json(r#"{"encoder_hid_dim": 1024}"#).err(),
        Unet2dConditionConfig::from_json(r#"{"attn": 1}"#).err(),
        ClipTextConfig::from_json(r#"{"hidden_act": "selu"}"#).err(),
        ClipTextConfig::from_json(r#"{"architectures": ["CLIPModel"]}"#).err(),
        ClipTextConfig::from_json(r#"{"hidden_sizes": 3}"#).err(),
        DitConfig::from_json(r#"{"norm_type": "ada_norm_single"}"#).err(),
        DitConfig::from_json("[]").err(),
    ];
    let parts = [
        "dual_cross_attention to true",
        "attention_head_dim",
        "attention_head_dim",
        "num_attention_heads",
        "addition_time_embed_dim",
        "down_block_types",
        "encoder_hid_dim",
        "attn",
        "hidden_act",
        "architectures",
        "hidden_sizes",
        "norm_type",
        "JSON",
    ];
    for (refusal, part) in refusals.into_iter().zip(parts) {
        let refusal = refusal.unwrap_or_else(|| panic!("accepted: {part}")).to_string();
        assert!(refusal.contains(part) && refusal.ends_with('.'), "{refusal}");
    }
}

/// Files that are no whole model of the configuration: what they are instead is said.
#[test]
fn other_weights_are_refused_in_a_sentence() {
    let folder = golden("clip-quick");
    let config = text(&folder.join("config.json"));
    let other = config.replace("\"intermediate_size\": 24", "\"intermediate_size\": 25");
    let more = config.replace("\"num_hidden_layers\": 3", "\"num_hidden_layers\": 4");
    let tensor = safetensors::tensor::TensorView::new(safetensors::Dtype::F32, vec![1], &[0; 4]).expect("a view");
    let lora = safetensors::serialize([("text_model.q_proj.lora_A.weight", tensor)], None).expect("a file");
    let whole = bytes(&folder.join("model.safetensors"));
    for (config, weights, part) in [
        (&config, b"GGUF rest".to_vec(), "GGUF"),
        (&config, b"PK\x03\x04 rest".to_vec(), "pickle"),
        (&config, b"\x80\x02rest".to_vec(), "pickle"),
        (&config, whole[..whole.len() - 9].to_vec(), "download"),
        (&config, lora, "LoRA"),
        (&other, whole.clone(), "shape"),
        (&more, whole.clone(), "no tensor"),
    ] {
        let refusal = ClipText::load(config, &[weights], &device()).err().unwrap_or_else(|| panic!("accepted: {part}"));
        let refusal = refusal.to_string();
        assert!(refusal.contains(part) && refusal.contains("CLIPTextModel"), "{refusal}");
    }
}
