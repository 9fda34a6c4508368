//! The shipped folders as real diffusers reads them. Needs a Python with torch and diffusers: the one that `UNNOISE_PYTHON`
//! names, or else `python3`; where that one lacks them the test says so and is skipped.
#![cfg(feature = "cpu")]

use burn::tensor::{Tensor, TensorData};
use pollster::block_on;
use safetensors::Dtype;
use safetensors::tensor::TensorView;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, io};
use unnoise::backend::{self, Backend};
use unnoise::math::{NoiseSchedule, TorchGenerator};
use unnoise::pipeline::Pipeline;

/// A Python that has torch and diffusers. One that was named must have them.
fn python() -> Option<String> {
    let named = env::var("UNNOISE_PYTHON").ok();
    let python = named.clone().unwrap_or_else(|| "python3".to_owned());
    let tried = Command::new(&python).args(["-c", "import torch, diffusers"]).output();
    let has = tried.is_ok_and(|tried| tried.status.success());
    assert!(has || named.is_none(), "UNNOISE_PYTHON names {python}, which does not import torch and diffusers");
    has.then_some(python)
}

/// What the network in `folder` says of noise at several levels, with one label after another, as a safetensors file.
fn answers(folder: &Path) -> Vec<u8> {
    let device = block_on(backend::open(Backend::Cpu)).expect("the CPU backend is compiled in").device;
    let model = Pipeline::from_dir(folder, &device).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let (schedule, [channels, height, width]) = (&model.schedule, model.shape());
    let levels = [0.0, 0.25, 0.5, 0.75, 1.0].map(|u| {
        let t = schedule.t_min() * (1.0 - u) + schedule.t_max() * u;
        schedule.level(if schedule.timesteps().is_some() { t.round() } else { t })
    });
    let (mut generator, values) = (TorchGenerator::new(11), channels * height * width);
    let noise = levels.map(|at| generator.randn_f64(values).into_iter().map(move |z| (z * at.marginal_std()) as f32));
    let x: Vec<f32> = noise.into_iter().flatten().collect();
    let t: Vec<f32> = levels.iter().map(|&at| schedule.conditioning_time(at) as f32).collect();
    let rows = model.network.unet2d().expect("a network of pictures").config().num_class_embeds;
    // The last row is often "no label".
    let class: Option<Vec<usize>> = rows.map(|rows| (0..levels.len()).map(|i| (rows - 1) - i % rows).collect());
    let shape = vec![levels.len(), channels, height, width];
    let times: Vec<f64> = t.iter().map(|&t| f64::from(t)).collect();
    let input = Tensor::from_data(TensorData::new(x.clone(), shape.clone()), &device);
    let out = model.network.unet2d().expect("a network of pictures").forward(input, &times, class.as_deref());
    let outputs = out.dims().to_vec();
    let out = block_on(backend::read(out)).expect("the CPU does not fail");
    let class = class.map(|class| class.into_iter().map(|c| c as f32).collect::<Vec<_>>());
    let tensors = [("x", Some(x), shape), ("out", Some(out), outputs)];
    let lists = [("t", Some(t), vec![levels.len()]), ("class", class, vec![levels.len()])];
    let stored: Vec<_> = (tensors.into_iter().chain(lists))
        .filter_map(|(name, values, shape)| Some((name, values?, shape)))
        .map(|(name, values, shape)| (name, shape, values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>()))
        .collect();
    let views = stored.iter().map(|(name, shape, bytes)| {
        (*name, TensorView::new(Dtype::F32, shape.clone(), bytes).expect("a consistent tensor"))
    });
    safetensors::serialize(views, None).expect("a file")
}

#[test]
fn diffusers_loads_every_model_and_gives_the_same_output() {
    let Some(python) = python() else {
        // Past the test harness, which shows what a test prints only where it fails.
        let why = "export: skipped, as python3 lacks torch or diffusers; UNNOISE_PYTHON names another interpreter";
        writeln!(io::stderr(), "{why}").expect("a standard error");
        return;
    };
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    let answered = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("export");
    if answered.exists() {
        fs::remove_dir_all(&answered).expect("a folder of this test's own");
    }
    fs::create_dir_all(&answered).expect("a place to write");
    let entries = fs::read_dir(project.join("models")).expect("models/").map(|entry| entry.expect("readable").path());
    let mut models = 0;
    for folder in
        entries.filter(|folder| folder.join("unnoise.json").exists() && folder.join("model_index.json").exists())
    {
        let name = folder.file_name().expect("a name").to_string_lossy();
        fs::write(answered.join(format!("{name}.safetensors")), answers(&folder)).expect("it can be written");
        models += 1;
    }
    assert!(models > 0, "models/ holds no model");
    let script = project.join("training/check_export.py");
    let ran = Command::new(python).arg(script).arg(project.join("models")).arg(&answered).output().expect("it starts");
    let said = String::from_utf8_lossy(&ran.stdout);
    println!("{said}");
    assert!(ran.status.success(), "{said}{}", String::from_utf8_lossy(&ran.stderr));
    assert_eq!(said.lines().count(), 5 * models, "{said}");
}
