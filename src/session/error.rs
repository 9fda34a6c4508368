use crate::backend::BackendError;
use crate::interchange::Unmapped;
use crate::math::GridError;
use crate::samplers::GaveUp;
use crate::settings::{Problem, Reason};
use thiserror::Error;

/// Why a run could not begin or go on.
#[derive(Debug, Error)]
pub enum SessionError {
    /// A setting that the sampler or the model has no place for.
    #[error("{0}.")]
    Setting(#[from] Problem),
    #[error("The sampler must be {0}.")]
    Sampler(Reason),
    #[error("{got} classes were given for {expected}.", expected = crate::words::count(*.expected, "image"))]
    Classes { got: usize, expected: usize },
    #[error("Class {got} was given, but the classifier has {}.", crate::words::count(*.known, "class"))]
    ClassifierClass { got: usize, known: usize },
    #[error("Guidance by a classifier needs a class; pick one, or set classifier to 0.")]
    NothingToClassify,
    #[error("Guidance by a classifier needs a classifier, and none was given; set classifier to 0.")]
    NoClassifier,
    #[error("The classifier takes images of {known} channels, but this model's have {got}; use the model's own.")]
    ClassifierChannels { got: usize, known: usize },
    #[error("The autoguidance model's image size or classes differ from the model's.")]
    Worse,
    #[error(
        "This model has learned what guidance does, and takes neither a negative prompt nor another kind of guidance; leave them out."
    )]
    EmbeddedGuidance,
    #[error("The start picture has {got} values, but this model's images have {expected}.")]
    Picture { got: usize, expected: usize },
    #[error("The settings' picture is {}, but this model's are {}; choose one anew.", size(got), size(expected))]
    StartSize { got: [usize; 3], expected: [usize; 3] },
    #[error("This run begins with a picture, and none is given; choose one, or set strength to 1 and start to noise.")]
    NoPicture,
    #[error("A mask says which part of a start picture stays, and there is no start picture.")]
    MaskAlone,
    #[error("With this strength no step is left to change the picture; raise the strength or the number of steps.")]
    NoStrength,
    #[error("The run that this one goes on from has {}, so there is nothing to go on with at step {step}; choose an earlier one.", crate::words::count(*.steps, "step"))]
    Ended { step: usize, steps: usize },
    #[error(
        "None of these settings' noise levels lies below that of step {step}; take more steps, or go on from an earlier one."
    )]
    NoLevels { step: usize },
    #[error(
        "The pictures of step {step} are at noise levels of their own, where the model's own scheduler cannot go on; choose another schedule."
    )]
    Apart { step: usize },
    #[error("The model's own scheduler cannot be followed with these settings: {0}; choose another schedule.")]
    Scheduler(#[from] Unmapped),
    #[error("{0}.")]
    Grid(#[from] GridError),
    #[error("The sample became NaN or infinite at step {step}; try another sampler or schedule, or the CPU backend.")]
    NotFinite { step: usize },
    #[error("The sampler gave up: {0}.")]
    GaveUp(#[from] GaveUp),
    #[error(transparent)]
    Backend(#[from] BackendError),
}

/// Height, width and channels in words.
fn size([height, width, channels]: &[usize; 3]) -> String {
    format!("{width}×{height} in {}", crate::words::count(*channels, "channel"))
}
