//! A step whose read-back is pending.

use super::attention::{Looks, Maps};
use super::trajectory::BatchStep;
use super::view::{Decoding, View};
use super::{Attention, SessionError, Shown, Timing};
use crate::backend::{self, Begun, Reading};
use crate::math::Level;
use crate::samplers::Tally;
use burn::tensor::Tensor;

/// A step that was submitted to the device together with its read-back, which nothing that is submitted later delays.
pub(super) struct Pending {
    pub step: usize,
    /// Of each picture.
    pub levels: Vec<Level>,
    /// Whether the run ends here.
    pub last: bool,
    pub tally: Option<Tally>,
    /// What was spent in calls of the network so far.
    pub network: Timing,
    /// That it is presented, where its pictures are shown on the device.
    presented: Option<Begun<()>>,
    /// The point, and the estimate behind it in the same tensor: on a GPU each read-back waits for the queue. A step that is presented is
    /// read back at the ends of a run alone.
    values: Option<Reading>,
    estimate: bool,
    decoding: Decoding,
    attention: Option<Maps>,
}

/// What was read back of a step. `x` is empty of one that was presented alone.
pub(super) struct ReadBack {
    pub x: Vec<f32>,
    pub denoised: Option<Vec<f32>>,
    pub shown: Option<Shown>,
    pub attention: Option<Attention>,
}

impl Pending {
    /// Where a run starts.
    pub async fn start(view: &View<'_>, x: &Tensor<4>, levels: &[Level]) -> Self {
        Self::begin(view, None, (x, None), (0, levels, false)).await
    }

    /// A step of it.
    pub async fn of(view: &View<'_>, looks: Option<&Looks>, (step, last): (usize, bool), at: &BatchStep) -> Self {
        let BatchStep { x, denoised, levels } = at;
        Self::begin(view, looks, (x, Some(denoised)), (step, levels, last)).await
    }

    /// The same with what was spent so far in calls of the network, and the attempts so far of a run that makes attempts.
    pub fn after(self, network: Timing, tally: Option<Tally>) -> Self {
        Self { network, tally, ..self }
    }

    async fn begin(
        view: &View<'_>,
        looks: Option<&Looks>,
        (x, denoised): (&Tensor<4>, Option<&Tensor<4>>),
        (step, levels, last): (usize, &[Level], bool),
    ) -> Self {
        let presented = view.present(x, denoised, levels, last).await;
        // A read-back that is dropped before it has come fails, and the device reports that to the next one.
        let refused = matches!(presented, Some(Begun::Here(Err(_))));
        let read = !refused && (presented.is_none() || step == 0 || last);
        let both = || std::iter::once(x).chain(denoised).cloned().collect();
        let values = if read { Some(backend::begin(Tensor::cat(both(), 0)).await) } else { None };
        let decoding = if read { view.begin(x, denoised, levels, last).await } else { Decoding::default() };
        let attention = match looks.and_then(Looks::take) {
            Some(maps) => Some(Maps::begin(maps).await),
            None => None,
        };
        let (levels, estimate) = (levels.to_vec(), denoised.is_some());
        let (tally, network) = (None, Timing::default());
        Self { step, levels, last, tally, network, presented, values, estimate, decoding, attention }
    }

    /// Waits for it. `decodes` is called before the pictures at a run's end are decoded.
    ///
    /// # Errors
    /// The device failed; a sample became NaN or infinite.
    pub async fn wait(self, view: &View<'_>, decodes: impl FnOnce()) -> Result<ReadBack, SessionError> {
        let Self { step, levels, last, presented, values, estimate, decoding, attention, .. } = self;
        if let Some(presented) = presented {
            presented.done().await?;
        }
        let mut x = match values {
            Some(values) => values.done().await?,
            None => Vec::new(),
        };
        let denoised = (estimate && !x.is_empty()).then(|| x.split_off(x.len() / 2));
        if !x.iter().chain(denoised.iter().flatten()).all(|v| v.is_finite()) {
            return Err(SessionError::NotFinite { step });
        }
        if last {
            decodes();
        }
        let shown = view.show(decoding, &x, denoised.as_deref(), &levels, last).await?;
        if let Some(Shown { x, denoised }) = shown.as_ref().filter(|_| last) {
            view.present_read(x, denoised.as_deref()).await?;
        }
        let attention = match attention {
            Some(maps) => Some(maps.read().await?),
            None => None,
        };
        Ok(ReadBack { x, denoised, shown, attention })
    }
}
