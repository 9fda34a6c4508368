//! Settings that a person has named and that change nothing in the run: a command line refuses them.

use super::problem::{Problem, Reason};
use super::{Facts, Guide, Linked, Settings, Source};

impl Settings {
    /// The first of these keys whose value changes nothing, on a model with these facts. `guided` is whether something beside
    /// the model's own labels guides it.
    pub fn idle<'a>(
        &self,
        keys: impl IntoIterator<Item = &'a str>,
        facts: Option<Facts>,
        guided: bool,
    ) -> Option<Problem> {
        let problem = |key: &str| {
            let why = self.why_idle(key, facts, guided)?;
            Some(Problem::new(key, self.value(&super::Page::default(), key)?, Reason::Idle { why }))
        };
        keys.into_iter().find_map(problem)
    }

    fn why_idle(&self, key: &str, facts: Option<Facts>, guided: bool) -> Option<&'static str> {
        let method = self.method::<f64>().ok()?;
        let tuning = self.tuning(&method);
        // Neither labels nor texts to guide towards.
        let plain = facts.is_some_and(|facts| facts.classes == 0 && !facts.text);
        let unguided = self.guidance == 1.0 || plain && !guided;
        match key {
            "steps" if method.on_grid().is_none() => Some("the sampler chooses its own steps"),
            "guidance" if plain && !guided && self.guidance != 1.0 => Some("the model has no classes to guide by"),
            "guide" if plain => Some("the model has no classes to guide by"),
            "rescale" | "guidance-min" | "guidance-max" if unguided => Some("there is no guidance"),
            "perp-weight" if !matches!(self.guide, Guide::Perpendicular(_)) => Some("guide is not perp- with a class"),
            "blend-prompt" | "blend-class" if self.blend == 0.0 => Some("blend is 0"),
            "variation-seed" if self.variation == 0.0 => Some("variation is 0"),
            "noise" if self.noise != Source::Stream && !method.stochastic_with(&tuning) => {
                Some("the sampler draws no noise")
            }
            _ => {
                let needed = method.knob(key)?.needs?;
                let off = method.knob(needed).is_some_and(|other| tuning.get(other) <= 0.0);
                off.then_some("the parameter that it belongs to is 0")
            }
        }
    }
}
