//! Winograd's transforms in one dimension; a tile goes through each of them by rows and then by columns.

/// The same place of neighbouring tiles, or of neighbouring outputs. Loops go through them: closures are functions of their own, which
/// are compiled for the least of processors.
pub type Lanes<const N: usize> = [f32; N];

/// `F(M, 3)`: `M` outputs of a kernel of 3 from `T = M + 2` inputs by as many multiplications (Lavin and Gray 2015, arXiv 1509.09308,
/// section 4; the matrices follow from the filter's points).
pub trait Filter<const M: usize, const T: usize> {
    /// `Bᵀ d` of inputs.
    fn inputs<const N: usize>(d: [Lanes<N>; T]) -> [Lanes<N>; T];
    /// `G g` of a kernel.
    fn kernel<const N: usize>(g: [Lanes<N>; 3]) -> [Lanes<N>; T];
    /// `Aᵀ m` of sums of products.
    fn outputs<const N: usize>(m: [Lanes<N>; T]) -> [Lanes<N>; M];
}

/// The points 0, 1, -1 and infinity: 16 multiplications for four outputs, of 36.
#[derive(Debug)]
pub struct Two;

/// The points 0, ±[`P`], ±[`Q`] and infinity: 36 multiplications for sixteen outputs, of 144.
#[derive(Debug)]
pub struct Four;

/// With ±1 and ±2, as in the paper, rounding is two and a half times as much; with these it is about twice that of a sum over all
/// terms. Their powers up to the fourth are exact.
const P: f32 = 0.625;
const Q: f32 = 1.5;
const P2: f32 = P * P;
const Q2: f32 = Q * Q;

impl Filter<2, 4> for Two {
    #[inline(always)]
    fn inputs<const N: usize>([a, b, c, d]: [Lanes<N>; 4]) -> [Lanes<N>; 4] {
        [sub(a, c), add(b, c), sub(c, b), sub(b, d)]
    }

    #[inline(always)]
    fn kernel<const N: usize>([a, b, c]: [Lanes<N>; 3]) -> [Lanes<N>; 4] {
        let (outer, inner) = (times(add(a, c), 0.5), times(b, 0.5));
        [a, add(outer, inner), sub(outer, inner), c]
    }

    #[inline(always)]
    fn outputs<const N: usize>([a, b, c, d]: [Lanes<N>; 4]) -> [Lanes<N>; 2] {
        [add(add(a, b), c), sub(sub(b, c), d)]
    }
}

impl Filter<4, 6> for Four {
    #[inline(always)]
    fn inputs<const N: usize>([a, b, c, d, e, f]: [Lanes<N>; 6]) -> [Lanes<N>; 6] {
        let (p_even, p_odd) = (sub(e, times(c, Q2)), times(sub(d, times(b, Q2)), P));
        let (q_even, q_odd) = (sub(e, times(c, P2)), times(sub(d, times(b, P2)), Q));
        [end(a, c, e), add(p_even, p_odd), sub(p_even, p_odd), add(q_even, q_odd), sub(q_even, q_odd), end(b, d, f)]
    }

    #[inline(always)]
    fn kernel<const N: usize>([a, b, c]: [Lanes<N>; 3]) -> [Lanes<N>; 6] {
        const P_SCALE: f32 = 0.5 / (P2 * (P2 - Q2));
        const Q_SCALE: f32 = 0.5 / (Q2 * (Q2 - P2));
        let (p_even, p_odd) = (times(add(a, times(c, P2)), P_SCALE), times(b, P * P_SCALE));
        let (q_even, q_odd) = (times(add(a, times(c, Q2)), Q_SCALE), times(b, Q * Q_SCALE));
        let zero = times(a, 1.0 / (P2 * Q2));
        [zero, add(p_even, p_odd), sub(p_even, p_odd), add(q_even, q_odd), sub(q_even, q_odd), c]
    }

    #[inline(always)]
    fn outputs<const N: usize>([a, b, c, d, e, f]: [Lanes<N>; 6]) -> [Lanes<N>; 4] {
        let (p_even, p_odd, q_even, q_odd) = (add(b, c), sub(b, c), add(d, e), sub(d, e));
        [
            add(a, add(p_even, q_even)),
            add(times(p_odd, P), times(q_odd, Q)),
            add(times(p_even, P2), times(q_even, Q2)),
            add(add(times(p_odd, P * P2), times(q_odd, Q * Q2)), f),
        ]
    }
}

/// At 0 or at infinity.
#[inline(always)]
fn end<const N: usize>(low: Lanes<N>, middle: Lanes<N>, high: Lanes<N>) -> Lanes<N> {
    add(sub(times(low, P2 * Q2), times(middle, P2 + Q2)), high)
}

#[inline(always)]
fn add<const N: usize>(mut a: Lanes<N>, b: Lanes<N>) -> Lanes<N> {
    for i in 0..N {
        a[i] += b[i];
    }
    a
}

#[inline(always)]
fn sub<const N: usize>(mut a: Lanes<N>, b: Lanes<N>) -> Lanes<N> {
    for i in 0..N {
        a[i] -= b[i];
    }
    a
}

#[inline(always)]
fn times<const N: usize>(mut a: Lanes<N>, factor: f32) -> Lanes<N> {
    for i in 0..N {
        a[i] *= factor;
    }
    a
}
