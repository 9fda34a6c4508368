use crate::eval::{Inversion, invert};
use crate::lab::Cloud;
use crate::lab::run::{RunError, Stage};
use crate::lab::settings::Pane;
use crate::math::GridError;

/// Steps of the way from data to noise, by Heun's method: so many that only the way back errs.
const FINE: usize = 500;

/// How well a sampler brings data back that was turned into noise.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RoundTrip {
    /// Distances between each point and where it came back to.
    pub mean: f64,
    pub most: f64,
    /// Evaluations of the model on the way back.
    pub evaluations: usize,
}

/// The noise that the probability-flow ODE turns `points` into, scaled to that a run starts with.
///
/// # Errors
/// A grid that cannot be built.
pub fn to_noise(stage: &Stage<'_>, points: &Cloud) -> Result<Cloud, GridError> {
    let grid = stage.process.grid(FINE)?;
    let noise = invert(points.clone(), &grid, stage.model, Inversion::Heun);
    Ok(noise.map(|x| x.map(|v| v / grid.first().marginal_std())))
}

/// How far from `points` a pane's sampler ends, from the noise `z` that the ODE turned them into. One that draws noise ends elsewhere.
///
/// # Errors
/// As a run of the pane.
pub async fn round_trip(stage: &Stage<'_>, pane: &Pane, points: &Cloud, z: &Cloud) -> Result<RoundTrip, RunError> {
    let (back, evaluations) = stage.end(pane, z).await?;
    let apart: Vec<f64> = back.0.iter().zip(&points.0).map(|(a, b)| (a[0] - b[0]).hypot(a[1] - b[1])).collect();
    let mean = apart.iter().sum::<f64>() / apart.len() as f64;
    let most = apart.iter().copied().fold(0.0, f64::max);
    Ok(RoundTrip { mean, most, evaluations })
}
