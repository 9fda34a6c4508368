//! What the kernels reach on the graphics card of this machine, beside what it can multiply and add at most: `cargo xtask bench gpu`.

use std::time::{Duration, Instant};

use cubecl::Device;
use cubecl::client::Client;
use cubecl::device::WgpuDeviceKind;
use cubecl::ir::{ElemType, FloatKind};
use cubecl::prelude::*;
use cubecl::zspace::{Shape, Strides};
use unnoise_kernels_gpu::{Attended, Attention, Convolution, Convolved, Layout, attend, convolve};

const SINGLE: ElemType = ElemType::Float(FloatKind::F32);
/// The shortest of these counts: whatever else a machine does only adds to it.
const ROUNDS: usize = 12;
/// A measured piece of work lasts this long or longer, beside which its submission is nothing.
const LONG: Duration = Duration::from_millis(40);

/// Pictures, inputs, outputs, height and width, kernel: the 3 × 3 convolutions of a U-Net of Stable Diffusion 1 at latents of 64 × 64, with and
/// without guidance; then those of small networks.
const SHAPES: [[usize; 5]; 9] = [
    [2, 320, 320, 64, 3],
    [2, 640, 640, 32, 3],
    [2, 1280, 1280, 16, 3],
    [2, 1280, 1280, 8, 3],
    [1, 320, 320, 64, 3],
    [1, 320, 320, 64, 1],
    [4, 64, 64, 28, 3],
    [4, 64, 64, 14, 3],
    [1, 128, 128, 16, 3],
];

/// Batch, positions, sources, heads, channels of a head.
const ATTENTIONS: [[usize; 5]; 3] = [[2, 4096, 4096, 8, 40], [2, 4096, 77, 8, 40], [4, 196, 196, 4, 28]];

fn main() {
    let Ok(device) = Device::wgpu(WgpuDeviceKind::default()) else {
        println!("No graphics card answers here over Vulkan, Metal or DirectX 12.");
        return;
    };
    let client = device.client();
    let peak = peak(&client);
    println!("Most that this graphics card (`{}`) multiplies and adds: {:.0} GFLOP/s.\n", client.name(), peak / 1e9);
    println!("| what | GFLOP/s | share of the most |\n|---|---:|---:|");
    for [batch, inputs, outputs, size, kernel] in SHAPES {
        let work = (2 * batch * inputs * outputs * (kernel * size).pow(2)) as f64;
        let rate = work / seconds(&client, convolution(&client, [batch, inputs, outputs, size, kernel]));
        row(&format!("{batch} × {inputs} to {outputs}, {size} × {size}, kernel {kernel}"), rate, peak);
    }
    for [batch, positions, sources, heads, width] in ATTENTIONS {
        let work = (4 * batch * positions * sources * heads * width) as f64;
        let rate = work / seconds(&client, attention(&client, [batch, positions, sources, heads, width]));
        row(&format!("{batch} × {positions} to {sources}, {heads} heads of {width}"), rate, peak);
    }
}

fn row(what: &str, rate: f64, peak: f64) {
    println!("| {what} | {:.0} | {:.0} % |", rate / 1e9, 100.0 * rate / peak);
}

fn convolution<'a>(client: &'a Client, [batch, inputs, outputs, side, kernel]: [usize; 5]) -> impl Fn() + 'a {
    let (size, pad) = ([side; 2], kernel / 2);
    let (kernel, padding) = ([kernel; 2], [[pad; 2]; 2]);
    let shape = Convolution { batch, inputs, outputs, size, seen: size, kernel, stride: [1, 1], padding };
    let [x, weight] =
        [batch * inputs * side * side, outputs * inputs * kernel[0] * kernel[1]].map(|n| numbers(client, n));
    let (bias, out) = (numbers(client, outputs), numbers(client, batch * outputs * side * side));
    move || {
        let [x, weight, bias, out] = [&x, &weight, &bias, &out].map(Numbers::binding);
        convolve(client, Convolved { x, weight, bias, residual: None, out }, &shape, [SINGLE; 2]);
    }
}

fn attention<'a>(client: &'a Client, [batch, positions, sources, heads, width]: [usize; 5]) -> impl Fn() + 'a {
    let shape = Attention { batch, positions, sources, heads, width, layout: Layout::ChannelsLast };
    let [q, k, v, out] = [positions, sources, sources, positions].map(|n| numbers(client, batch * n * heads * width));
    move || {
        let [q, k, v, out] = [&q, &k, &v, &out].map(Numbers::binding);
        attend(client, Attended { q, k, v, out }, &shape, SINGLE);
    }
}

/// A buffer of numbers that look random.
struct Numbers {
    handle: cubecl::server::Handle,
    len: usize,
}

impl Numbers {
    fn binding(&self) -> TensorBinding {
        // SAFETY: the buffer is of that many numbers.
        unsafe { TensorBinding::from_raw_parts(self.handle.clone(), Strides::new(&[1]), Shape::new([self.len])) }
    }
}

fn numbers(client: &Client, len: usize) -> Numbers {
    let values: Vec<f32> = (0..len).map(|i| (i * 7919 % 1009) as f32 / 504.5 - 1.0).collect();
    Numbers { handle: client.create_from_slice(f32::as_bytes(&values)), len }
}

/// Seconds that `work` takes, of as many in a row as last long enough.
fn seconds(client: &Client, work: impl Fn()) -> f64 {
    let timed = |times: u32| {
        let start = Instant::now();
        (0..times).for_each(|_| work());
        wait(client);
        start.elapsed()
    };
    timed(1); // compiles the kernel
    let mut times = 1;
    while timed(times) < LONG {
        times *= 2;
    }
    let best = (0..ROUNDS).map(|_| timed(times)).min().unwrap_or_default();
    best.as_secs_f64() / f64::from(times)
}

fn wait(client: &Client) {
    pollster::block_on(client.sync()).expect("the graphics card answers");
}

/// Chains of products and sums that depend on nothing but themselves.
const CHAINS: usize = 8;
const LENGTH: u32 = 512;
const UNITS: u32 = 256;
const GROUPS: u32 = 1024;

#[cube(launch_unchecked)]
fn chains(out: &mut [f32]) {
    let mut sums = Array::<Vector<f32, Const<4>>>::new(CHAINS);
    #[unroll]
    for i in 0..CHAINS {
        sums[i] = Vector::new(f32::cast_from(UNIT_POS) * 0.001);
    }
    // Close to 1 and 0, so that no sum grows beyond what is computed fast.
    let factor = Vector::new(f32::cast_from(CUBE_POS_X) * 1e-9 + 0.999_99);
    let term = Vector::new(1e-6_f32);
    for _ in 0..LENGTH {
        #[unroll]
        for i in 0..CHAINS {
            sums[i] = sums[i] * factor + term;
        }
    }
    let mut all = sums[0];
    #[unroll]
    for i in 1..CHAINS {
        all += sums[i];
    }
    out[(CUBE_POS_X * UNITS + UNIT_POS) as usize] =
        all.extract(0usize) + all.extract(1usize) + all.extract(2usize) + all.extract(3usize);
}

/// Operations a second of [`chains`].
fn peak(client: &Client) -> f64 {
    let out = numbers(client, (GROUPS * UNITS) as usize);
    let work = 2.0 * 4.0 * CHAINS as f64 * f64::from(LENGTH) * f64::from(GROUPS * UNITS);
    let launch = || {
        let (count, units) = (CubeCount::Static(GROUPS, 1, 1), CubeDim::new_1d(UNITS));
        // SAFETY: a unit writes one number, and there are as many.
        unsafe { chains::launch_unchecked(client, count, units, out.binding().into_buffer_arg()) }
    };
    work / seconds(client, launch)
}
