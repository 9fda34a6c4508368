//! Recipes of scenes: an autoencoder, and a text-conditioned denoiser; for the judge see `judge.rs`. `tests/golden/text_training`, made by
//! `training/make_text.py`, has toy pictures, small networks to start from, and what `training/` in Python makes of them.

use super::scratch::{NEVER, Scratch, device};
use safetensors::SafeTensors;
use serde_json::Value;
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use unnoise::dataset::scenes::{PythonRandom, SceneData, SceneSet, Shares};
use unnoise::pipeline::Pipeline;
use unnoise::pipeline::text::Tokenizer;
use unnoise::train::{Job, Outcome, Recipe, Vocabulary, run};

pub static GOLDEN: LazyLock<PathBuf> =
    LazyLock::new(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/text_training"));
pub static KNOWN: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(&text("known.json")).expect("what Python wrote"));

pub fn text(name: &str) -> String {
    fs::read_to_string(GOLDEN.join(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
}

pub fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().expect("a list").iter().map(|v| v.as_f64().expect("a number")).collect()
}

/// The scenes of a recipe.
fn scenes(recipe: &str, keep_back: bool) -> SceneSet {
    #[derive(serde::Deserialize)]
    struct Sections {
        data: SceneData,
        scenes: Shares,
    }
    let Sections { data, scenes } = toml::from_str(&text(recipe)).expect("a recipe");
    data.read(&GOLDEN, &scenes, keep_back).expect("pictures and words")
}

#[test]
fn scenes_and_captions_are_those_of_python() {
    let set = scenes("text.toml", false);
    let number = |value: Option<usize>| value.map_or(-1.0, |value| value as f64);
    let natural: Vec<f64> = set.sprites.natural().into_iter().map(number).collect();
    assert_eq!(natural, numbers(&KNOWN["natural"]));
    let kept_back: Vec<f64> = set.kept_back.iter().map(|i| *i as f64).collect();
    assert_eq!(kept_back, numbers(&KNOWN["kept_back"]));
    let mut rng = PythonRandom::new("0-2-3");
    let known = KNOWN["scenes"].as_array().expect("scenes");
    assert_eq!(known.len(), 200);
    let drawn: Vec<_> = known.iter().map(|_| set.scenes.draw(&mut rng)).collect();
    for (scene, known) in drawn.iter().zip(known) {
        assert_eq!(scene.caption, known["caption"]);
        let parts = known["parts"].as_array().expect("parts");
        assert_eq!(scene.parts.len(), parts.len());
        for (part, known) in scene.parts.iter().zip(parts) {
            let [x, y] = part.place;
            let got = [part.index as f64, number(part.colour), x, y, part.size];
            for (got, known) in got.iter().zip(numbers(&known.as_array().expect("a part")[..5].into())) {
                // JSON is read to one unit in the last place.
                assert!((got - known).abs() <= f64::EPSILON * known.abs(), "{got} is not {known}");
            }
            assert_eq!(part.mirrored, known[5]);
        }
    }

    for (scene, known) in drawn.iter().zip(KNOWN["wrong"].as_array().expect("captions")) {
        assert_eq!(set.scenes.wrong(scene, &mut rng), *known, "{}", scene.caption);
    }

    let tokenizer = Tokenizer::from_dir(&GOLDEN.join("text-start")).expect("a tokenizer");
    let told = |caption: &str| Value::from(tokenizer.encode_padded(caption).ids);
    let ids = KNOWN["ids"].as_array().expect("rows");
    let dropped = ids.iter().zip(&drawn).filter(|(ids, scene)| {
        assert!(**ids == told(&scene.caption) || **ids == told(""), "{}", scene.caption);
        **ids == told("")
    });
    assert_eq!((ids.len(), dropped.count()), (8, 3));

    let file = fs::read(GOLDEN.join("pictures.safetensors")).expect("pictures");
    let file = SafeTensors::deserialize(&file).expect("safetensors");
    let known = file.tensor("pictures").expect("pictures");
    let known: Vec<f32> = known.data().as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect();
    let places = numbers(&KNOWN["drawn"]);
    let pictures: Vec<f32> = places.iter().flat_map(|&i| set.sprites.draw(&drawn[i as usize].parts)).collect();
    assert_eq!(pictures.len(), known.len());
    // A place on the sprite is worth a few roundings of numbers up to 32, and its colour changes by up to 2 a pixel. A colour between two
    // bytes may be rounded to either, which is 2 / 255 here; a toy has few colours, and
    // so a whole part of it falls to the same side.
    let far: Vec<f32> = pictures.iter().zip(&known).map(|(got, known)| (got - known).abs()).collect();
    assert!(far.iter().all(|far| *far < 2.1 / 255.0), "{:?}", far.iter().copied().reduce(f32::max));
    let rounded = far.iter().filter(|far| **far > 4e-5).count();
    assert!(rounded < pictures.len() / 200, "{rounded} of {}", pictures.len());
}

/// Follows a recipe of the golden folder, with edits, beside the networks to start from. Gives the loss of every step.
pub fn train(
    scratch: &Scratch,
    recipe: &str,
    edits: &[(&str, &str)],
    out: &str,
    resume: bool,
    stop: usize,
) -> (Outcome, Vec<f64>) {
    let recipe = scratch.recipe(&text(recipe), edits);
    beginnings(scratch);
    let (out, device) = (scratch.0.join(out), device());
    let job = Job { recipe: &recipe, data: &GOLDEN, out: &out, resume, device: &device };
    let (mut losses, mut before) = (Vec::new(), None);
    let outcome = run(&job, &mut |progress| {
        // What came before a step is taken out of its smoothed loss.
        losses.push(before.map_or(progress.loss, |before| (progress.loss - 0.99 * before) / 0.01));
        before = Some(progress.loss);
        if progress.step == stop { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    (outcome.unwrap_or_else(|e| panic!("{e}")), losses)
}

/// Puts the networks to start from beside what is made.
fn beginnings(scratch: &Scratch) {
    for start in ["autoencoder-start", "text-start", "judge-start"] {
        copy(&GOLDEN.join(start), &scratch.0.join(start));
    }
}

pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let path = entry.expect("an entry").path();
        let to = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            copy(&path, &to);
        } else {
            fs::copy(&path, &to).expect("a copy");
        }
    }
}

/// Whether the losses are those of Python, to a relative `tolerance`.
pub fn course(losses: &[f64], name: &str, tolerance: f64) {
    let known = numbers(&KNOWN["losses"][name]);
    let far = losses.iter().zip(&known).map(|(got, known)| (got / known - 1.0).abs()).collect::<Vec<_>>();
    eprintln!("{name}: {:?}", far.iter().map(|far| format!("{far:.1e}")).collect::<Vec<_>>());
    assert_eq!((losses.len(), known.len()), (12, 12));
    for (step, far) in far.iter().enumerate() {
        assert!(*far < tolerance, "step {step}: {} is not {}", losses[step], known[step]);
    }
}

/// Relative. The order of sums is worth 1e-6 of a loss; a colour that was rounded to the other byte, here or there, changes one by up to
/// 1e-4 (see above), and what a network learned from it the next.
const TOLERANCE: f64 = 3e-4;

#[test]
fn an_autoencoder_learns_on_the_course_of_python() {
    let scratch = Scratch::new("autoencoder");
    let (outcome, losses) = train(&scratch, "autoencoder.toml", &[], "out", false, NEVER);
    course(&losses, "autoencoder", TOLERANCE);
    assert!(matches!(&outcome, Outcome::Done { held_out, accuracy: None } if held_out.len() == 1), "{outcome:?}");
    let json = |name: &str| -> Value { serde_json::from_slice(&scratch.read(name)).expect("JSON") };
    let (figures, known) = (json("out/figures.json"), &KNOWN["figures"]);
    assert_eq!(figures["kept_back"], known["kept_back"]);
    let close = |got: &Value, known: &Value, key: &str| {
        let (got, known) = (got.as_f64().expect(key), known.as_f64().expect(key));
        assert!((got / known - 1.0).abs() < 1e-3, "{key}: {got} is not {known}");
    };
    close(&json("out/vae/config.json")["scaling_factor"], &known["scaling_factor"], "scaling_factor");
    for key in ["psnr", "ssim"] {
        close(&figures[key], &known[key], key);
    }
    for key in ["latent_mean", "latent_std"] {
        for (got, known) in figures[key].as_array().expect(key).iter().zip(known[key].as_array().expect(key)) {
            close(got, known, key);
        }
    }
    assert_eq!(scratch.column("out", "held_out").len(), 1);
}

#[test]
fn a_text_conditioned_denoiser_learns_on_the_course_of_python() {
    let scratch = Scratch::new("captioned");
    let (_, losses) = train(&scratch, "text.toml", &[], "out", false, NEVER);
    course(&losses, "text", TOLERANCE);
    assert_eq!(
        scratch.read("out/tokenizer/merges.txt"),
        fs::read(GOLDEN.join("text-start/tokenizer/merges.txt")).expect("merges")
    );
}

#[test]
fn a_student_learns_on_the_course_of_python() {
    let scratch = Scratch::new("turbo");
    let (_, losses) = train(&scratch, "text-turbo.toml", &[], "out", false, NEVER);
    course(&losses, "text-turbo", TOLERANCE);
    let folders = fs::read_dir(scratch.0.join("out")).expect("a folder");
    let mut folders: Vec<_> =
        folders.map(|entry| entry.expect("an entry").path()).filter(|path| path.is_dir()).collect();
    folders.sort();
    assert_eq!(folders, ["scheduler", "unet"].map(|name| scratch.0.join("out").join(name)));
    let json = |name: &str| -> Value { serde_json::from_slice(&scratch.read(name)).expect("JSON") };
    assert_eq!(json("out/scheduler/scheduler_config.json")["original_inference_steps"], 50);
    assert_eq!(json("out/unnoise.json")["parts"]["vae"], "emoji-text");
    // All of the teacher's weights and none of the student's.
    let blend = ("blend = 0.5", "blend = 1.0");
    train(&scratch, "text-turbo.toml", &[blend], "teacher", false, 12);
    let weights = "unet/diffusion_pytorch_model.safetensors";
    let tensors = |bytes: &[u8]| {
        let file = SafeTensors::deserialize(bytes).expect("safetensors");
        let mut all: Vec<_> = file.tensors().into_iter().map(|(name, view)| (name, view.data().to_vec())).collect();
        all.sort();
        all
    };
    let teacher = fs::read(GOLDEN.join("text-start").join(weights)).expect("weights");
    assert!(tensors(&scratch.read(&format!("teacher/{weights}"))) == tensors(&teacher));
    assert!(tensors(&scratch.read(&format!("out/{weights}"))) != tensors(&teacher));
}

#[test]
fn a_text_model_is_trained_from_nothing_and_goes_on_with_the_same_bits() {
    let scratch = Scratch::new("text");
    let anew = ("init = \"text-start\"\n", "");
    let (_, straight) = train(&scratch, "text.toml", &[anew], "straight", false, NEVER);
    let (stopped, first) = train(&scratch, "text.toml", &[anew], "broken", false, 5);
    assert_eq!(stopped, Outcome::Stopped { step: 5, steps: 12 });
    let (done, _) = train(&scratch, "text.toml", &[anew], "broken", true, NEVER);
    assert_eq!(done, Outcome::Done { held_out: Vec::new(), accuracy: None });
    assert_eq!(first, straight[..5]);
    for part in ["unet/diffusion_pytorch_model", "text_encoder/model", "vae/diffusion_pytorch_model"] {
        let weights = |out: &str| scratch.read(&format!("{out}/{part}.safetensors"));
        assert!(weights("straight") == weights("broken"), "{part}");
    }
    let model = Pipeline::from_dir(&scratch.0.join("straight"), &device()).expect("a model");
    assert_eq!(model.shape(), [4, 8, 8]);
    let card: Value = serde_json::from_slice(&scratch.read("straight/unnoise.json")).expect("a card");
    assert_eq!(card["defaults"]["sampler"], "dpmpp-2m");
    // Every byte is a token, and merges took the room that was left.
    let vocabulary: serde_json::Map<String, Value> =
        serde_json::from_slice(&scratch.read("straight/tokenizer/vocab.json")).expect("a vocabulary");
    assert_eq!(vocabulary.len(), 600);
}

/// What `train_tokenizer` of `training/tokens.py` learns from the same texts with tokenizers 0.23. Where it breaks ties by the order of a
/// hash table, of symbols that end words, there are none here.
#[test]
fn merges_are_those_of_tokenizers() {
    let texts =
        [("abab", 19), ("abc", 7), ("lower", 6), ("low", 5), ("newest", 11), ("红", 40), ("心", 30), ("红心", 3)];
    let all = texts.iter().flat_map(|(text, count)| std::iter::repeat_n((*text).to_owned(), *count));
    let vocabulary = Vocabulary::learn(all, Vocabulary::LEAST + 40);
    let merges: Vec<String> = vocabulary.merges.iter().map(|pair| pair.join(" ")).collect();
    let known = "ç º,çº ¢</w>,¿ ĥ</w>,å ¿ĥ</w>,a b,a b</w>,ab ab</w>,w e,e we,l o,n ewe,s t</w>,newe st</w>,ab c</w>,we r</w>,\
                 lo wer</w>,lo w</w>";
    assert_eq!(merges, known.split(',').collect::<Vec<_>>());
    assert_eq!(vocabulary.tokens.len(), Vocabulary::LEAST + merges.len());
}

#[test]
fn recipes_of_scenes_that_do_not_hold_together_are_refused_in_a_sentence() {
    let refused = |name: &str, from: &str, to: &str| {
        let text = text(name);
        assert!(text.contains(from), "{from}");
        let said = Recipe::from_toml(&text.replace(from, to)).expect_err(to).to_string();
        assert!(!said.contains('\n'), "{said}");
        said
    };
    for (name, from, to, part) in [
        ("text.toml", "caption_drop", "label_drop", "label_drop"),
        ("text.toml", "caption_drop = 0.3", "caption_drop = 1.3", "caption_drop"),
        ("text.toml", "workers = 0", "", "workers"),
        ("text.toml", "size = 600", "size = 500", "514"),
        ("text.toml", "length = 32", "length = 1", "length"),
        ("text.toml", "\"scenes\"", "\"idx\"", "idx"),
        ("text.toml", "[latents]", "[latent]", "latent"),
        ("text.toml", "kind = \"scaled_linear\"", "kind = \"ve\"\nsigma_min = 1.0\nsigma_max = 9.0", "[schedule]"),
        ("text.toml", "attention_head_dim", "cross_attention_dim = 9\nattention_head_dim", "cross_attention_dim"),
        ("text.toml", "attention_head_dim", "dropout = 0.1\nattention_head_dim", "dropout"),
        ("text.toml", "[latents]", "[turbo]\n[latents]", "teacher"),
        ("text-turbo.toml", "grid = 50", "grid = 33", "grid"),
        ("text-turbo.toml", "blend = 0.5", "blend = 1.5", "blend"),
        ("text-turbo.toml", "workers = 0", "workers = 0\ninit = \"text-start\"", "init"),
        ("text.toml", "hidden_size = 16", "hidden_size = 16\npad_token_id = 0", "pad_token_id"),
        ("text.toml", "[latents]", "[judge]\n[latents]", "unknown section [latents]"),
        ("judge.toml", "[scenes]", "[page]\n[scenes]", "page"),
        ("judge.toml", "side = 4", "side = 4\nwidth = 4", "width"),
        ("judge.toml", "channels = [8, 16, 16]", "", "channels"),
        ("judge.toml", "size = 600", "size = 500", "514"),
        ("judge.toml", "workers = 0", "", "workers"),
        ("judge.toml", "hidden_size = 16", "hidden_size = 16\nattention_dropout = 0.1", "attention_dropout"),
        ("autoencoder.toml", "kl = ", "kld = ", "kld"),
        ("autoencoder.toml", "shuffle = 0.3", "shuffle = -0.3", "shuffle"),
        ("autoencoder.toml", "pairs = 0.15", "pairs = -1.0", "pairs"),
        ("autoencoder.toml", "[scenes]", "[page]\n[scenes]", "page"),
    ] {
        let said = refused(name, from, to);
        assert!(said.contains(part), "{from} to {to}: {said}");
    }
    let unsuited_of = |name: &str, edits: &[(&str, &str)], part: &str| {
        let scratch = Scratch::new("unsuited");
        let recipe = scratch.recipe(&text(name), edits);
        beginnings(&scratch);
        let (out, device) = (scratch.0.join("out"), device());
        let job = Job { recipe: &recipe, data: &GOLDEN, out: &out, resume: false, device: &device };
        let said = run(&job, &mut |_| ControlFlow::Break(())).expect_err(part).to_string();
        assert!(said.contains(part) && !said.contains('\n'), "{said}");
    };
    let unsuited = |edits: &[(&str, &str)], part: &str| unsuited_of("text.toml", edits, part);
    unsuited(&[("sample_size = 8", "sample_size = 16")], "a side of 8");
    unsuited(&[("max_position_embeddings = 32", "max_position_embeddings = 8")], "max_position_embeddings is 8");
    unsuited(&[("\"autoencoder-start\"", "\"nothing\"")], "nothing");
    unsuited(&[("\"text-start\"", "\"autoencoder-start\"")], "autoencoder-start");
    unsuited(&[("hidden_size = 16", "hidden_size = 18")], "[text_encoder]");
    unsuited(&[("toy.npz", "none.npz")], "none.npz");
    unsuited(&[("toy.json", "text.toml")], "text.toml");
    for (from, to, part) in [
        ("side = 4", "side = 5", "side is 5"),
        ("channels = [8, 16, 16]", "channels = [8, 12, 16]", "multiples of 8"),
        ("size = 16\n", "size = 24\n", "judge-start"),
        ("\"judge-start\"", "\"text-start\"", "judge.safetensors"),
        ("max_position_embeddings = 32", "max_position_embeddings = 8", "length"),
    ] {
        unsuited_of("judge.toml", &[(from, to)], part);
    }
}
