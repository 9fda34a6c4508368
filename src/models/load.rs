//! Networks from their configuration and their weights.

use super::keys::ConfigError;
use super::weights::{Plan, WeightFiles};
use super::{WeightsError, unet2d};
use burn::module::Module;
use futures_util::FutureExt;
use thiserror::Error;

/// Why a `UNet2DModel` cannot be used.
#[derive(Debug, Error)]
pub enum LoadError {
    #[error(transparent)]
    Config(#[from] unet2d::ConfigError),
    #[error(transparent)]
    Weights(#[from] WeightsError),
}

/// Why another part of a pipeline cannot be used.
#[derive(Debug, Error)]
pub enum PartError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("{class}: {problem}")]
    Weights { class: &'static str, problem: WeightsError },
}

/// The network `module` of this class, still without weights, and how `files` fill it.
pub(super) async fn plan<'a, M: Module>(
    class: &'static str,
    module: M,
    files: WeightFiles<'a>,
    rename: &dyn Fn(&str) -> Option<String>,
) -> Result<(M, Plan<'a>), PartError> {
    let plan = Plan::new(&module, files, rename).await;
    let plan = plan.map_err(|problem| PartError::Weights { class, problem })?;
    Ok((module, plan))
}

/// The network of a plan whose files are in memory, which is not waited for.
pub(super) fn filled<'a, M: Module>(
    class: &'static str,
    planned: impl Future<Output = Result<(M, Plan<'a>), PartError>>,
) -> Result<M, PartError> {
    let filled = async {
        let (module, plan) = planned.await?;
        plan.fill(module, false).await.map_err(|problem| PartError::Weights { class, problem })
    };
    filled.now_or_never().expect("memory is read without waiting")
}
