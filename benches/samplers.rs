//! What a step costs beside the network, on one 28x28 picture: the arithmetic of each sampler, and the noise.
//!
//! `cargo bench --bench samplers`

use divan::Bencher;
use divan::counter::ItemsCount;
use unnoise::math::{Discrete, Latent, Level, Noise, Spacing, TorchGenerator};
use unnoise::samplers::{Run, Walk, method, methods};

const STEPS: usize = 20;
const PIXELS: usize = 28 * 28;
type Picture = [f64; PIXELS];

struct Pixels(TorchGenerator);

impl Noise<Picture> for Pixels {
    fn normal(&mut self, _: &Picture) -> Picture {
        let values = self.0.randn(PIXELS);
        std::array::from_fn(|i| values[i].into())
    }
}

fn main() {
    divan::main();
}

/// A run; the model costs nothing, as it answers the same picture each time.
#[divan::bench(args = methods::<Picture>().into_iter().map(|method| method.id))]
fn step(bencher: Bencher, id: &str) {
    let method = method::<Picture>(id).expect("the table has its own rows");
    let schedule = Discrete::linear(1e-4, 0.02, 1000).expect("the schedule of Ho et al. 2020");
    let grid = Spacing::Karras { rho: Spacing::RHO }.grid(&schedule, STEPS).expect("twenty steps of a thousand");
    let model = |_: &Picture, _: Level| [0.5; PIXELS];
    bencher.counter(ItemsCount::new(STEPS)).bench_local(|| {
        let mut noise = Pixels(TorchGenerator::new(7));
        let start = noise.normal(&[0.0; PIXELS]).scale(grid.first().marginal_std());
        let run = Run::new(start, &grid, &schedule, &model, &mut noise);
        let Walk::Grid(sampler) = method.walk else { return };
        sampler(run).last();
    });
}

/// The starting noise of a picture.
#[divan::bench]
fn noise(bencher: Bencher) {
    let mut generator = TorchGenerator::new(7);
    bencher.counter(ItemsCount::new(PIXELS)).bench_local(|| generator.randn(PIXELS));
}
