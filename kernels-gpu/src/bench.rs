//! What the kernels reach on a graphics card, beside the most that it multiplies and adds.

use crate::shapes::{Network, SHIPPED, STABLE_DIFFUSION, Timed};
use crate::{Adapter, Attended, Convolved, attend, convolve};
use cubecl::client::Client;
use cubecl::ir::{ElemType, FloatKind};
use cubecl::prelude::*;
use cubecl::server::{Handle, ServerError};
use cubecl::zspace::{Shape, Strides};
use web_time::{Duration, Instant};

/// Networks whose layers are timed, and for how many pictures: with guidance, two for each that is drawn.
const NETWORKS: [(Network, usize); 3] = [(SHIPPED[0], 4), (SHIPPED[1], 4), (STABLE_DIFFUSION, 2)];

/// The shortest of these counts: whatever else a machine does only adds to it.
const ROUNDS: usize = 12;
/// After which no more rounds are begun, as long as there were some.
const ENOUGH: Duration = Duration::from_secs(1);
const FEWEST_ROUNDS: usize = 2;
/// A measured piece of work lasts this long or longer, beside which its submission is nothing.
const LONG: Duration = Duration::from_millis(40);

const SINGLE: ElemType = ElemType::Float(FloatKind::F32);

/// The layers that are timed, with the names of their networks; the small ones first.
pub fn layers() -> impl Iterator<Item = (&'static str, Timed)> {
    NETWORKS.iter().flat_map(|(network, batch)| network.levels(*batch).into_iter().map(|layer| (network.name, layer)))
}

impl Timed {
    /// Multiplications and additions, as a direct computation has them.
    pub fn operations(&self) -> f64 {
        let product = |factors: &[usize]| 2.0 * factors.iter().map(|n| *n as f64).product::<f64>();
        match self {
            Self::Convolution(shape) => {
                let ([rows, columns], [height, width]) = (shape.out(), shape.kernel);
                product(&[shape.batch, shape.inputs, shape.outputs, rows, columns, height, width])
            }
            Self::Attention(shape) => {
                2.0 * product(&[shape.batch, shape.positions, shape.sources, shape.heads, shape.width])
            }
        }
    }

    /// Operations a second of its kernel.
    ///
    /// # Errors
    /// A device that fails, or that refuses the kernel or its memory.
    pub async fn rate(&self, client: &Client, adapter: Adapter) -> Result<f64, ServerError> {
        let seconds = match *self {
            Self::Convolution(shape) => {
                let area = |size: [usize; 2]| size[0] * size[1];
                let x = Numbers::new(client, shape.batch * shape.inputs * area(shape.size));
                let weight = Numbers::new(client, shape.outputs * shape.inputs * area(shape.kernel));
                let bias = Numbers::new(client, shape.outputs);
                let out = Numbers::new(client, shape.batch * shape.outputs * area(shape.out()));
                let launch = || {
                    let [x, weight, bias, out] = [&x, &weight, &bias, &out].map(Numbers::binding);
                    convolve(client, adapter, Convolved { x, weight, bias, residual: None, out }, &shape, [SINGLE; 2]);
                };
                seconds(client, &out, launch).await?
            }
            Self::Attention(shape) => {
                let numbers = |rows| Numbers::new(client, shape.batch * rows * shape.heads * shape.width);
                let [q, k, v, out] = [shape.positions, shape.sources, shape.sources, shape.positions].map(numbers);
                let launch = || {
                    let [q, k, v, out] = [&q, &k, &v, &out].map(Numbers::binding);
                    attend(client, Attended { q, k, v, out }, &shape, SINGLE);
                };
                seconds(client, &out, launch).await?
            }
        };
        Ok(self.operations() / seconds)
    }
}

/// A buffer of numbers that look random.
struct Numbers {
    handle: Handle,
    len: usize,
}

impl Numbers {
    fn new(client: &Client, len: usize) -> Self {
        let values: Vec<f32> = (0..len).map(|i| (i * 7919 % 1009) as f32 / 504.5 - 1.0).collect();
        Self { handle: client.create_from_slice(f32::as_bytes(&values)), len }
    }

    fn binding(&self) -> TensorBinding {
        // SAFETY: the buffer is of that many numbers.
        unsafe { TensorBinding::from_raw_parts(self.handle.clone(), Strides::new(&[1]), Shape::new([self.len])) }
    }
}

/// Seconds that a launch takes, of as many in a row as last long enough.
async fn seconds(client: &Client, out: &Numbers, launch: impl Fn()) -> Result<f64, ServerError> {
    let timed = async |times: u32| {
        let start = Instant::now();
        (0..times).for_each(|_| launch());
        client.sync_buffers([&out.handle]).await?;
        Ok::<_, ServerError>(start.elapsed())
    };
    timed(1).await?; // compiles the kernel
    let begun = Instant::now();
    let mut times = 1;
    let mut best = timed(times).await?;
    while best < LONG {
        times *= 2;
        best = timed(times).await?;
    }
    for round in 1..ROUNDS {
        if round >= FEWEST_ROUNDS && begun.elapsed() > ENOUGH {
            break;
        }
        best = best.min(timed(times).await?);
    }
    Ok(best.as_secs_f64() / f64::from(times))
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

/// Operations a second of a plain loop of multiplications and additions.
///
/// # Errors
/// A device that fails.
pub async fn peak(client: &Client) -> Result<f64, ServerError> {
    let out = Numbers::new(client, (GROUPS * UNITS) as usize);
    let operations = 2.0 * 4.0 * CHAINS as f64 * f64::from(LENGTH) * f64::from(GROUPS * UNITS);
    let launch = || {
        let (count, units) = (CubeCount::Static(GROUPS, 1, 1), CubeDim::new_1d(UNITS));
        // SAFETY: a unit writes one number, and there are as many.
        unsafe { chains::launch_unchecked(client, count, units, out.binding().into_buffer_arg()) }
    };
    Ok(operations / seconds(client, &out, launch).await?)
}
