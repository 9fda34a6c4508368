//! All that follows from the lab's settings alone.

use super::learn_fault;
use crate::denoise::Denoiser;
use crate::lab::classifier::{ClassifierLearner, LearnedClassifier};
use crate::lab::learn::{Learner, Recipe};
use crate::lab::learned::Learned;
use crate::lab::numbers::Race;
use crate::lab::run::{Stage, guided};
use crate::lab::settings::Pane;
use crate::lab::{Autoencoder, Cloud, CloudNoise, Distribution, Plane, Process, Settings};
use crate::settings::Checked;
use crate::web;
use crate::web::fault::{fault, fault_with};
use std::cell::OnceCell;
use wasm_bindgen::JsValue;

/// Points of a sample in the race, at most: it takes hundreds of evaluations for each pane and seed.
const RACERS: usize = 500;

/// The settings, and what they name.
pub struct Scene {
    pub settings: Settings,
    pub distribution: Distribution,
    pub process: Process,
    autoencoder: OnceCell<Autoencoder>,
}

impl Scene {
    /// # Errors
    /// A value that its key does not take.
    pub fn new(given: web::Settings) -> Result<Self, JsValue> {
        let Checked { settings, problems, .. } = Settings::checked(given.pairs());
        if let Some(problem) = problems.first() {
            return Err(fault_with("setting", &problem.to_string(), Some(problem)));
        }
        let process = settings.process().map_err(|e| fault("run", &e))?;
        Ok(Self { distribution: settings.distribution(), settings, process, autoencoder: OnceCell::new() })
    }

    /// Whether a network that was trained here is the one that would be trained there.
    pub fn trains_alike(&self, other: &Self) -> bool {
        let recipes = [&self.settings, &other.settings].map(Recipe::from);
        self.distribution == other.distribution && self.process == other.process && recipes[0] == recipes[1]
    }

    /// The model that is sampled from and drawn: guided where a class is asked for. What was not learned is exact.
    pub fn model<'a>(
        &'a self,
        net: Option<&'a Learned>,
        classifier: Option<&'a LearnedClassifier>,
    ) -> Box<dyn Denoiser<Cloud> + 'a> {
        let Self { settings, distribution, .. } = self;
        let guiding = classifier.zip(settings.class).map(|(classifier, class)| classifier.towards(class));
        match net {
            None => guided(settings, distribution, distribution.mixture().clone(), |asked| asked, guiding),
            Some(net) => {
                guided(settings, distribution, net.conditioned(None), |_| net.conditioned(settings.class), guiding)
            }
        }
    }

    /// Whether a classifier that was trained there serves here.
    pub fn trusts(&self, classifier: &ClassifierLearner) -> bool {
        classifier.is_for(&self.distribution, &self.process, self.settings.train_seed)
    }

    /// A classifier that was not trained yet; none where there is but one class.
    pub fn classifier(&self) -> Result<Option<ClassifierLearner>, JsValue> {
        ClassifierLearner::new(self.distribution.clone(), self.process.clone(), self.settings.train_seed)
            .map_err(learn_fault)
    }

    /// The data that the forward process takes.
    pub fn particles(&self) -> Cloud {
        self.distribution.draw(self.settings.particles, self.settings.seed).x
    }

    /// The autoencoder of the data, made when it is first needed.
    pub fn autoencoder(&self) -> &Autoencoder {
        self.autoencoder.get_or_init(|| Autoencoder::new(&self.distribution, self.settings.latent_std))
    }

    /// What samples are to look like: the data, or the class that is asked for.
    pub fn wanted(&self) -> Distribution {
        let alone = self.settings.class.and_then(|class| self.distribution.alone(class));
        alone.unwrap_or_else(|| self.distribution.clone())
    }

    /// How samples are compared with what they are to look like.
    pub fn race<'a>(&self, wanted: &'a Distribution) -> Race<'a> {
        Race { wanted, points: self.settings.particles.min(RACERS), seed: self.settings.seed }
    }

    /// Pane 1 to 4.
    pub fn pane(&self, number: usize) -> Result<&Pane, JsValue> {
        let pane = self.settings.panes.get(number.wrapping_sub(1)).and_then(Option::as_ref);
        pane.ok_or_else(|| {
            fault_with("no-pane", &format!("Pane {number} is empty; choose a sampler for it."), None::<()>)
        })
    }

    /// A network that was not trained yet.
    pub fn learner(&self) -> Result<Learner, JsValue> {
        let recipe = Recipe::from(&self.settings);
        Learner::new(recipe, self.distribution.clone(), self.process.clone()).map_err(learn_fault)
    }

    /// The noise that panes start from, standard normal.
    pub fn noise(&self) -> Cloud {
        CloudNoise::new(self.settings.seed).draw(self.settings.particles)
    }

    /// The cells of a picture of the plane; one more fine than this is no picture.
    pub fn plane(cells: usize, half: f64) -> Plane {
        Plane { cells: cells.clamp(1, 1024), half }
    }

    /// Where panes run, with this model.
    pub fn stage<'a>(&'a self, model: &'a dyn Denoiser<Cloud>) -> Stage<'a> {
        Stage {
            narrowest: self.distribution.narrowest(),
            process: &self.process,
            model,
            seed: self.settings.seed,
            eta: self.settings.eta,
        }
    }
}
