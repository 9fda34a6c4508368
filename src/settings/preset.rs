//! What a model starts with: the values that stand where nobody says another one.

use super::problem::one_of;
use super::{Problem, Settings};
use serde_json::Value;
use std::collections::BTreeMap;

/// Values by the keys of a link, as a model's card has them: `{"sampler": "euler", "steps": 4}`.
pub type Defaults = BTreeMap<String, Value>;

impl Settings {
    /// The settings that a model with these defaults starts with.
    ///
    /// # Errors
    /// A key that no link has or that is not for a model to say, or a value that its key does not take.
    pub fn preset(defaults: &Defaults) -> Result<Self, Problem> {
        let mut settings = Self::default();
        for (key, value) in defaults {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            if key == "model" {
                let reason = one_of(Self::keys().into_iter().filter(|key| *key != "model"));
                return Err(Problem { key: "the key of a default".to_owned(), value: key.clone(), reason });
            }
            settings.set_pair(&format!("{key}={text}"))?;
        }
        settings.fitted()
    }

    /// Reads a share link as [`from_link`](Self::from_link) does, for a model that starts with `preset`, which stands
    /// where the link is silent. A link with every key of [`ALWAYS`](Self::ALWAYS) is a whole one, and no default of a
    /// model changes what it shows.
    pub fn from_link_to(preset: &Self, link: &str) -> (Self, Vec<Problem>) {
        let pairs = super::pairs_of(link);
        let says = |key: &str| pairs.iter().any(|(said, _)| *said == key);
        let whole = Self::ALWAYS.into_iter().all(says);
        let mut settings = if whole { Self::default() } else { preset.clone() };
        let mut problems: Vec<_> = pairs.iter().filter_map(|(key, value)| settings.set(key, value).err()).collect();
        if settings.sampler != preset.sampler {
            // What the preset turns on its own sampler means nothing on another.
            settings.knobs.retain(|id, _| says(id));
        }
        problems.extend(settings.fit());
        (settings, problems)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn defaults(value: Value) -> Defaults {
        serde_json::from_value(value).unwrap()
    }

    fn score() -> Settings {
        Settings::preset(&defaults(json!({"sampler": "predictor-corrector", "steps": "50", "snr": 0.1}))).unwrap()
    }

    #[test]
    fn defaults_stand_where_a_link_is_silent() {
        let (settings, problems) = Settings::from_link_to(&score(), "#model=mnist-score&seed=3");
        assert_eq!((settings.sampler.as_str(), settings.steps, settings.seed), ("predictor-corrector", 50, 3));
        assert_eq!((settings.model.as_str(), settings.knobs["snr"]), ("mnist-score", 0.1));
        assert_eq!(problems, []);
        let (settings, _) = Settings::from_link_to(&score(), "#steps=7&snr=0.2");
        assert_eq!((settings.steps, settings.knobs["snr"]), (7, 0.2));
    }

    #[test]
    fn a_whole_link_is_read_as_if_there_were_none() {
        let link = Settings::default().to_link();
        assert_eq!(Settings::from_link_to(&score(), &link), (Settings::default(), vec![]));
        let link = Settings { knobs: BTreeMap::new(), ..score() }.to_link();
        assert_eq!(Settings::from_link_to(&score(), &link).0.knobs, BTreeMap::new());
    }

    #[test]
    fn a_turned_knob_stays_with_its_sampler() {
        let (settings, _) = Settings::from_link_to(&score(), "#sampler=heun&churn=5");
        assert_eq!((settings.steps, settings.knobs), (50, BTreeMap::from([("churn", 5.0)])));
    }

    #[test]
    fn defaults_that_no_link_could_have_are_named() {
        for (value, said) in [
            (json!({"steps": 0}), "steps must be a number from 1 to 1000, got \"0\""),
            (json!({"sampler": "magic"}), "sampler must be one of "),
            (json!({"stesp": 4}), "the key of a setting must be one of "),
            (json!({"model": "mnist"}), "the key of a default must be one of sampler, "),
            (json!({"guidance": [2]}), "guidance must be a number from 0 to 20, got \"[2]\""),
            (json!({"sampler": "deis", "order": 9}), "order must be a number from "),
        ] {
            let problem = Settings::preset(&defaults(value.clone())).unwrap_err().to_string();
            assert!(problem.starts_with(said), "{value}: {problem}");
        }
    }
}
