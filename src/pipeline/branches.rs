//! A trained network as the samplers see it.

use super::{Condition, Conditioning, Conditions, Pipeline};
use crate::backend;
use crate::denoise::{
    Branch, Branches, Classifier, ClassifierGuided, Clip, Clipped, Denoiser, Estimate, Guidance, GuidanceKind, Guided,
    Prediction,
};
use crate::math::{Latent, Level};
use crate::nn::{AttentionMaps, Recorder};
use burn::tensor::Tensor;

/// A network and what the branches of guidance are conditioned on.
///
/// On a graphics card all branches go through the network as one batch of as many times the images; branches with the same
/// condition are evaluated once.
#[derive(Clone)]
pub struct NetworkBranches<'a> {
    model: &'a Pipeline,
    conditions: Conditions,
    /// A worse model with its condition.
    worse: Option<(&'a Pipeline, Condition)>,
    clip: Option<Clip>,
    raw_noise: bool,
    shown: Vec<(Level, Level)>,
    /// What a network that fills holes is given beside each image.
    hole: Option<Tensor<4>>,
    maps: Option<&'a AttentionMaps>,
}

impl<'a> NetworkBranches<'a> {
    /// Estimates are clipped if the model's folder says so. Asking for the unconditional branch of a model that has none
    /// panics.
    pub fn new(model: &'a Pipeline, conditions: Conditions) -> Self {
        let (shown, hole, maps) = (Vec::new(), None, None);
        Self { model, conditions, worse: None, clip: model.clip, raw_noise: false, shown, hole, maps }
    }

    /// With one label an image, `None` for no label. A model without classes ignores the labels.
    ///
    /// # Panics
    /// As [`Pipeline::labelled`].
    pub fn of_labels(model: &'a Pipeline, labels: &[Option<usize>]) -> Self {
        Self::new(model, model.conditions_of_labels(labels, None))
    }

    /// The model of the negative branch, of the same labels or the same text: a version of this one that is smaller or was
    /// trained less (autoguidance).
    #[must_use]
    pub fn with_worse(self, worse: &'a Pipeline) -> Self {
        let condition = match (&worse.conditioning, &self.conditions.conditional) {
            (Conditioning::Text(encoders), Condition::Text { text: Some(prompt), told }) => {
                let [height, width, ..] = told.added.as_ref().map_or([0.0; 6], |added| added.sizes[0]);
                let encode = |prompt: &_| encoders.encode_prompt(prompt, [height as usize, width as usize]);
                match &told.towards {
                    Some((other, share)) => encode(prompt).towards(encode(other), *share),
                    None => encode(prompt),
                }
            }
            (_, condition) => condition.clone(),
        };
        Self { worse: Some((worse, condition)), ..self }
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

    /// Gives a network that fills holes these, one an image, as [`Pipeline::hole`] makes them.
    #[must_use]
    pub fn with_hole(self, hole: Option<Tensor<4>>) -> Self {
        Self { hole, ..self }
    }

    /// Records where the conditional branch looks in its text.
    #[must_use]
    pub fn with_maps(self, maps: Option<&'a AttentionMaps>) -> Self {
        Self { maps, ..self }
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

    fn condition(&self, branch: Branch) -> &Condition {
        let Conditions { conditional, unconditional, negative } = &self.conditions;
        let without = || unconditional.as_ref().expect("a model trained without unlabelled pictures needs a label");
        match branch {
            Branch::Conditional => conditional,
            Branch::Unconditional => without(),
            Branch::Negative => negative.as_ref().unwrap_or_else(without),
        }
    }

    fn is_worse(&self, branch: Branch) -> Option<&(&'a Pipeline, Condition)> {
        self.worse.as_ref().filter(|_| branch == Branch::Negative)
    }
}

impl Branches<Tensor<4>> for NetworkBranches<'_> {
    /// `x` has as many images as there are labels.
    fn branches(&self, x: &Tensor<4>, at: Level, which: &[Branch]) -> Vec<Estimate<Tensor<4>>> {
        let mut conditions = Vec::new();
        for &branch in which.iter().filter(|branch| self.is_worse(**branch).is_none()) {
            let condition = self.condition(branch);
            if !conditions.contains(&condition) {
                conditions.push(condition);
            }
        }
        let shown = self.shown.iter().find(|(from, _)| *from == at).map_or(at, |(_, shown)| *shown);
        let conditional = conditions.iter().position(|condition| **condition == self.conditions.conditional);
        let recorded = self.maps.zip(conditional);
        let estimates = evaluate(self.model, x, self.hole.as_ref(), (at, shown), &conditions, recorded);
        let estimate = |&branch: &Branch| match self.is_worse(branch) {
            Some((worse, condition)) => {
                evaluate(worse, x, self.hole.as_ref(), (at, shown), &[condition], None).remove(0)
            }
            None => {
                let condition = self.condition(branch);
                let place = conditions.iter().position(|other| *other == condition);
                estimates[place.expect("every branch was evaluated")].clone()
            }
        };
        which.iter().map(estimate).collect()
    }

    fn output(&self) -> Prediction {
        self.model.prediction
    }
}

/// The estimates at `x`, which is at one level and shown to the network as at another, under each of these conditions,
/// from one evaluation. `recorded` are the maps of one of the conditions, and which it is.
fn evaluate(
    model: &Pipeline,
    x: &Tensor<4>,
    hole: Option<&Tensor<4>>,
    (at, shown): (Level, Level),
    conditions: &[&Condition],
    recorded: Option<(&AttentionMaps, usize)>,
) -> Vec<Estimate<Tensor<4>>> {
    if conditions.is_empty() {
        return Vec::new();
    }
    let [images, channels, ..] = x.dims();
    let input = Tensor::cat(std::iter::once(x).chain(hole).cloned().collect(), 1);
    let outputs = if backend::one_by_one(&x.device()) {
        // On one core the conditions of a picture together take a twentieth less time than one after the other.
        let together = if backend::ON_CORES { 1 } else { conditions.len() };
        let answer = |i: usize| {
            let (first, image) = (i / images * together, i % images);
            let own: Vec<_> = conditions[first..].iter().take(together).map(|all| all.part(image)).collect();
            let maps = recorded.and_then(|(maps, k)| Some((maps, k.checked_sub(first)?, image)));
            let maps = maps.filter(|(_, k, _)| *k < together);
            batch(model, input.clone().narrow(0, image, 1), shown, &own.iter().collect::<Vec<_>>(), maps)
        };
        let all = backend::on_cores(conditions.len() / together * images, answer);
        let of =
            |k: usize| all[k / together * images..][..images].iter().map(|own| own[k % together].clone()).collect();
        (0..conditions.len()).map(|k| Tensor::cat(of(k), 0)).collect()
    } else {
        batch(model, input, shown, conditions, recorded.map(|(maps, k)| (maps, k, 0)))
    };
    let estimate = |output: Tensor<4>| {
        let [_, outputs, ..] = output.dims();
        let x0 = model.prediction.to_x0(x, &output.clone().narrow(1, 0, channels), at);
        // A learned variance follows the prediction in further channels.
        let variance = (outputs > channels).then(|| output.narrow(1, channels, channels));
        Estimate { variance, ..Estimate::of_x0(x, x0, at) }
    };
    outputs.into_iter().map(estimate).collect()
}

/// What the network answers to a batch under each of these conditions. `recorded` are the maps of one of the conditions, which it
/// is, and the number of the first image.
fn batch(
    model: &Pipeline,
    x: Tensor<4>,
    shown: Level,
    conditions: &[&Condition],
    recorded: Option<(&AttentionMaps, usize, usize)>,
) -> Vec<Tensor<4>> {
    let [images, ..] = x.dims();
    let recorder = recorded.map(|(maps, k, first)| Recorder { maps, rows: k * images..(k + 1) * images, first });
    let batch = Tensor::cat(vec![x; conditions.len()], 0);
    let levels = vec![shown; images * conditions.len()];
    let output = model.output_recorded(batch, &levels, &Condition::joined(conditions, images), recorder.as_ref());
    (0..conditions.len()).map(|k| output.clone().narrow(0, k * images, images)).collect()
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
    /// As [`NetworkBranches::of_labels`].
    pub fn new(model: &'a Pipeline, labels: &[Option<usize>], guidance: impl Into<Guidance>) -> Self {
        NetworkBranches::of_labels(model, labels).guided(guidance)
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
