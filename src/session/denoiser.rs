//! What a sampler evaluates: the network with its labels and guidance, and whatever wraps it.

use super::{Given, SessionError, Timing};
use crate::denoise::{Clip, Denoiser, Estimate, Guidance, GuidanceKind, Inpainted};
use crate::math::Level;
#[cfg(feature = "autodiff")]
use crate::models::classifier::{NoisyClassifier, Wanted};
use crate::nn::AttentionMaps;
use crate::pipeline::{Condition, Conditioning, Conditions, NetworkBranches, Pipeline};
use crate::settings::{self, Class, Guide, Problem, Reason, Settings};
use burn::tensor::Tensor;
use std::cell::{Cell, RefCell};
use web_time::Instant;

type Boxed<'a> = Box<dyn Denoiser<Tensor<4>> + 'a>;

/// What a denoiser has besides its model, settings and conditions.
#[derive(Default)]
pub(super) struct Surroundings<'a> {
    pub helpers: Helpers<'a>,
    /// A start picture of which a part stays.
    pub known: Option<Known>,
    /// What a network that fills holes is given.
    pub hole: Option<Tensor<4>>,
    /// Levels, and those that the network is conditioned on in their place.
    pub shown: Vec<(Level, Level)>,
    /// What records where it looks in the prompt.
    pub maps: Option<&'a AttentionMaps>,
}

/// Networks that guide a run beside its own.
#[derive(Clone, Copy, Default)]
pub struct Helpers<'a> {
    /// A worse model of the same data that guidance pushes away from (autoguidance).
    pub worse: Option<&'a Pipeline>,
    /// A classifier of noisy pictures whose gradient guides.
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

/// What the images of a run are conditioned on.
#[derive(Clone)]
pub(super) struct Conditioned {
    /// The label of each image.
    pub labels: Vec<Option<usize>>,
    texts: Option<Texts>,
}

/// The prompt, and what guidance pushes away from.
#[derive(Clone)]
struct Texts {
    prompt: Condition,
    empty: Condition,
    negative: Condition,
}

impl Conditioned {
    /// What the settings say, or the classes that are given beside them. Every text is encoded here, once.
    ///
    /// # Errors
    /// Settings that do not fit the sampler or the model, classes that it does not have.
    pub fn new(settings: &Settings, model: &Pipeline, given: &Given) -> Result<Self, SessionError> {
        let labels = labels(settings, model, given);
        if labels.len() != settings.images {
            return Err(SessionError::Classes { got: labels.len(), expected: settings.images });
        }
        check(settings, model, &labels, given.helpers.worse.is_some())?;
        let embedded = model.network.embeds_guidance();
        if embedded && (!settings.negative.is_empty() || settings.guide != Guide::Cfg) {
            return Err(SessionError::EmbeddedGuidance);
        }
        let texts = match &model.conditioning {
            Conditioning::Text(encoders) => {
                let [_, height, width] = model.picture_of(settings);
                let encode = |text: &str| match text {
                    "" => encoders.nothing([height, width]),
                    text => encoders.encode_prompt(&settings.prompt_of(text), [height, width]),
                };
                let encoded = |text: &str| encoders.encode_prompt(&settings.prompt_of(text), [height, width]);
                let prompt = encoded(&settings.prompt);
                let prompt = match settings.blend {
                    0.0 => prompt,
                    share => prompt.towards(encoded(&settings.blend_prompt), share),
                };
                let prompt = if embedded { prompt.guided(settings.guidance) } else { prompt };
                Some(Texts { prompt, empty: encode(""), negative: encode(&settings.negative) })
            }
            _ => None,
        };
        Ok(Self { labels, texts })
    }

    /// Of some of the images.
    pub fn part(&self, images: std::ops::Range<usize>) -> Self {
        Self { labels: self.labels[images].to_vec(), texts: self.texts.clone() }
    }

    fn conditions(&self, settings: &Settings, model: &Pipeline) -> Conditions {
        let perpendicular = match settings.guide {
            Guide::Perpendicular(class) => Some(class),
            Guide::Cfg | Guide::CfgPlusPlus => None,
        };
        let Some(Texts { prompt, empty, negative }) = &self.texts else {
            let mut conditions = model.conditions_of_labels(&self.labels, perpendicular.flatten());
            if settings.blend > 0.0 && model.classes() > 0 {
                let other = model.labelled(&vec![Some(settings.blend_class); self.labels.len()]);
                conditions.conditional = conditions.conditional.towards(other, settings.blend);
            }
            return conditions;
        };
        // diffusers puts the negative prompt in the place of the empty one; perpendicular guidance has a place for each.
        let unconditional = if perpendicular.is_some() { empty } else { negative };
        Conditions {
            conditional: prompt.clone(),
            unconditional: Some(unconditional.clone()),
            negative: Some(negative.clone()),
        }
    }

    /// Whether there is something to guide towards.
    fn is_guided(&self) -> bool {
        self.texts.is_some() || self.labels.first().is_some_and(Option::is_some)
    }
}

/// The denoiser that these settings make of a model.
///
/// # Errors
/// A class or guidance that the model does not have.
pub(super) fn denoiser<'a>(
    settings: &Settings,
    model: &'a Pipeline,
    conditioned: &Conditioned,
    Surroundings { helpers, known, hole, shown, maps }: Surroundings<'a>,
) -> Result<Boxed<'a>, SessionError> {
    let guided = conditioned.is_guided() && !model.network.embeds_guidance();
    let guidance = guidance(settings, helpers.worse.is_some(), guided);
    let branches = NetworkBranches::new(model, conditioned.conditions(settings, model))
        .with_shown(shown)
        .with_hole(hole)
        .with_maps(maps);
    let mut branches = branches.with_clip(clip(settings, model)).with_raw_noise(raw_noise(settings, model));
    if let Some(worse) = helpers.worse {
        let kind = |model: &Pipeline| (model.shape(), model.classes(), model.conditioning.id());
        if kind(worse) != kind(model) {
            return Err(SessionError::Worse);
        }
        branches = branches.with_worse(worse);
    }
    let network = match settings.classifier {
        0.0 => branches.guided(guidance),
        #[cfg(feature = "autodiff")]
        scale => branches.classified(guidance, wanted(model, helpers, &conditioned.labels)?, scale),
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
fn wanted<'a>(model: &Pipeline, helpers: Helpers<'a>, labels: &[Option<usize>]) -> Result<Wanted<'a>, SessionError> {
    let net = helpers.classifier.ok_or(SessionError::NoClassifier)?;
    let classes = labels.iter().map(|label| label.ok_or(SessionError::NothingToClassify));
    let classes = classes.collect::<Result<Vec<_>, _>>()?;
    let ([channels, ..], config) = (model.shape(), net.config());
    if channels != config.in_channels {
        return Err(SessionError::ClassifierChannels { got: channels, known: config.in_channels });
    }
    let known = config.num_classes;
    match classes.iter().copied().find(|class| *class >= known) {
        Some(got) => Err(SessionError::ClassifierClass { got, known }),
        None => Ok(Wanted { net, classes }),
    }
}

/// The label of each picture, and the guidance to use.
///
/// # Errors
/// A class or guidance that the model does not have.
pub(super) fn conditions(
    settings: &Settings,
    model: &Pipeline,
) -> Result<(Vec<Option<usize>>, Guidance), SessionError> {
    let labels = labels(settings, model, &Given::default());
    check(settings, model, &labels, false)?;
    let texts = matches!(model.conditioning, Conditioning::Text(_));
    let guided = texts || labels.first().is_some_and(Option::is_some);
    Ok((labels, guidance(settings, false, guided)))
}

/// The label of each picture: the one that is given, or what the settings say.
fn labels(settings: &Settings, model: &Pipeline, given: &Given) -> Vec<Option<usize>> {
    if let Some(classes) = &given.classes {
        return classes.iter().copied().map(Some).collect();
    }
    let label = |i: usize| match settings.class {
        Class::One(class) => Some(class),
        Class::All => (given.first + i).checked_rem(model.classes()),
        Class::None => None,
    };
    (0..settings.images).map(label).collect()
}

/// The guidance to use: without a label or a text there is nothing to guide towards, but guidance can still push away from
/// a worse model.
fn guidance(settings: &Settings, has_worse: bool, guided: bool) -> Guidance {
    if !guided && !has_worse {
        return Guidance::NONE;
    }
    let kind = match settings.guide {
        _ if has_worse => GuidanceKind::Negative,
        Guide::Cfg => GuidanceKind::Plain,
        Guide::CfgPlusPlus => GuidanceKind::CfgPlusPlus,
        Guide::Perpendicular(_) => GuidanceKind::Perpendicular { weight: settings.perp_weight },
    };
    Guidance { scale: settings.guidance, rescale: settings.rescale, interval: settings.guidance_range, kind }
}

/// Whether the sampler and the model have what the settings need, and the classes of the labels.
fn check(settings: &Settings, model: &Pipeline, labels: &[Option<usize>], has_worse: bool) -> Result<(), SessionError> {
    let mut fitted = settings.clone();
    if has_worse {
        // Autoguidance evaluates no unlabelled output.
        (fitted.guidance, fitted.guide) = (1.0, Guide::Cfg);
    }
    fitted.fitted(Some(model.facts()))?;
    let count = model.classes();
    match labels.iter().copied().flatten().max().filter(|class| *class >= count) {
        Some(got) => Err(Problem::new("class", got, Reason::Class { count }).into()),
        None => Ok(()),
    }
}

/// Dynamic thresholding as diffusers has it by default: all but the 0.5 % most extreme values of a picture.
const DYNAMIC: Clip = Clip::Dynamic { ratio: 0.995, most: f64::INFINITY };

/// Whether the model's own noise stays beside a clipped estimate: where the folder's scheduler clips, by a method that does
/// so in diffusers.
pub(super) fn raw_noise(settings: &Settings, model: &Pipeline) -> bool {
    let own = settings.clip == settings::Clip::Model && model.scheduler_clips;
    own && settings.method::<f64>().is_ok_and(|row| row.raw_noise)
}

pub(super) fn clip(settings: &Settings, model: &Pipeline) -> Option<Clip> {
    let [low, high] = model.card.range;
    let range = Clip::Range { low, high };
    match settings.clip {
        settings::Clip::Model => model.clip,
        settings::Clip::Off => None,
        settings::Clip::Range => Some(range),
        settings::Clip::Dynamic => Some(DYNAMIC),
    }
}

/// A model with a stopwatch.
pub(super) struct Timed<'a> {
    inner: Boxed<'a>,
    spent: Cell<Timing>,
    /// The learned variance of the last evaluation.
    variance: RefCell<Option<Tensor<4>>>,
}

impl<'a> Timed<'a> {
    pub fn new(inner: Boxed<'a>) -> Self {
        Self { inner, spent: Cell::default(), variance: RefCell::default() }
    }

    /// The time spent so far, and the evaluations.
    pub fn spent(&self) -> Timing {
        self.spent.get()
    }

    /// The learned variance that the last estimate came with.
    pub fn variance(&self) -> Option<Tensor<4>> {
        self.variance.borrow().clone()
    }

    fn time<T>(&self, evaluate: impl FnOnce(&Boxed<'a>) -> T) -> T {
        let began = Instant::now();
        let output = evaluate(&self.inner);
        let Timing { network, evaluations, .. } = self.spent.get();
        let (network, evaluations) = (network + began.elapsed(), evaluations + 1);
        self.spent.set(Timing { network, evaluations, ..Timing::default() });
        output
    }
}

impl Denoiser<Tensor<4>> for Timed<'_> {
    fn denoise(&self, x: &Tensor<4>, at: Level) -> Tensor<4> {
        self.time(|model| model.denoise(x, at))
    }

    fn estimate(&self, x: &Tensor<4>, at: Level) -> Estimate<Tensor<4>> {
        let estimate = self.time(|model| model.estimate(x, at));
        self.variance.replace(estimate.variance.clone());
        estimate
    }
}
