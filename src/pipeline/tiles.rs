//! Large pictures and latents, a tile at a time: what diffusers' `enable_tiling` does.

use burn::tensor::{Tensor, TensorData};

/// Share of a tile that its neighbour has, too.
const OVERLAP: f64 = 0.25;

/// What `map` makes of `x` `[batch, channels, height, width]`, of which it is given square tiles with sides of `input` places that
/// become sides of `output`. Tiles overlap, and are blended where they do.
pub(super) fn tiled(x: Tensor<4>, [input, output]: [usize; 2], map: impl Fn(Tensor<4>) -> Tensor<4>) -> Tensor<4> {
    let [_, _, height, width] = x.dims();
    // Both are whole numbers of places, as in diffusers.
    let step = ((input as f64 * (1.0 - OVERLAP)) as usize).max(1);
    let blend = (output as f64 * OVERLAP) as usize;
    let limit = output - blend;
    let (mut rows, mut above): (Vec<Tensor<4>>, Vec<Tensor<4>>) = (Vec::new(), Vec::new());
    for top in (0..height).step_by(step) {
        let mut row: Vec<Tensor<4>> = Vec::new();
        for (i, left) in (0..width).step_by(step).enumerate() {
            let tile = x.clone().narrow(2, top, input.min(height - top)).narrow(3, left, input.min(width - left));
            let mut tile = map(tile);
            if let Some(above) = above.get(i) {
                tile = blended(above, tile, 2, blend);
            }
            if let Some(beside) = row.last() {
                tile = blended(beside, tile, 3, blend);
            }
            row.push(tile);
        }
        let cut = |tile: &Tensor<4>, axis| tile.clone().narrow(axis, 0, limit.min(tile.dims()[axis]));
        rows.push(Tensor::cat(row.iter().map(|tile| cut(&cut(tile, 2), 3)).collect(), 3));
        above = row;
    }
    Tensor::cat(rows, 2)
}

/// `tile`, whose first places along `axis` go over from the last ones of the tile before it.
fn blended(before: &Tensor<4>, tile: Tensor<4>, axis: usize, most: usize) -> Tensor<4> {
    let (there, here) = (before.dims()[axis], tile.dims()[axis]);
    let places = most.min(there).min(here);
    if places == 0 {
        return tile;
    }
    let mut shape = [1; 4];
    shape[axis] = places;
    let shares: Vec<f32> = (0..places).map(|i| i as f32 / places as f32).collect();
    let shares = Tensor::<4>::from_data(TensorData::new(shares, shape), &tile.device());
    let (from, to) = (before.clone().narrow(axis, there - places, places), tile.clone().narrow(axis, 0, places));
    let first = from.clone() + (to - from) * shares;
    match here - places {
        0 => first,
        rest => Tensor::cat(vec![first, tile.narrow(axis, places, rest)], axis),
    }
}
