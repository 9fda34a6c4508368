//! Networks whose input, time and output are scaled by the noise level, beyond what a prediction says.

use super::scheduler_config::{ConfigError, Keys, strict};
use serde_json::{Map, Value};

/// How a network `F` states its estimate `x_0 = c_skip x + c_out F(c_in x + c_shift; t)` of a variance-exploding process.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scalings {
    /// EDM's preconditioning (Karras et al. 2022, arXiv 2206.00364, section 5) for data of this standard deviation, and
    /// diffusers' turn of its sign for networks that predict `v`.
    Edm { data: f64, velocity: bool },
    /// Consistency models (Song et al. 2023, arXiv 2303.01469, appendix C), which leave a point at the least noise as it is.
    Consistency { data: f64, least: f64 },
    /// diffusers' `KarrasVePipeline`, whose network is a score of pictures of 0 to 1 (Karras et al. 2022, appendix C).
    KarrasVe,
}

/// The scalings at a level.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scaled {
    pub input: f64,
    pub shift: f64,
    /// The time that the network is given.
    pub t: f64,
    pub skip: f64,
    pub output: f64,
}

impl Scalings {
    /// Those that the scheduler of this `scheduler_config.json` makes, if any.
    ///
    /// # Errors
    /// Text that is no JSON object, a key with a value of the wrong kind.
    pub fn of(scheduler_config: &str) -> Result<Option<Self>, ConfigError> {
        let config: Map<String, Value> =
            serde_json::from_str(&strict(scheduler_config)).map_err(|e| ConfigError::NotJson(e.to_string()))?;
        let keys = Keys(&config);
        let number = |key, otherwise| keys.number(key).map(|v| v.unwrap_or(otherwise));
        let class = keys.text("_class_name")?.unwrap_or_default();
        Ok(match class {
            "KarrasVeScheduler" => Some(Self::KarrasVe),
            "CMStochasticIterativeScheduler" => {
                Some(Self::Consistency { data: number("sigma_data", 0.5)?, least: number("sigma_min", 0.002)? })
            }
            class if class.starts_with("EDM") => {
                let velocity = keys.text("prediction_type")? == Some("v_prediction");
                Some(Self::Edm { data: number("sigma_data", 0.5)?, velocity })
            }
            _ => None,
        })
    }

    /// At a noise level `sigma` above 0.
    pub fn at(self, sigma: f64) -> Scaled {
        // Where nothing is left to tell from the data, the logarithm is still a number.
        let log = sigma.max(f64::MIN_POSITIVE).ln();
        match self {
            Self::Edm { data, velocity } => {
                let norm = sigma.hypot(data);
                let output = sigma * data / norm;
                let output = if velocity { -output } else { output };
                Scaled { input: 1.0 / norm, shift: 0.0, t: 0.25 * log, skip: (data / norm).powi(2), output }
            }
            Self::Consistency { data, least } => {
                let (norm, above) = (sigma.hypot(data), sigma - least);
                let skip = (data / above.hypot(data)).powi(2);
                Scaled { input: 1.0 / norm, shift: 0.0, t: 250.0 * log, skip, output: above * data / norm }
            }
            Self::KarrasVe => Scaled { input: 0.5, shift: 0.5, t: sigma / 2.0, skip: 1.0, output: sigma * sigma / 2.0 },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_the_least_noise_a_consistency_model_changes_nothing() {
        let config = r#"{"_class_name": "CMStochasticIterativeScheduler", "sigma_min": 0.01}"#;
        let scalings = Scalings::of(config).unwrap().unwrap();
        let Scaled { skip, output, t, .. } = scalings.at(0.01);
        assert_eq!((skip, output, t), (1.0, 0.0, 250.0 * 0.01_f64.ln()));
        // Far from it, EDM's are the same: the square of a unit input and of a unit output add up to the data's.
        let edm = Scalings::of(r#"{"_class_name": "EDMEulerScheduler"}"#).unwrap().unwrap().at(3.0);
        assert!((edm.skip.powi(2) * (9.0 + 0.25) + edm.output.powi(2) - 0.25).abs() < 1e-12, "{edm:?}");
        assert_eq!(Scalings::of(r#"{"_class_name": "DDIMScheduler"}"#), Ok(None));
    }

    /// diffusers' `precondition_inputs`, `precondition_noise` and `precondition_outputs` of a class with `sigma_data` 0.7, at a
    /// noise level of 3.
    #[test]
    fn those_of_edm_are_diffusers() {
        for (prediction, output) in [("epsilon", 0.6816888468192551), ("v_prediction", -0.6816888468192551)] {
            let config = format!(
                r#"{{"_class_name": "EDMEulerScheduler", "prediction_type": "{prediction}", "sigma_data": 0.7}}"#
            );
            let at = Scalings::of(&config).unwrap().unwrap().at(3.0);
            let expected = [0.3246137365805977, 0.0, 0.27465307216702745, 0.05163329820864067, output];
            for (got, expected) in [at.input, at.shift, at.t, at.skip, at.output].iter().zip(expected) {
                assert!((got - expected).abs() < 1e-14, "{prediction}: {got} is not {expected}");
            }
        }
    }
}
