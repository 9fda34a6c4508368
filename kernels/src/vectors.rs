//! The vectors of the processor that runs this, whatever it was compiled for.

use pulp::{Simd, WithSimd};

/// The most numbers that a vector has.
pub const MOST_LANES: usize = if cfg!(target_family = "wasm") { 4 } else { 16 };

/// With the vectors of this processor; in WebAssembly they are what the module was compiled with.
pub fn vectorized(op: impl WithSimd<Output = ()>) {
    #[cfg(target_family = "wasm")]
    return match pulp::wasm::Simd128::try_new() {
        Some(simd) => pulp::Simd::vectorize(simd, op),
        None => op.with_simd(pulp::Scalar),
    };
    #[cfg(not(target_family = "wasm"))]
    pulp::Arch::new().dispatch(op)
}

/// Plain loops, which the compiler makes vectors of. What they call has to be `#[inline(always)]`, and no closure: other functions are
/// compiled for the least of processors.
pub trait Loops {
    fn run(self);
}

struct Compiled<T>(T);

impl<T: Loops> WithSimd for Compiled<T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        self.0.run();
    }
}

/// Runs loops that were compiled for the vectors of this processor; in single precision they give the same bits with any.
pub fn loops(loops: impl Loops) {
    vectorized(Compiled(loops));
}
