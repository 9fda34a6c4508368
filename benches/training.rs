//! Where the time of a training step goes natively, as a Markdown table: `cargo bench --bench training`.
//!
//! The shares come from one run and say what to make faster; images a second depend on the machine.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use burn::tensor::{Distribution, Tensor};
use unnoise::backend::{self, Backend};
use unnoise::models::unet2d::Unet2d;
use unnoise::pipeline::Pipeline;
use unnoise::train::trainer::{Loss, Options, Trainer};

const BATCH: usize = 16;
const STEPS: usize = 8;

fn main() -> Result<(), Box<dyn Error>> {
    let plain = pollster::block_on(backend::open(Backend::Cpu))?.device;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/fashion-mnist");
    let config = fs::read_to_string(folder.join("unet/config.json"))?;
    let weights = fs::read(folder.join("unet/diffusion_pytorch_model.safetensors"))?;
    let [channels, height, width] = Pipeline::from_dir(&folder, &plain)?.shape();
    let device = plain.clone().autodiff();
    let options = Options { betas: [0.9, 0.99], weight_decay: 0.01, clip: 1.0, ema_decays: vec![0.999] };
    let mut trainer = Trainer::new(Unet2d::load(&config, &weights, &device)?, options);
    let untracked = Unet2d::load(&config, &weights, &plain)?;

    let draw = |device: &_| Tensor::<4>::random([BATCH, channels, height, width], Distribution::Default, device);
    let t: Vec<f64> = (0..BATCH).map(|i| 60.0 * i as f64).collect();
    let labels: Vec<usize> = (0..BATCH).map(|i| i % 10).collect();
    let [mut answer, mut forward, mut step] = [const { Vec::new() }; 3];
    for _ in 0..STEPS {
        answer.push(timed(|| drop(untracked.forward(draw(&plain), &t, Some(&labels)).into_data())));
        let mut within = Duration::ZERO;
        step.push(timed(|| {
            let loss = trainer.step(1e-5, |net| {
                let mut made = None;
                within = timed(|| made = Some(net.forward(draw(&device), &t, Some(&labels)).square().mean()));
                let loss = made.expect("it was just made");
                Loss { reported: loss.clone(), descended: loss }
            });
            drop(loss.into_data());
        }));
        forward.push(within);
    }
    let [answer, forward, step] = [answer, forward, step].map(median);
    println!("| part of a step of {BATCH} images | ms | share |\n|---|---:|---:|");
    for (what, time) in [("forward", forward), ("backward, clipping, AdamW, average", step - forward), ("all", step)] {
        println!("| {what} | {:.1} | {:.0} % |", 1e3 * time, 100.0 * time / step);
    }
    println!("| forward alone, nothing kept for derivatives | {:.1} | {:.0} % |", 1e3 * answer, 100.0 * answer / step);
    println!("\n{:.0} images a second", BATCH as f64 / step);
    Ok(())
}

fn timed(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

/// In seconds. The first of the times, which fills caches, does not reach the middle.
fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64()
}
