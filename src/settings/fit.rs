//! The rules of fit: which settings a sampler, a schedule or a model has no place for. The page makes settings fit and
//! says what it changed; the command line refuses.

use super::link::Linked;
use super::preset::Listed;
use super::problem::{Problem, Reason, one_of};
use super::value::Value;
use super::{Class, Clip, Guide, Origin, Page, Settings, Start, Weighting, size};
use crate::samplers::{Knob, Method, methods};

/// What the rules must know of a loaded model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "link", derive(serde::Deserialize))]
pub struct Facts {
    /// Number of classes, 0 for a model without.
    pub classes: usize,
    /// The label that stands for no label.
    pub null_class: Option<usize>,
    /// Whether it reads texts.
    pub text: bool,
    /// Whether it draws latents.
    pub latent: bool,
    /// The least side of its pictures and what their sides are multiples of; `None` where they have one size alone.
    pub sizes: Option<[usize; 2]>,
}

impl Facts {
    /// Whether the model has an output without a label, which guidance needs.
    pub fn has_unlabelled(self) -> bool {
        self.classes == 0 || self.null_class.is_some()
    }
}

impl Settings {
    /// Makes the settings fit the models that there are, of which none may be known, and the loaded one. Each change is
    /// named.
    pub fn fit(&mut self, models: &[Listed], facts: Option<Facts>) -> Vec<Problem> {
        let mut problems = self.fit_model(models);
        problems.extend(self.fit_sampler());
        self.fit_schedule();
        self.fit_start();
        if let Some(model) = models.iter().find(|model| model.id == self.model) {
            problems.extend(self.fit_classifier(model.classifier));
            if facts.is_none() {
                problems.extend(model.text.into_iter().flat_map(|text| self.fit_text(text)));
            }
        }
        if let Some(facts) = facts {
            problems.extend(self.fit_text(facts.text));
            problems.extend(self.fit_classes(facts));
            problems.extend(self.fit_latents(facts.latent));
            problems.extend(self.fit_size(facts.sizes));
        }
        problems.extend(self.fit_path(facts));
        problems
    }

    /// The settings, if they fit a model with these facts.
    ///
    /// # Errors
    /// The first thing that does not.
    pub fn fitted(mut self, facts: Option<Facts>) -> Result<Self, Problem> {
        self.fit(&[], facts).into_iter().next().map_or(Ok(self), Err)
    }

    /// A model that there is. One of a hub or of a person's own is nowhere listed.
    pub fn fit_model(&mut self, models: &[Listed]) -> Vec<Problem> {
        if Origin::of(&self.model) != Origin::Folder {
            return Vec::new();
        }
        let there = |id: &str| models.iter().any(|model| model.id == id);
        let Some(first) = models.first().filter(|_| !there(&self.model)) else { return Vec::new() };
        let preferred = Self::default().model;
        let used = if there(&preferred) { preferred.clone() } else { first.id.clone() };
        let missing = std::mem::replace(&mut self.model, used);
        // The page's own first choice may be missing from a site; that is no fault of a link.
        if missing == preferred {
            return Vec::new();
        }
        let reason = one_of(&missing, models.iter().map(|model| model.id.as_str()));
        vec![self.problem("model", missing, reason)]
    }

    /// Parameters that the sampler has, within their ranges, and guidance that it can follow.
    pub fn fit_sampler(&mut self) -> Vec<Problem> {
        let Ok(method) = self.method::<f64>() else { return Vec::new() };
        let mut problems = Vec::new();
        for (id, value) in self.knobs.clone() {
            let reason = match method.knobs.iter().find(|knob| knob.id == id) {
                Some(knob) => judged(knob, &Value::Number(value)).err(),
                None => Some(no_knob(&method)),
            };
            if let Some(reason) = reason {
                self.knobs.remove(id);
                problems.push(Problem::new(id, value, reason));
            }
        }
        if self.guide == Guide::CfgPlusPlus && !method.cfg_pp {
            self.guide = Guide::Cfg;
            let apart: Vec<_> = methods::<f64>().iter().filter(|m| m.cfg_pp).map(|m| m.name).collect();
            let reason = Reason::NoCfgpp { sampler: method.name, apart: apart.join(", ") };
            problems.push(self.problem("guide", Guide::CfgPlusPlus, reason));
        }
        problems
    }

    /// A guidance on the scale of its kind, which was `before`; plain guidance begins with `plain`.
    pub fn fit_scale(&mut self, before: Guide, plain: f64) -> Option<Problem> {
        let [was, is] = [before, self.guide].map(|guide| guide == Guide::CfgPlusPlus);
        if was == is || Self::CFG_PP.contains(&self.guidance) != was {
            return None;
        }
        let scale = std::mem::replace(&mut self.guidance, if is { Self::CFG_PP_GUIDANCE } else { plain });
        (scale != self.guidance)
            .then(|| self.problem("guidance", scale, if is { Reason::CfgppScale } else { Reason::PlainScale }))
    }

    /// The number of steps that a listed schedule has.
    pub fn fit_schedule(&mut self) {
        if let Some(steps) = self.schedule.steps() {
            self.steps = steps;
        }
    }

    /// A strength speaks of a picture: where there is none, one has to be given.
    pub fn fit_start(&mut self) {
        if self.strength < 1.0 && self.start.is_noise() {
            self.start = Start::Asked;
        }
    }

    /// No guidance by a classifier where there is none.
    pub fn fit_classifier(&mut self, has_classifier: bool) -> Option<Problem> {
        if has_classifier || self.classifier == 0.0 {
            return None;
        }
        let scale = std::mem::replace(&mut self.classifier, 0.0);
        Some(self.problem("classifier", scale, Reason::NoClassifier))
    }

    /// No prompts where nothing reads them.
    pub fn fit_text(&mut self, reads: bool) -> Vec<Problem> {
        let mut problems = Vec::new();
        if reads {
            return problems;
        }
        for (key, text) in [
            ("prompt", std::mem::take(&mut self.prompt)),
            ("negative", std::mem::take(&mut self.negative)),
            ("blend-prompt", std::mem::take(&mut self.blend_prompt)),
        ] {
            if !text.is_empty() {
                problems.push(self.problem(key, text, Reason::NoText));
            }
        }
        if self.weighting != Weighting::None {
            let weighting = std::mem::replace(&mut self.weighting, Weighting::None);
            problems.push(self.problem("weighting", super::table::name(&Weighting::ALL, &weighting), Reason::NoText));
        }
        if self.guide == Guide::Perpendicular(None) {
            self.guide = Guide::Cfg;
            problems.push(self.problem("guide", Guide::Perpendicular(None), Reason::NoText));
        }
        problems
    }

    /// No bound of pictures on latents.
    pub fn fit_latents(&mut self, latent: bool) -> Option<Problem> {
        let of_pictures = matches!(self.clip, Clip::Range | Clip::Dynamic);
        if !latent || !of_pictures {
            return None;
        }
        let clip = std::mem::replace(&mut self.clip, Clip::Model);
        Some(self.problem("clip", super::table::name(&Clip::ALL, &clip), Reason::LatentClip))
    }

    /// Pictures of a size that the model draws: the nearest one.
    pub fn fit_size(&mut self, sizes: Option<[usize; 2]>) -> Option<Problem> {
        let asked = self.size?;
        let (size, reason) = match sizes {
            None => (None, Reason::OneSize),
            Some(sizes @ [least, multiple]) => {
                let nearest = size::nearest(asked, sizes);
                (Some(nearest), Reason::SizeMultiple { multiple, least, size: size::write(Some(nearest)) })
            }
        };
        self.size = size;
        (size != Some(asked)).then(|| self.problem("size", size::write(Some(asked)), reason))
    }

    /// Classes that the model has, and guidance only where it has an output without a label.
    pub fn fit_classes(&mut self, facts: Facts) -> Vec<Problem> {
        let count = facts.classes;
        let mut problems = Vec::new();
        let misfit = match self.class {
            Class::One(class) => class >= count,
            Class::None => !facts.has_unlabelled(),
            Class::All => false,
        };
        if misfit {
            let class = std::mem::replace(&mut self.class, Class::All);
            problems.push(self.problem("class", class, Reason::Class { count }));
        }
        let unmixed = count == 0 && !facts.text;
        if self.blend > 0.0 && (unmixed || count > 0 && (self.blend_class >= count || self.classifier > 0.0)) {
            let share = std::mem::replace(&mut self.blend, 0.0);
            let reason = match self.blend_class >= count {
                _ if unmixed => Reason::NoBlend,
                true => Reason::Class { count },
                false => Reason::BlendClassifier,
            };
            let (key, value) = if reason == (Reason::Class { count }) {
                ("blend-class", self.blend_class as f64)
            } else {
                ("blend", share)
            };
            problems.push(self.problem(key, value, reason));
        }
        if let Guide::Perpendicular(Some(class)) = self.guide
            && class >= count
        {
            let guide = std::mem::replace(&mut self.guide, Guide::Cfg);
            let reason = if facts.text { Reason::NoClasses } else { Reason::Class { count } };
            problems.push(self.problem("guide", guide, reason));
        }
        if !facts.has_unlabelled() {
            if self.guidance != 1.0 {
                let scale = std::mem::replace(&mut self.guidance, 1.0);
                problems.push(self.problem("guidance", scale, Reason::NoGuidance { off: 1.0.into() }));
            }
            if self.guide != Guide::Cfg {
                let guide = std::mem::replace(&mut self.guide, Guide::Cfg);
                problems.push(self.problem("guide", guide, Reason::NoGuidance { off: "cfg".into() }));
            }
        }
        problems
    }

    /// A problem with the value of a key, which is already mended.
    fn problem(&self, key: &str, value: impl std::fmt::Display, reason: Reason) -> Problem {
        Problem { used: self.value(&Page::default(), key), ..Problem::new(key, value, reason) }
    }
}

/// Why a sampler does not take a parameter of another.
pub(super) fn no_knob<X>(method: &Method<X>) -> Reason {
    Reason::NoKnob { sampler: method.name, known: method.knobs.iter().map(|knob| knob.id).collect() }
}

/// The number that a parameter takes.
///
/// # Errors
/// It is outside of its range, or no whole number where it takes whole ones.
pub(super) fn judged(knob: &Knob, value: &Value) -> Result<f64, Reason> {
    if knob.whole {
        return value.whole(knob.min as i64..=knob.max as i64).map(|number| number as f64);
    }
    value.number(knob.range())
}

/// The parameter of a method with this key, which may be the one that old links use.
pub(super) fn knob<X>(method: &Method<X>, key: &str) -> Option<&'static Knob> {
    let by_id = method.knobs.iter().find(|knob| knob.id == key);
    by_id.or_else(|| method.knobs.iter().find(|knob| knob.formerly == Some(key)))
}
