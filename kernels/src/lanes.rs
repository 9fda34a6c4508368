/// Numbers that are taken side by side, as the processor's vectors are.
pub const LANES: usize = 16;

/// The sum of `of` each number: several side by side, as the processor's vectors are, and every few hundred of each in double precision.
pub fn sum(x: &[f32], of: impl Fn(f32) -> f32) -> f64 {
    let block = |x: &[f32]| {
        let (whole, rest) = x.as_chunks::<LANES>();
        let mut lanes = [0.0; LANES];
        for x in whole {
            (0..LANES).for_each(|i| lanes[i] += of(x[i]));
        }
        lanes.iter_mut().zip(rest).for_each(|(lane, x)| *lane += of(*x));
        lanes.iter().copied().map(f64::from).sum::<f64>()
    };
    x.chunks(256 * LANES).map(block).sum()
}
