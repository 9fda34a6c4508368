//! Guidance: away from what a model says without the condition, towards what it says with it.

mod classifier;

pub use classifier::{Classifier, ClassifierGuided};

use super::{Denoiser, Estimate, Prediction};
use crate::math::{Latent, Level};

/// The least mean square that is divided by: a normal number in single precision too.
const LEAST_SQUARE: f64 = 1e-30;

/// How a model is guided. Plain data; [`Guided`] acts on it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Guidance {
    /// Guidance scale `w`, dimensionless, in the convention of the field's tools: 0 is the unconditional model, 1 the
    /// conditional one, above 1 pushes away from the unconditional one.
    pub scale: f64,
    /// Share `phi` in 0..=1 of the guided output that is brought back to the standard deviation of the conditional
    /// output, picture by picture, so that large scales do not overexpose (Lin et al. 2023, arXiv 2305.08891,
    /// equations 15 and 16). 0 leaves it as it is.
    pub rescale: f64,
    /// Noise-to-signal ratios `(low, high]` that guidance acts in; elsewhere the conditional branch speaks alone
    /// (Kynkäänniemi et al. 2024, arXiv 2404.07724). `[0, infinity]` is everywhere.
    pub interval: [f64; 2],
    pub kind: GuidanceKind,
}

/// What guidance leads away from, and what it does to the noise.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum GuidanceKind {
    /// Classifier-free guidance (Ho & Salimans 2022, arXiv 2207.12598, equation 6). Every estimate is affine in the
    /// network's output with the same coefficients, so mixing estimates of `x_0` is mixing outputs.
    Plain,
    /// CFG++ (Chung et al. 2024, arXiv 2406.08070, algorithm 2): the guided `x_0` beside the noise of the unguided
    /// model. Its scale is meant within 0..=1. Only a method that steps on [`estimate`](Denoiser::estimate) tells it
    /// from plain guidance.
    CfgPlusPlus,
    /// Away from the negative branch instead of the unconditional one: a negative condition, or autoguidance, where the
    /// negative branch is a worse version of the model with the same condition (Karras et al. 2024, arXiv 2406.02507).
    Negative,
    /// Perp-Neg (Armandpour et al. 2023, arXiv 2304.04968): plain guidance less `weight` times that part of the
    /// negative direction that is perpendicular to the conditional one, so that what the two have in common stays.
    Perpendicular { weight: f64 },
}

impl Guidance {
    /// The conditional model as it is.
    pub const NONE: Self = Self::plain(1.0);

    /// Classifier-free guidance at every level.
    pub const fn plain(scale: f64) -> Self {
        Self { scale, rescale: 0.0, interval: [0.0, f64::INFINITY], kind: GuidanceKind::Plain }
    }

    /// The branches that are needed at a level: one where guidance has nothing to mix. The first is the one that is
    /// guided, the second the one that it is guided away from.
    pub fn branches(&self, at: Level) -> &'static [Branch] {
        use Branch::{Conditional, Negative, Unconditional};
        let [low, high] = self.interval;
        let acts = low < at.nsr() && at.nsr() <= high;
        match self.kind {
            _ if !acts => &[Conditional],
            GuidanceKind::Plain | GuidanceKind::Negative if self.scale == 1.0 => &[Conditional],
            GuidanceKind::Negative if self.scale == 0.0 => &[Negative],
            _ if self.scale == 0.0 => &[Unconditional],
            GuidanceKind::Plain | GuidanceKind::CfgPlusPlus => &[Conditional, Unconditional],
            GuidanceKind::Negative => &[Conditional, Negative],
            GuidanceKind::Perpendicular { .. } => &[Conditional, Unconditional, Negative],
        }
    }

    /// One estimate made of those of [`branches`](Self::branches). `output` is what the model's own output states.
    ///
    /// # Panics
    /// Without any estimate.
    fn combine<X: Latent>(&self, x: &X, at: Level, said: Vec<Estimate<X>>, output: Prediction) -> Estimate<X> {
        let mut said = said.into_iter();
        let first = said.next().expect("a model answers for every branch");
        let Some(base) = said.next() else { return first };
        let mut towards = first.x0.mix(1.0, &base.x0, -1.0);
        if let (GuidanceKind::Perpendicular { weight }, Some(negative)) = (self.kind, said.next()) {
            let away = perpendicular(&negative.x0.mix(1.0, &base.x0, -1.0), &towards);
            towards = towards.mix(1.0, &away, -weight);
        }
        let mut x0 = base.x0.mix(1.0, &towards, self.scale);
        if self.rescale > 0.0 {
            let [guided, conditional] = [&x0, &first.x0].map(|x0| output.from_x0(x, x0, at));
            x0 = output.to_x0(x, &rescaled(&guided, &conditional, self.rescale), at);
        }
        let mut estimate = Estimate { variance: first.variance, ..Estimate::of_x0(x, x0, at) };
        if self.kind == GuidanceKind::CfgPlusPlus {
            estimate.eps = base.eps;
        }
        estimate
    }
}

/// Classifier-free guidance at this scale.
impl From<f64> for Guidance {
    fn from(scale: f64) -> Self {
        Self::plain(scale)
    }
}

/// The part of `a` that is perpendicular to `b`, picture by picture.
fn perpendicular<X: Latent>(a: &X, b: &X) -> X {
    let square = b.times(b).mean().clamp(LEAST_SQUARE, f64::INFINITY);
    let share = a.times(b).mean().over(&square);
    a.mix(1.0, &share.times(b), -1.0)
}

/// `guided` with the share `phi` of it brought to the standard deviation of `conditional`.
fn rescaled<X: Latent>(guided: &X, conditional: &X, phi: f64) -> X {
    let std = |x: &X| x.mix(1.0, &x.mean(), -1.0).rms();
    let factor = std(conditional).over(&std(guided).clamp(LEAST_SQUARE.sqrt(), f64::INFINITY));
    guided.mix(1.0 - phi, &guided.times(&factor), phi)
}

/// The conditions that a model can be evaluated with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Branch {
    /// With the condition.
    Conditional,
    /// Without a condition.
    Unconditional,
    /// With what to keep away from, or a worse model.
    Negative,
}

/// A model that can be evaluated with and without its condition.
pub trait Branches<X> {
    /// The estimate of each of the branches `which`, in their order. A network answers with one evaluation of as many
    /// times the batch. Needs `sigma > 0`.
    fn branches(&self, x: &X, at: Level, which: &[Branch]) -> Vec<Estimate<X>>;

    /// What the model's own output is: [`Guidance::rescale`] measures its standard deviation there. The paper and the
    /// exact models speak of velocity.
    fn output(&self) -> Prediction {
        Prediction::Velocity
    }
}

/// One model for each branch, where they are not one network. Autoguidance takes the worse model for `negative`.
#[derive(Clone, Copy)]
pub struct Models<'a, X> {
    pub conditional: &'a dyn Denoiser<X>,
    pub unconditional: &'a dyn Denoiser<X>,
    pub negative: &'a dyn Denoiser<X>,
}

impl<X: Latent> Branches<X> for Models<'_, X> {
    fn branches(&self, x: &X, at: Level, which: &[Branch]) -> Vec<Estimate<X>> {
        let model = |branch: &Branch| match branch {
            Branch::Conditional => self.conditional,
            Branch::Unconditional => self.unconditional,
            Branch::Negative => self.negative,
        };
        which.iter().map(|branch| model(branch).estimate(x, at)).collect()
    }
}

/// A [`Denoiser`] made of a model's branches. Needs `sigma > 0`.
///
/// A learned variance is that of the branch that is guided, as guidance says nothing about variances.
#[derive(Clone, Copy, Debug)]
pub struct Guided<B> {
    pub model: B,
    pub guidance: Guidance,
}

impl<X: Latent, B: Branches<X>> Denoiser<X> for Guided<B> {
    fn denoise(&self, x: &X, at: Level) -> X {
        self.estimate(x, at).x0
    }

    fn estimate(&self, x: &X, at: Level) -> Estimate<X> {
        let said = self.model.branches(x, at, self.guidance.branches(at));
        self.guidance.combine(x, at, said, self.model.output())
    }
}
