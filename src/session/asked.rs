//! What a sampler asks: the network with its labels and guidance, and whatever wraps it.

use super::{SessionError, Timing};
use crate::denoise::{Clip, Denoiser, Estimate, Guidance, GuidanceKind, Inpainted};
use crate::math::Level;
#[cfg(feature = "autodiff")]
use crate::models::classifier::{NoisyClassifier, Wanted};
use crate::models::{NetworkBranches, Pretrained};
use crate::settings::{self, Class, Guide, Settings};
use burn::tensor::Tensor;
use std::cell::Cell;
use web_time::Instant;

type Boxed<'a> = Box<dyn Denoiser<Tensor<4>> + 'a>;

/// What a run asks of the network beside its settings.
#[derive(Clone, Copy, Default)]
pub struct Helpers<'a> {
    /// A worse model of the same kind, which guidance leads away from (autoguidance).
    pub worse: Option<&'a Pretrained>,
    /// A classifier of noisy pictures, to be led by.
    #[cfg(feature = "autodiff")]
    pub classifier: Option<&'a NoisyClassifier>,
}

/// A picture of which a part stays.
pub(super) struct Known {
    pub picture: Tensor<4>,
    /// 1 where it is to stay.
    pub kept: Tensor<4>,
    /// What the run starts from.
    pub noise: Tensor<4>,
}

/// The model as these settings want it asked.
///
/// # Errors
/// A class or guidance that the model does not have.
pub(super) fn denoiser<'a>(
    settings: &Settings,
    model: &'a Pretrained,
    labels: &[Option<usize>],
    helpers: Helpers<'a>,
    known: Option<Known>,
) -> Result<Boxed<'a>, SessionError> {
    let guidance = guidance(settings, helpers.worse.is_some(), labels);
    check(settings, model, labels, &guidance)?;
    let mut branches = NetworkBranches::new(model, labels).with_clip(clip(settings, model));
    if let Guide::Perpendicular(class) = settings.guide {
        branches = branches.with_negative(class);
    }
    if let Some(worse) = helpers.worse {
        if (worse.shape(), worse.classes()) != (model.shape(), model.classes()) {
            return Err(SessionError::Worse);
        }
        branches = branches.with_worse(worse);
    }
    let network = match settings.classifier {
        0.0 => branches.guided(guidance),
        #[cfg(feature = "autodiff")]
        scale => branches.classified(guidance, wanted(model, helpers, labels)?, scale),
        #[cfg(not(feature = "autodiff"))]
        _ => return Err(SessionError::NoClassifier),
    };
    Ok(match known {
        Some(Known { picture, kept, noise }) => Box::new(Inpainted::new(network, picture, kept, noise)),
        None => Box::new(network),
    })
}

/// The classifier, made for the labels.
///
/// # Errors
/// There is none, or it is for other pictures or other classes.
#[cfg(feature = "autodiff")]
fn wanted<'a>(model: &Pretrained, helpers: Helpers<'a>, labels: &[Option<usize>]) -> Result<Wanted<'a>, SessionError> {
    let net = helpers.classifier.ok_or(SessionError::NoClassifier)?;
    let classes = labels.iter().map(|label| label.ok_or(SessionError::NothingToClassify));
    let classes = classes.collect::<Result<Vec<_>, _>>()?;
    let ([channels, ..], config) = (model.shape(), net.config());
    if channels != config.in_channels {
        return Err(SessionError::ClassifierChannels { got: channels, known: config.in_channels });
    }
    let known = config.num_classes;
    match classes.iter().copied().find(|class| *class >= known) {
        Some(got) => Err(SessionError::Class { got, known }),
        None => Ok(Wanted { net, classes }),
    }
}

/// The label of each picture, and the guidance to use.
///
/// # Errors
/// A class or guidance that the model does not have.
pub(super) fn conditions(
    settings: &Settings,
    model: &Pretrained,
) -> Result<(Vec<Option<usize>>, Guidance), SessionError> {
    let labels = labels(settings, model, None);
    let guidance = guidance(settings, false, &labels);
    check(settings, model, &labels, &guidance)?;
    Ok((labels, guidance))
}

/// The label of each picture: the one in `classes`, or what the settings say.
pub(super) fn labels(settings: &Settings, model: &Pretrained, classes: Option<Vec<usize>>) -> Vec<Option<usize>> {
    if let Some(classes) = classes {
        return classes.into_iter().map(Some).collect();
    }
    let label = |i: usize| match settings.class {
        Class::One(class) => Some(class),
        Class::All => i.checked_rem(model.classes()),
        Class::None => None,
    };
    (0..settings.images).map(label).collect()
}

/// The guidance to use: without a label there is nothing to guide towards, but a worse model can still be left behind.
fn guidance(settings: &Settings, has_worse: bool, labels: &[Option<usize>]) -> Guidance {
    let labelled = labels.first().is_some_and(Option::is_some);
    if !labelled && !has_worse {
        return Guidance::NONE;
    }
    let kind = match settings.guide {
        _ if has_worse => GuidanceKind::Negative,
        Guide::Cfg => GuidanceKind::Plain,
        Guide::CfgPlusPlus => GuidanceKind::CfgPlusPlus,
        Guide::Perpendicular(_) => GuidanceKind::Perpendicular { weight: 1.0 },
    };
    Guidance { scale: settings.guidance, rescale: settings.rescale, interval: settings.guidance_range, kind }
}

/// Whether the model has the classes that are asked for, and an unlabelled branch if one is needed.
fn check(
    settings: &Settings,
    model: &Pretrained,
    labels: &[Option<usize>],
    guidance: &Guidance,
) -> Result<(), SessionError> {
    let known = model.classes();
    let negative = match settings.guide {
        Guide::Perpendicular(class) => Some(class),
        _ => None,
    };
    let asked = labels.iter().copied().chain([negative]).flatten();
    if let Some(got) = asked.max().filter(|class| *class >= known) {
        return Err(SessionError::Class { got, known });
    }
    let unlabelled = labels.iter().any(Option::is_none)
        || (guidance.kind != GuidanceKind::Negative && (guidance.scale != 1.0 || guidance.kind != GuidanceKind::Plain));
    if known > 0 && unlabelled && model.card.null_class.is_none() {
        return Err(SessionError::NeedsLabel);
    }
    Ok(())
}

/// Dynamic thresholding as diffusers has it by default: all but the 0.5 % most extreme values of a picture.
const DYNAMIC: Clip = Clip::Dynamic { ratio: 0.995, most: f64::INFINITY };

pub(super) fn clip(settings: &Settings, model: &Pretrained) -> Option<Clip> {
    let [low, high] = model.card.range;
    let range = Clip::Range { low, high };
    match settings.clip {
        settings::Clip::Model => model.clip(),
        settings::Clip::Off => None,
        settings::Clip::Range => Some(range),
        settings::Clip::Dynamic => Some(DYNAMIC),
    }
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
