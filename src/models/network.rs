//! A trained network as the samplers see it.

use super::Pretrained;
use crate::denoise::{
    Branch, Branches, Classifier, ClassifierGuided, Clip, Clipped, Denoiser, Estimate, Guidance, GuidanceKind, Guided,
    Prediction,
};
use crate::math::{Latent, Level};
use burn::tensor::Tensor;

/// Row of the class embedding for each image; a model without classes has none.
type Rows = Option<Vec<usize>>;

/// A network and the labels of a batch of pictures: which is evaluated with and without them.
///
/// All branches go through the network as one batch of as many times the images; branches with the same
/// labels are evaluated once.
#[derive(Clone)]
pub struct NetworkBranches<'a> {
    model: &'a Pretrained,
    labelled: Rows,
    negative: Option<usize>,
    worse: Option<&'a Pretrained>,
    clip: Option<Clip>,
    raw_noise: bool,
    shown: Vec<(Level, Level)>,
}

impl<'a> NetworkBranches<'a> {
    /// One label an image, `None` for no label. Estimates are clipped if the model's card says so. A model without
    /// classes ignores the labels.
    ///
    /// # Panics
    /// If a label is no class of the model, or `None` for a model whose card names no
    /// [`null_class`](super::Card::null_class). Asking such a model for its unconditional branch panics too.
    pub fn new(model: &'a Pretrained, labels: &[Option<usize>]) -> Self {
        let clip = model.clip;
        let labelled = rows(model, labels.iter().copied());
        Self { model, labelled, negative: None, worse: None, clip, raw_noise: false, shown: Vec::new() }
    }

    /// The class that the negative branch shows; without one it is the unconditional branch.
    #[must_use]
    pub fn with_negative(self, class: usize) -> Self {
        Self { negative: Some(class), ..self }
    }

    /// The model of the negative branch, with the same labels: a version of this one that is smaller or was
    /// trained less (autoguidance).
    #[must_use]
    pub fn with_worse(self, worse: &'a Pretrained) -> Self {
        Self { worse: Some(worse), ..self }
    }

    /// How estimates are clipped, whatever the card says.
    #[must_use]
    pub fn with_clip(self, clip: Option<Clip>) -> Self {
        Self { clip, ..self }
    }

    /// Leaves the model's own noise beside clipped estimates, as diffusers' DDIM does.
    #[must_use]
    pub fn with_raw_noise(self, raw_noise: bool) -> Self {
        Self { raw_noise, ..self }
    }

    /// Conditions the network on the second level of each pair where the point is at the first.
    #[must_use]
    pub fn with_shown(self, shown: Vec<(Level, Level)>) -> Self {
        Self { shown, ..self }
    }

    /// The denoiser: guided, then clipped.
    pub fn guided(self, guidance: impl Into<Guidance>) -> NetworkDenoiser<'a> {
        let (guidance, clip) = (guidance.into(), self.clip.map(|clip| (clip, self.raw_noise)));
        NetworkDenoiser::clipped(Guided { model: self, guidance }, guidance, clip)
    }

    /// The denoiser with guidance by a `classifier` too, of this `scale`.
    pub fn classified(
        self,
        guidance: impl Into<Guidance>,
        classifier: impl Classifier<Tensor<4>> + 'a,
        scale: f64,
    ) -> NetworkDenoiser<'a> {
        let (guidance, clip) = (guidance.into(), self.clip.map(|clip| (clip, self.raw_noise)));
        let model = Guided { model: self, guidance };
        NetworkDenoiser::clipped(ClassifierGuided { model, classifier, scale }, guidance, clip)
    }

    fn rows(&self, branch: Branch) -> Rows {
        let labelled = self.labelled.as_ref()?;
        let same = |label| rows(self.model, vec![label; labelled.len()].into_iter());
        match branch {
            Branch::Conditional => Some(labelled.clone()),
            Branch::Unconditional => same(None),
            Branch::Negative => same(self.negative),
        }
    }

    fn is_worse(&self, branch: Branch) -> Option<&'a Pretrained> {
        self.worse.filter(|_| branch == Branch::Negative)
    }
}

impl Branches<Tensor<4>> for NetworkBranches<'_> {
    /// `x` has as many images as there are labels.
    fn branches(&self, x: &Tensor<4>, at: Level, which: &[Branch]) -> Vec<Estimate<Tensor<4>>> {
        let mut labels = Vec::new();
        for &branch in which.iter().filter(|branch| self.is_worse(**branch).is_none()) {
            let rows = self.rows(branch);
            if !labels.contains(&rows) {
                labels.push(rows);
            }
        }
        let shown = self.shown.iter().find(|(from, _)| *from == at).map_or(at, |(_, shown)| *shown);
        let estimates = evaluate(self.model, x, (at, shown), &labels);
        let estimate = |&branch: &Branch| match self.is_worse(branch) {
            Some(worse) => evaluate(worse, x, (at, shown), std::slice::from_ref(&self.labelled)).remove(0),
            None => {
                let rows = self.rows(branch);
                let place = labels.iter().position(|other| *other == rows).expect("every branch was evaluated");
                estimates[place].clone()
            }
        };
        which.iter().map(estimate).collect()
    }

    fn output(&self) -> Prediction {
        self.model.prediction
    }
}

/// The rows of the class embedding for `labels`.
fn rows(model: &Pretrained, labels: impl Iterator<Item = Option<usize>>) -> Rows {
    let known = model.net.config().num_class_embeds?;
    let row = |label: Option<usize>| {
        let row = label.or(model.card.null_class).expect("a model trained without unlabelled pictures needs a label");
        assert!(row < known, "class {row} of a model that has {known}");
        row
    };
    Some(labels.map(row).collect())
}

/// The estimates at `x`, which is at one level and shown to the network as at another, with each of `labels`, from one
/// evaluation.
fn evaluate(
    model: &Pretrained,
    x: &Tensor<4>,
    (at, shown): (Level, Level),
    labels: &[Rows],
) -> Vec<Estimate<Tensor<4>>> {
    if labels.is_empty() {
        return Vec::new();
    }
    let [images, channels, ..] = x.dims();
    let batch = Tensor::cat(vec![x.clone(); labels.len()], 0);
    let classes: Option<Vec<_>> = labels.iter().cloned().collect();
    let classes = classes.map(|classes| classes.concat());
    let output = model.output(batch, &vec![shown; images * labels.len()], classes.as_deref());
    let [_, outputs, ..] = output.dims();
    let estimate = |k: usize| {
        let output = output.clone().narrow(0, k * images, images);
        let x0 = model.prediction.to_x0(x, &output.clone().narrow(1, 0, channels), at);
        // A learned variance follows the prediction in further channels.
        let variance = (outputs > channels).then(|| output.narrow(1, channels, channels));
        Estimate { variance, ..Estimate::of_x0(x, x0, at) }
    };
    (0..labels.len()).map(estimate).collect()
}

/// A [`Denoiser`] of a batch of pictures: labels, guidance and clipping wrapped around a network.
///
/// What is clipped is the estimate of `x_0` after guidance, and the noise beside it is made to agree with it; but CFG++,
/// which is about the noise, and diffusers' DDIM keep the model's own.
pub struct NetworkDenoiser<'a>(Box<dyn Denoiser<Tensor<4>> + 'a>);

impl<'a> NetworkDenoiser<'a> {
    /// `model` with `labels`, one an image, and guidance; a bare number is the scale of plain guidance. Guidance acts
    /// only where the labels are not "no label".
    ///
    /// # Panics
    /// As [`NetworkBranches::new`].
    pub fn new(model: &'a Pretrained, labels: &[Option<usize>], guidance: impl Into<Guidance>) -> Self {
        NetworkBranches::new(model, labels).guided(guidance)
    }

    fn clipped(model: impl Denoiser<Tensor<4>> + 'a, guidance: Guidance, clip: Option<(Clip, bool)>) -> Self {
        let implied = guidance.kind != GuidanceKind::CfgPlusPlus;
        match clip {
            Some((clip, raw)) => {
                let use_clipped_model_output = implied && !raw;
                Self(Box::new(Clipped { model, clip, use_clipped_model_output }))
            }
            None => Self(Box::new(model)),
        }
    }
}

impl Denoiser<Tensor<4>> for NetworkDenoiser<'_> {
    /// `x` has as many images as there are labels.
    fn denoise(&self, x: &Tensor<4>, at: Level) -> Tensor<4> {
        self.0.denoise(x, at)
    }

    fn estimate(&self, x: &Tensor<4>, at: Level) -> Estimate<Tensor<4>>
    where
        Tensor<4>: Latent,
    {
        self.0.estimate(x, at)
    }
}
