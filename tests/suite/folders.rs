//! Folders of weights in all the layouts that people have: the same network, whatever its files are called.
#![cfg(feature = "cpu")]

use burn::tensor::{Device, Tensor};
use pollster::block_on;
use safetensors::SafeTensors;
use safetensors::tensor::TensorView;
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use unnoise::backend::{self, Backend};
use unnoise::models::classifier::NoisyClassifier;
use unnoise::pipeline::Pipeline;
use unnoise::session;
use unnoise::settings::{Class, Settings};

const WEIGHTS: &str = "diffusion_pytorch_model.safetensors";

fn device() -> Device {
    block_on(backend::open(Backend::Cpu)).expect("the CPU backend is compiled in").device
}

fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// A folder of one test's own, which is removed after it.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("unnoise-folders-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("a temporary folder");
        Self(path)
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> &Self {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().expect("below the folder")).expect("a folder");
        fs::write(path, bytes).expect("written");
        self
    }

    fn load(&self) -> Result<Pipeline, String> {
        Pipeline::from_dir(&self.0, &device()).map_err(|e| e.to_string())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A file of the self-test network.
fn own(name: &str) -> Vec<u8> {
    fs::read(project("models/selftest").join(name)).expect("a file of models/selftest")
}

fn json_of(name: &str) -> Value {
    serde_json::from_slice(&own(name)).expect("JSON")
}

/// What a model answers to a picture of ones; the same for every folder that holds the same network.
fn answer(model: &Pipeline) -> Vec<f32> {
    let [channels, height, width] = model.shape();
    let x = Tensor::<4>::ones([1, channels, height, width], &device());
    block_on(backend::read(model.network.unet2d().expect("a network of pictures").forward(x, &[9.0], Some(&[1]))))
        .expect("the CPU does not fail")
}

fn expected() -> Vec<f32> {
    answer(&Pipeline::from_dir(&project("models/selftest"), &device()).expect("it loads"))
}

/// The tensors of the self-test network whose names `take` renames or leaves out, as a safetensors file.
fn tensors(take: impl Fn(usize, &str) -> Option<String>) -> Vec<u8> {
    let bytes = own(&format!("unet/{WEIGHTS}"));
    let file = SafeTensors::deserialize(&bytes).expect("weights");
    let mut all = file.tensors();
    all.sort_by(|(a, _), (b, _)| a.cmp(b));
    let taken = all.iter().enumerate().filter_map(|(i, (name, view))| {
        let view = TensorView::new(view.dtype(), view.shape().to_vec(), view.data()).expect("a tensor");
        Some((take(i, name)?, view))
    });
    safetensors::serialize(taken.collect::<Vec<_>>(), None).expect("a file")
}

#[test]
fn files_at_the_root_are_the_same_model() {
    let folder = Folder::new("root");
    folder.write("config.json", own("unet/config.json")).write(WEIGHTS, own(&format!("unet/{WEIGHTS}")));
    folder.write("scheduler_config.json", own("scheduler/scheduler_config.json"));
    // What macOS leaves on other file systems.
    folder.write("._config.json", b"\0\x05\x16\x07").write(".DS_Store", b"\0");
    let model = folder.load().expect("it loads");
    assert_eq!(answer(&model), expected());
    assert_eq!(model.notes, [""; 0]);
}

#[test]
fn a_network_saved_without_a_scheduler_says_what_is_assumed() {
    let folder = Folder::new("alone");
    folder.write("config.json", own("unet/config.json")).write(WEIGHTS, own(&format!("unet/{WEIGHTS}")));
    let model = folder.load().expect("it loads");
    assert_eq!(model.notes.len(), 1);
    assert!(model.notes[0].contains("no scheduler_config.json"), "{}", model.notes[0]);
    assert!(model.schedule.to_string().contains("timesteps 0 to 999"), "{}", model.schedule);
}

#[test]
fn half_precision_and_shards_are_read() {
    let half = Folder::new("fp16");
    half.write("unet/config.json", own("unet/config.json"));
    half.write("scheduler/scheduler_config.json", own("scheduler/scheduler_config.json"));
    half.write("unet/diffusion_pytorch_model.fp16.safetensors", own(&format!("unet/{WEIGHTS}")));
    assert_eq!(answer(&half.load().expect("it loads")), expected());

    let name = |part: usize| format!("diffusion_pytorch_model-0000{part}-of-00002.safetensors");
    let shard = |part: usize| tensors(|i, name| (i % 2 == part - 1).then(|| name.to_owned()));
    for with_index in [true, false] {
        let shards = Folder::new(if with_index { "shards" } else { "shards-alone" });
        shards.write("config.json", own("unet/config.json"));
        shards.write("scheduler_config.json", own("scheduler/scheduler_config.json"));
        shards.write(&name(1), shard(1));
        if with_index {
            let index =
                json!({"metadata": {"total_size": 1}, "weight_map": {"a": name(1), "b": name(2), "c": name(1)}});
            shards.write(&format!("{WEIGHTS}.index.json"), index.to_string());
        }
        let refusal = shards.load().err().expect("a shard is missing");
        assert!(refusal.contains("in 2 parts") && refusal.contains("not there"), "{refusal}");
        shards.write(&name(2), shard(2));
        assert_eq!(answer(&shards.load().expect("it loads")), expected());
        shards.write(&name(2), shard(1));
        let refusal = shards.load().err().expect("both hold the same tensors");
        assert!(refusal.contains("Two of the weights' parts hold"), "{refusal}");
    }
}

/// As diffusers 0.0 and 0.1 wrote them.
#[test]
fn a_folder_of_the_first_versions_is_the_same_model() {
    let mut config = json_of("unet/config.json");
    let keys = config.as_object_mut().expect("an object");
    for (now, then) in [
        ("sample_size", "image_size"),
        ("layers_per_block", "num_res_blocks"),
        ("norm_num_groups", "resnet_num_groups"),
    ] {
        let value = keys.remove(now).unwrap_or_else(|| panic!("no {now}"));
        keys.insert(then.to_owned(), value);
    }
    for (key, then) in [("down_block_types", "down_blocks"), ("up_block_types", "up_block_types")] {
        let blocks = keys.remove(key).expect("blocks");
        let blocks =
            blocks.as_array().expect("a list").iter().map(|b| format!("UNetRes{}", b.as_str().expect("a name")));
        keys.insert(then.to_owned(), blocks.collect());
    }
    keys.insert("_class_name".to_owned(), json!("UNetUnconditionalModel"));
    let mut scheduler = json_of("scheduler/scheduler_config.json");
    let keys = scheduler.as_object_mut().expect("an object");
    let timesteps = keys.remove("num_train_timesteps").expect("timesteps");
    keys.insert("timesteps".to_owned(), timesteps);
    keys.insert("_class_name".to_owned(), json!("GaussianDDPMScheduler"));
    let old = |_, name: &str| {
        let name = name.replace("to_q", "query").replace("to_k", "key").replace("to_v", "value");
        let name = name.replace("to_out.0", "proj_attn");
        Some(match name.split_once('.') {
            Some(("mid_block", rest)) => format!("mid.{rest}"),
            Some(("down_blocks", rest)) => format!("downsample_blocks.{rest}"),
            Some(("up_blocks", rest)) => format!("upsample_blocks.{rest}"),
            _ => name,
        })
    };
    let folder = Folder::new("first-versions");
    folder.write("config.json", config.to_string()).write(WEIGHTS, tensors(old));
    folder.write("scheduler_config.json", scheduler.to_string());
    let model = folder.load().expect("it loads");
    assert_eq!(answer(&model), expected());
    let now = Pipeline::from_dir(&project("models/selftest"), &device()).expect("it loads");
    assert_eq!(model.schedule, now.schedule);
    assert!(model.scheduler_config.contains("\"DDPMScheduler\""), "{}", model.scheduler_config);
}

#[test]
fn what_cannot_be_read_is_named() {
    let folder = Folder::new("refused");
    folder.write("unet/config.json", own("unet/config.json"));
    folder.write("scheduler/scheduler_config.json", own("scheduler/scheduler_config.json"));
    folder.write("unet/diffusion_pytorch_model.bin", b"PK");
    let refusal = folder.load().err().expect("a pickle");
    assert!(refusal.contains("unnoise-folders") && refusal.contains("diffusion_pytorch_model.bin"), "{refusal}");
    folder.write(&format!("unet/{WEIGHTS}"), b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n");
    let refusal = folder.load().err().expect("a pointer");
    assert!(refusal.contains("git lfs pull"), "{refusal}");
    for (class, said) in [
        ("UNet3DConditionModel", "describes a UNet3DConditionModel"),
        ("UNet2DConditionModel", "A StableDiffusionPipeline has vae/, but this folder has none"),
    ] {
        let mut config = json_of("unet/config.json");
        config["_class_name"] = json!(class);
        folder.write("unet/config.json", config.to_string());
        let refusal = folder.load().err().expect("another network");
        assert!(refusal.contains(said), "{refusal}");
    }
    let refusal = Pipeline::from_dir(&folder.0.join("unet/config.json"), &device()).err().expect("a file");
    assert!(refusal.to_string().contains("cannot be read"), "{refusal}");
}

/// Keys of versions to come, switched off, and one that is not.
#[test]
fn unknown_keys_that_change_nothing_are_accepted() {
    let load = |key: &str, value: Value| {
        let folder = Folder::new("keys");
        let mut config = json_of("unet/config.json");
        config[key] = value;
        folder.write("config.json", config.to_string()).write(WEIGHTS, own(&format!("unet/{WEIGHTS}")));
        folder.load().map(|model| answer(&model))
    };
    for off in [json!(null), json!(false), json!(0), json!(0.0), json!(""), json!([]), json!({})] {
        assert_eq!(load("use_rotary_wings", off.clone()), Ok(expected()), "{off}");
    }
    for on in [json!(true), json!(2), json!("yes"), json!([0])] {
        let refusal = load("use_rotary_wings", on.clone()).expect_err("it would change something");
        assert!(refusal.contains(&format!("sets use_rotary_wings to {on}")), "{refusal}");
    }
}

/// Configurations that were edited: a byte order mark, the line ends of Windows, keys of a scheduler that nobody knows.
#[test]
fn edited_configurations_are_read_and_unknown_keys_named() {
    let folder = Folder::new("edited");
    let marked = |name: &str| {
        let text = String::from_utf8(own(name)).expect("text").replace('\n', "\r\n");
        [b"\xef\xbb\xbf", text.as_bytes()].concat()
    };
    folder
        .write("unet/config.json", marked("unet/config.json"))
        .write(&format!("unet/{WEIGHTS}"), own(&format!("unet/{WEIGHTS}")));
    folder.write("scheduler/scheduler_config.json", marked("scheduler/scheduler_config.json"));
    folder.write("model_index.json", marked("model_index.json"));
    let model = folder.load().expect("it loads");
    assert_eq!((answer(&model), model.notes), (expected(), vec![]));
    let mut scheduler = json_of("scheduler/scheduler_config.json");
    (scheduler["new_flag"], scheduler["use_karras_sigmas"]) = (json!(false), json!(true));
    scheduler["new_knob"] = json!(3);
    folder.write("scheduler/scheduler_config.json", scheduler.to_string());
    let notes = folder.load().expect("it loads").notes;
    assert!(notes.len() == 1 && notes[0].contains("`new_knob`"), "{notes:?}");
    fs::remove_file(folder.0.join("model_index.json")).expect("removed");
    folder.write("scheduler/scheduler_config.json", r#"{"_class_name": "IPNDMScheduler"}"#);
    let refusal = folder.load().err().expect("no network here is shown such levels");
    assert!(refusal.contains("IPNDMScheduler"), "{refusal}");
}

/// What a script of the run tells diffusers.
#[test]
fn a_script_finds_the_network_where_it_lies() {
    let script = |folder: &Folder| {
        let model = folder.load().expect("it loads");
        let settings = Settings { images: 1, class: Class::One(0), guidance: 1.0, ..model.preset().expect("settings") };
        session::script(&model, &settings, "there".into()).expect("a script")
    };
    let root = Folder::new("script-root");
    root.write("config.json", own("unet/config.json")).write(WEIGHTS, own(&format!("unet/{WEIGHTS}")));
    assert!(script(&root).contains(r#"from_pretrained("there").eval()"#), "{}", script(&root));
    let half = Folder::new("script-fp16");
    half.write("unet/config.json", own("unet/config.json"));
    half.write("unet/diffusion_pytorch_model.fp16.safetensors", own(&format!("unet/{WEIGHTS}")));
    let script = script(&half);
    assert!(script.contains(r#"from_pretrained("there", subfolder="unet", variant="fp16").eval()"#), "{script}");
    let odd = Folder::new("script-odd");
    odd.write("config.json", own("unet/config.json")).write("model.safetensors", own(&format!("unet/{WEIGHTS}")));
    let model = odd.load().expect("it loads");
    let refusal =
        session::script(&model, &model.preset().expect("settings"), "there".into()).expect_err("it is not found");
    assert!(refusal.to_string().contains("looks for diffusion_pytorch_model"), "{refusal}");
    // The scheduler clips there as it does here.
    assert!(script.contains("DDPMScheduler.from_config(") && script.contains("\"clip_sample\": True"), "{script}");
}

#[test]
fn pictures_need_not_be_square() {
    let folder = Folder::new("wide");
    let mut config = json_of("unet/config.json");
    config["sample_size"] = json!([8, 12]);
    folder.write("config.json", config.to_string()).write(WEIGHTS, own(&format!("unet/{WEIGHTS}")));
    let model = folder.load().expect("it loads");
    assert_eq!(model.shape(), [1, 8, 12]);
    assert_eq!(answer(&model).len(), 8 * 12);
}

#[test]
fn a_classifier_is_found_like_a_model() {
    let place = project("tests/golden/classifier");
    let read = |name: &str| fs::read(place.join(name)).expect("a file of the classifier");
    let folder = Folder::new("classifier");
    folder.write("config.json", read("config.json"));
    folder.write("diffusion_pytorch_model.fp16.safetensors", read(WEIGHTS));
    assert!(NoisyClassifier::from_dir(&folder.0, &device()).is_ok());
    fs::remove_file(folder.0.join("diffusion_pytorch_model.fp16.safetensors")).expect("removed");
    folder.write("model.pt", b"PK");
    let refusal = NoisyClassifier::from_dir(&folder.0, &device()).expect_err("a pickle").to_string();
    assert!(refusal.contains("in model.pt, which is not read"), "{refusal}");
}

#[test]
fn transparent_pictures_are_laid_on_what_the_card_says() {
    let background = |name: &str| Pipeline::from_dir(&project(name), &device()).expect("it loads").card.background;
    assert_eq!(background("models/emoji-32"), [255; 3]);
    assert_eq!(background("models/mnist"), [0; 3]);
}
