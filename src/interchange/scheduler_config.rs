//! Reading diffusers' `scheduler_config.json`: what a network was trained on and what it predicts.

use crate::denoise::Prediction;
use crate::math::{Discrete, Flow, NoiseSchedule, Schedule, ScheduleError, Ve};
use serde_json::{Map, Value};
use thiserror::Error;

/// Why a scheduler config cannot be used.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum ConfigError {
    #[error("the scheduler config is not a JSON object: {0}")]
    NotJson(String),
    #[error("the scheduler config has no `{key}`, so its noise schedule is not known")]
    Missing { key: &'static str },
    #[error("`{key}` of the scheduler config should be {expected}, but it is {got}")]
    Kind { key: &'static str, expected: &'static str, got: String },
    #[error("`{key}` of the scheduler config is {value}, which cannot be honoured: {known}")]
    Unsupported { key: &'static str, value: String, known: &'static str },
    #[error("networks of a {class} are not known here: {why}")]
    Class { class: String, why: &'static str },
    #[error(transparent)]
    Schedule(#[from] ScheduleError),
}

impl Schedule {
    /// Reads the text of a diffusers `scheduler_config.json`: the forward process that the network was trained on and
    /// what the network predicts. Keys about how to sample (`timestep_spacing`, `clip_sample`, ..) are not read here.
    ///
    /// # Errors
    /// Text that is not a JSON object; a key with a value of the wrong kind; a process or a treatment of the prediction
    /// that cannot be honoured, by key.
    pub fn from_scheduler_config(json: &str) -> Result<(Schedule, Prediction), ConfigError> {
        let config: Map<String, Value> =
            serde_json::from_str(&strict(json)).map_err(|error| ConfigError::NotJson(error.to_string()))?;
        let keys = Keys(&config);
        match keys.text("_class_name")? {
            Some("ScoreSdeVeScheduler") => {
                return Ok((Schedule::Ve(keys.variance_exploding()?), Prediction::Score));
            }
            // Their networks are scaled, see `Scalings`, so that what they state is x_0.
            Some(class) if SCALED.iter().any(|prefix| class.starts_with(prefix)) => {
                // KarrasVe's are the squares of what it calls the noise.
                let squared = class.starts_with("KarrasVe");
                let Ve { sigma_min, sigma_max } =
                    keys.exploding(if squared { [0.02, 100.0] } else { [0.002, 80.0] })?;
                let of = |sigma: f64| if squared { sigma * sigma } else { sigma };
                let process = Ve { sigma_min: of(sigma_min), sigma_max: of(sigma_max) };
                return Ok((Schedule::Ve(process), Prediction::Sample));
            }
            Some(class) if class.starts_with("FlowMatch") => {
                return Ok((Schedule::Flow(keys.flow()?), Prediction::Flow));
            }
            Some(class) => {
                let other = OTHER_PROCESSES.iter().find(|(prefix, _)| class.starts_with(prefix));
                if let Some((_, why)) = other {
                    return Err(ConfigError::Class { class: class.to_owned(), why });
                }
            }
            None => {}
        }
        keys.refuse("use_flow_sigmas", "a flow is read from the config of a FlowMatch scheduler")?;
        let (schedule, prediction) = (keys.discrete()?, keys.prediction()?);
        let of_noise = matches!(prediction, Prediction::Epsilon | Prediction::Score);
        if of_noise && schedule.level(schedule.t_max()).alpha == 0.0 {
            let known = "from pure noise only a prediction of sample or v_prediction leads to a picture";
            return Err(keys.unsupported("rescale_betas_zero_snr", known));
        }
        Ok((Schedule::Discrete(schedule), prediction))
    }
}

/// Beginnings of the names of classes whose networks are scaled.
const SCALED: [&str; 3] = ["EDM", "CMStochastic", "KarrasVe"];

/// Beginnings of the names of classes whose networks are trained on a process that no network here has.
const OTHER_PROCESSES: &[(&str, &str)] = &[
    ("ScoreSdeVp", "their times are those of a continuous process"),
    ("IPNDM", "their process is that of an angle, and from pure noise their scheduler divides by nothing"),
    ("VQDiffusion", "they predict classes of tokens"),
    ("Cosine", "they are Würstchen's, whose time has no table"),
    ("DDPMWuerstchen", "they are Würstchen's, whose time has no table"),
];

/// The JSON of what Python's `json` wrote, which has bare words for numbers that JSON does not have: the infinities become
/// the largest numbers, and NaN `null`.
pub(crate) fn strict(json: &str) -> String {
    let (mut out, mut quoted) = (String::with_capacity(json.len()), false);
    for (i, piece) in json.replace("\\\\", "\u{0}").replace("\\\"", "\u{1}").split('"').enumerate() {
        if i > 0 {
            out.push('"');
            quoted = !quoted;
        }
        match quoted {
            true => out.push_str(piece),
            false => out.push_str(&piece.replace("Infinity", "1.7976931348623157e308").replace("NaN", "null")),
        }
    }
    out.replace('\u{1}', "\\\"").replace('\u{0}', "\\\\")
}

/// The values of a config by key. An absent key and a `null` are the same.
pub(crate) struct Keys<'a>(pub(crate) &'a Map<String, Value>);

impl<'a> Keys<'a> {
    pub(crate) fn get(&self, key: &str) -> Option<&'a Value> {
        self.0.get(key).filter(|value| !value.is_null())
    }

    pub(crate) fn number(&self, key: &'static str) -> Result<Option<f64>, ConfigError> {
        self.typed(key, "a number", Value::as_f64)
    }

    pub(crate) fn count(&self, key: &'static str) -> Result<Option<usize>, ConfigError> {
        self.typed(key, "a whole number", |value| usize::try_from(value.as_u64()?).ok())
    }

    pub(crate) fn flag(&self, key: &'static str) -> Result<Option<bool>, ConfigError> {
        self.typed(key, "true or false", Value::as_bool)
    }

    pub(crate) fn text(&self, key: &'static str) -> Result<Option<&'a str>, ConfigError> {
        self.typed(key, "a text", Value::as_str)
    }

    pub(crate) fn numbers(&self, key: &'static str) -> Result<Option<Vec<f64>>, ConfigError> {
        self.typed(key, "a list of numbers", |value| value.as_array()?.iter().map(Value::as_f64).collect())
    }

    fn typed<T>(
        &self,
        key: &'static str,
        expected: &'static str,
        read: impl Fn(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, ConfigError> {
        let wrong = |value: &Value| ConfigError::Kind { key, expected, got: value.to_string() };
        self.get(key).map(|value| read(value).ok_or_else(|| wrong(value))).transpose()
    }

    pub(crate) fn unsupported(&self, key: &'static str, known: &'static str) -> ConfigError {
        let value = self.get(key).unwrap_or(&Value::Null).to_string();
        ConfigError::Unsupported { key, value, known }
    }

    /// An error if the flag `key` is set.
    pub(crate) fn refuse(&self, key: &'static str, why: &'static str) -> Result<(), ConfigError> {
        if self.flag(key)? == Some(true) { Err(self.unsupported(key, why)) } else { Ok(()) }
    }

    fn needed<T>(key: &'static str, value: Option<T>) -> Result<T, ConfigError> {
        value.ok_or(ConfigError::Missing { key })
    }

    pub(crate) fn timesteps(&self) -> Result<usize, ConfigError> {
        Self::needed("num_train_timesteps", self.count("num_train_timesteps")?)
    }

    /// The variance-preserving process that the config describes.
    pub(crate) fn discrete(&self) -> Result<Discrete, ConfigError> {
        let schedule = self.betas()?;
        let stretch = self.flag("rescale_betas_zero_snr")? == Some(true);
        Ok(if stretch { schedule.to_zero_terminal_snr() } else { schedule })
    }

    fn betas(&self) -> Result<Discrete, ConfigError> {
        let timesteps = self.timesteps()?;
        if let Some(betas) = self.numbers("trained_betas")? {
            if betas.len() != timesteps {
                return Err(self.unsupported("num_train_timesteps", "`trained_betas` has another length"));
            }
            return Ok(Discrete::from_betas(&betas)?);
        }
        let ends = || {
            let start = Self::needed("beta_start", self.number("beta_start")?)?;
            let end = Self::needed("beta_end", self.number("beta_end")?)?;
            Ok::<_, ConfigError>((start, end))
        };
        Ok(match Self::needed("beta_schedule", self.text("beta_schedule")?)? {
            "linear" => ends().map(|(start, end)| Discrete::linear(start, end, timesteps))??,
            "scaled_linear" => ends().map(|(start, end)| Discrete::scaled_linear(start, end, timesteps))??,
            "sigmoid" => ends().map(|(start, end)| Discrete::sigmoid(start, end, timesteps))??,
            "squaredcos_cap_v2" => Discrete::cosine(timesteps)?,
            "exp" => Discrete::exponential(timesteps)?,
            _ => {
                let known = "known are linear, scaled_linear, sigmoid, squaredcos_cap_v2 and exp";
                return Err(self.unsupported("beta_schedule", known));
            }
        })
    }

    /// The variance-exploding process that the config of a `ScoreSdeVeScheduler` describes.
    pub(crate) fn variance_exploding(&self) -> Result<Ve, ConfigError> {
        self.exploding([0.01, 1348.0])
    }

    /// One whose least and most noise are these where nothing else is said.
    fn exploding(&self, otherwise: [f64; 2]) -> Result<Ve, ConfigError> {
        let sigma_min = self.number("sigma_min")?.unwrap_or(otherwise[0]);
        let sigma_max = self.number("sigma_max")?.unwrap_or(otherwise[1]);
        if sigma_min <= 0.0 {
            return Err(self.unsupported("sigma_min", "the least noise is above 0"));
        }
        if sigma_max <= sigma_min {
            return Err(self.unsupported("sigma_max", "the most noise is above `sigma_min`"));
        }
        Ok(Ve { sigma_min, sigma_max })
    }

    fn flow(&self) -> Result<Flow, ConfigError> {
        self.refuse("use_dynamic_shifting", "a shift by the size of pictures is known for no network here")?;
        Ok(Flow { t_max: self.timesteps()? as f64 })
    }

    fn prediction(&self) -> Result<Prediction, ConfigError> {
        let Some(value) = self.get("prediction_type") else {
            // Configs from before diffusers 0.4 say it with a flag, or not at all.
            let sample = self.flag("predict_epsilon")? == Some(false);
            return Ok(if sample { Prediction::Sample } else { Prediction::Epsilon });
        };
        serde_json::from_value(value.clone()).map_err(|_| {
            let known = "known are epsilon, sample, v_prediction, flow_prediction and score";
            self.unsupported("prediction_type", known)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(change: Value) -> Result<(Schedule, Prediction), ConfigError> {
        let mut config = json!({"_class_name": "DDPMScheduler", "beta_schedule": "linear", "beta_start": 0.0001,
            "beta_end": 0.02, "num_train_timesteps": 1000, "prediction_type": "epsilon", "clip_sample": true});
        for (key, value) in change.as_object().unwrap() {
            config[key] = value.clone();
        }
        Schedule::from_scheduler_config(&config.to_string())
    }

    #[test]
    fn a_config_gives_the_process_and_the_prediction() {
        let linear = Schedule::Discrete(Discrete::linear(1e-4, 0.02, 1000).unwrap());
        assert_eq!(read(json!({})), Ok((linear.clone(), Prediction::Epsilon)));
        assert_eq!(read(json!({"prediction_type": null})), Ok((linear.clone(), Prediction::Epsilon)));
        let old = json!({"prediction_type": null, "predict_epsilon": false});
        assert_eq!(read(old), Ok((linear.clone(), Prediction::Sample)));
        assert_eq!(read(json!({"prediction_type": "v_prediction"})), Ok((linear, Prediction::Velocity)));
        let cosine = Schedule::Discrete(Discrete::cosine(100).unwrap());
        let config = json!({"beta_schedule": "squaredcos_cap_v2", "num_train_timesteps": 100});
        assert_eq!(read(config), Ok((cosine, Prediction::Epsilon)));
        let trained = Schedule::Discrete(Discrete::from_betas(&[0.1, 0.2]).unwrap());
        let config = json!({"trained_betas": [0.1, 0.2], "num_train_timesteps": 2});
        assert_eq!(read(config), Ok((trained, Prediction::Epsilon)));
        let flow = Schedule::Flow(Flow { t_max: 1000.0 });
        assert_eq!(
            read(json!({"_class_name": "FlowMatchEulerDiscreteScheduler", "shift": 1.0})),
            Ok((flow, Prediction::Flow))
        );
        let ve = |sigma_max| (Schedule::Ve(Ve { sigma_min: 0.01, sigma_max }), Prediction::Score);
        assert_eq!(read(json!({"_class_name": "ScoreSdeVeScheduler", "sigma_max": 50.0})), Ok(ve(50.0)));
        assert_eq!(read(json!({"_class_name": "ScoreSdeVeScheduler"})), Ok(ve(1348.0)));
        let scaled = |sigma_min, sigma_max| (Schedule::Ve(Ve { sigma_min, sigma_max }), Prediction::Sample);
        assert_eq!(read(json!({"_class_name": "CMStochasticIterativeScheduler"})), Ok(scaled(0.002, 80.0)));
        assert_eq!(read(json!({"_class_name": "KarrasVeScheduler", "sigma_min": 0.5})), Ok(scaled(0.25, 1e4)));
        let (stretched, _) = read(json!({"rescale_betas_zero_snr": true, "prediction_type": "v_prediction"})).unwrap();
        assert_eq!(stretched.level(999.0).alpha, 0.0);
    }

    #[test]
    fn what_python_writes_is_read() {
        let text = r#"{"a": -Infinity, "b": [NaN, Infinity], "NaN": "\"Infinity\\", "c": NaN}"#;
        let read: Value = serde_json::from_str(&strict(text)).unwrap();
        let most = f64::MAX;
        assert_eq!(read, json!({"a": -most, "b": [null, most], "NaN": "\"Infinity\\", "c": null}));
        let multistep = r#"{"beta_schedule": "linear", "beta_start": 0.1, "beta_end": 0.2, "num_train_timesteps": 9,
            "lambda_min_clipped": -Infinity}"#;
        assert!(Schedule::from_scheduler_config(multistep).is_ok());
    }

    #[test]
    fn what_cannot_be_honoured_is_refused_by_its_key() {
        for (change, key) in [
            (json!({"beta_schedule": "tanh"}), "beta_schedule"),
            (json!({"beta_schedule": null}), "beta_schedule"),
            (json!({"beta_start": "small"}), "beta_start"),
            (json!({"beta_end": null}), "beta_end"),
            (json!({"num_train_timesteps": -5}), "num_train_timesteps"),
            (json!({"num_train_timesteps": 10.5}), "num_train_timesteps"),
            (json!({"trained_betas": [0.1, 0.2]}), "num_train_timesteps"),
            (json!({"trained_betas": "none"}), "trained_betas"),
            (json!({"prediction_type": "noise"}), "prediction_type"),
            (json!({"prediction_type": 3}), "prediction_type"),
            (json!({"use_flow_sigmas": true}), "use_flow_sigmas"),
            (json!({"rescale_betas_zero_snr": true}), "rescale_betas_zero_snr"),
            (
                json!({"_class_name": "FlowMatchEulerDiscreteScheduler", "use_dynamic_shifting": true}),
                "use_dynamic_shifting",
            ),
            (json!({"_class_name": "ScoreSdeVeScheduler", "sigma_min": 0.0}), "sigma_min"),
            (json!({"_class_name": "ScoreSdeVeScheduler", "sigma_max": 0.001}), "sigma_max"),
        ] {
            let said = read(change.clone()).expect_err(&change.to_string()).to_string();
            assert!(said.contains(&format!("`{key}`")), "{change}: {said}");
        }
        for class in ["ScoreSdeVpScheduler", "IPNDMScheduler"] {
            let said = read(json!({"_class_name": class})).expect_err(class).to_string();
            assert!(said.contains(class), "{said}");
        }
        assert!(matches!(Schedule::from_scheduler_config("[1]"), Err(ConfigError::NotJson(_))));
        assert!(matches!(Schedule::from_scheduler_config("{"), Err(ConfigError::NotJson(_))));
    }
}
