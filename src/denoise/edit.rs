//! Painting over a picture: SDEdit, Meng et al. 2022 (arXiv 2108.01073), algorithm 1. The picture is noised to some
//! level of the grid, and the run starts from there.

use crate::math::{Grid, Latent, Level};

/// The last `strength` share of the grid's steps, rounded down to whole ones as diffusers' image-to-image pipelines do:
/// 1 is all of them, and `None` is no step at all, where the picture stays what it is.
pub fn last_share(grid: &Grid, strength: f64) -> Option<Grid> {
    let steps = (grid.steps() as f64 * strength) as usize;
    let kept = grid.pairs().skip(grid.steps().saturating_sub(steps)).collect();
    Grid::of_steps(kept).ok()
}

/// The forward process, `alpha * picture + sigma * noise`: at the first level of [`last_share`] it is where the run
/// starts.
pub fn noised<X: Latent>(picture: &X, noise: &X, at: Level) -> X {
    picture.mix(at.alpha, noise, at.sigma)
}
