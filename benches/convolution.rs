//! Convolutions of the shipped networks' shapes, ours beside burn's, as a Markdown table: `cargo bench --features cli --bench convolution`.

use std::hint::black_box;
use std::time::{Duration, Instant};

use burn::tensor::module::conv2d;
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Distribution, Tensor};
use unnoise::backend::cpu;
use unnoise::nn::Conv2dConfig;

/// Inputs, outputs, height and width, kernel.
const SHAPES: [[usize; 4]; 7] = [
    [32, 32, 28, 3],
    [64, 64, 28, 3],
    [64, 64, 14, 3],
    [112, 112, 7, 3],
    [128, 128, 16, 3],
    [192, 192, 8, 3],
    [64, 112, 14, 1],
];

fn main() {
    println!("| shape | GFLOP/s | burn's | times as fast |\n|---|---:|---:|---:|");
    for [inputs, outputs, size, kernel] in SHAPES {
        let conv = Conv2dConfig::same([inputs, outputs], kernel).init(&cpu::device());
        let x = Tensor::random([1, inputs, size, size], Distribution::Default, &cpu::device());
        let weight = Tensor::random([outputs, inputs, kernel, kernel], Distribution::Default, &cpu::device());
        let padding = [(kernel / 2, kernel / 2); 2];
        let options = || ConvOptions { stride: [1, 1], padding, dilation: [1, 1], groups: 1 };
        // Turn by turn, so that both see the same machine; the best of each.
        let [mut ours, mut theirs] = [Duration::MAX; 2];
        for _ in 0..200 {
            ours = ours.min(timed(|| conv.forward(x.clone())));
            theirs = theirs.min(timed(|| conv2d(x.clone(), weight.clone(), None, options())));
        }
        // As a direct convolution has them: a multiplication and an addition for each weight and position.
        let work = (2 * inputs * outputs * (kernel * size).pow(2)) as f64;
        let [a, b] = [ours, theirs].map(|time| work / time.as_secs_f64() / 1e9);
        println!("| {inputs} to {outputs}, {size} × {size}, kernel {kernel} | {a:.0} | {b:.0} | {:.2} |", a / b);
    }
}

fn timed(convolution: impl FnOnce() -> Tensor<4>) -> Duration {
    let start = Instant::now();
    black_box(cpu::read(convolution()));
    start.elapsed()
}
