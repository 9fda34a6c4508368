//! What a sampler asks: the network with its labels and guidance, and whatever wraps it.

use super::{SessionError, Timing};
use crate::denoise::{Denoiser, Estimate, Inpainted};
use crate::math::Level;
use crate::models::{NetworkDenoiser, Pretrained};
use crate::settings::{Class, Settings};
use burn::tensor::Tensor;
use std::cell::Cell;
use web_time::Instant;

type Boxed<'a> = Box<dyn Denoiser<Tensor<4>> + 'a>;

/// The model as these settings want it asked. `known` is a picture, 1 where it is to stay, and the noise that the run
/// starts from.
///
/// # Errors
/// A class or guidance that the model does not have.
pub(super) fn denoiser<'a>(
    settings: &Settings,
    model: &'a Pretrained,
    known: Option<(Tensor<4>, Tensor<4>, Tensor<4>)>,
) -> Result<Boxed<'a>, SessionError> {
    let (labels, guidance) = conditions(settings, model)?;
    let network = NetworkDenoiser::new(model, &labels, guidance);
    Ok(match known {
        Some((known, kept, noise)) => Box::new(Inpainted::new(network, known, kept, noise)),
        None => Box::new(network),
    })
}

/// The label of each image, and the guidance scale to use: without a label there is nothing to guide towards.
fn conditions(settings: &Settings, model: &Pretrained) -> Result<(Vec<Option<usize>>, f64), SessionError> {
    let known = model.classes();
    if let Class::One(got) = settings.class
        && got >= known
    {
        return Err(SessionError::Class { got, known });
    }
    let label = |i: usize| match settings.class {
        Class::One(class) => Some(class),
        Class::All => i.checked_rem(known),
        Class::None => None,
    };
    let labels: Vec<_> = (0..settings.images).map(label).collect();
    let labelled = labels.first().is_some_and(Option::is_some);
    let guidance = if labelled { settings.guidance } else { 1.0 };
    if known > 0 && (!labelled || guidance != 1.0) && model.card.null_class.is_none() {
        return Err(SessionError::NeedsLabel);
    }
    Ok((labels, guidance))
}

/// A model with a stopwatch.
pub(super) struct Timed<'a> {
    inner: Boxed<'a>,
    spent: Cell<Timing>,
}

impl<'a> Timed<'a> {
    pub fn new(inner: Boxed<'a>) -> Self {
        Self { inner, spent: Cell::default() }
    }

    /// The time spent so far, and the evaluations.
    pub fn spent(&self) -> Timing {
        self.spent.get()
    }

    fn time<T>(&self, ask: impl FnOnce(&Boxed<'a>) -> T) -> T {
        let began = Instant::now();
        let answer = ask(&self.inner);
        let Timing { network, evaluations, .. } = self.spent.get();
        let (network, evaluations) = (network + began.elapsed(), evaluations + 1);
        self.spent.set(Timing { network, evaluations, ..Timing::default() });
        answer
    }
}

impl Denoiser<Tensor<4>> for Timed<'_> {
    fn denoise(&self, x: &Tensor<4>, at: Level) -> Tensor<4> {
        self.time(|model| model.denoise(x, at))
    }

    fn estimate(&self, x: &Tensor<4>, at: Level) -> Estimate<Tensor<4>> {
        self.time(|model| model.estimate(x, at))
    }
}
