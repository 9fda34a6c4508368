//! A model of pictures in the page's worker.
//!
//! Nothing here holds a borrow across an `await`, so that a second call during a run finds the engine free.

mod about;
#[cfg(feature = "gpu")]
mod bench;
#[cfg(feature = "gpu")]
mod canvas;
mod failures;
mod forward;
mod frame;
mod needs;
mod numbers;
mod race;

use super::fault::{fault, fault_with};
use super::source::{Files, JsSource};
use super::stream::Frames;
use super::{Settings, given, taken};
use crate::backend::{self, Backend, Opened, Present};
use crate::models::classifier::NoisyClassifier;
use crate::models::{SelfTestError, self_test};
use crate::picture;
use crate::pipeline::Pipeline;
use crate::pipeline::text;
use crate::session::{self, Helpers, Phase};
use crate::settings::{self, Linked, Origin, Page, Repository};
use about::About;
use async_stream::try_stream;
use burn::tensor::Device;
use frame::Frame;
use futures_util::StreamExt;
use js_sys::Function;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;
use std::cell::RefCell;
use std::pin::pin;
use std::rc::Rc;
use tsify::{Ts, Tsify};
use wasm_bindgen::prelude::*;

/// The backend that this binary was compiled with.
const BACKEND: Backend = if cfg!(feature = "gpu") { Backend::WebGpu } else { Backend::Cpu };

/// What a start picture and its mask are: `[height, width, channels]` and `[height, width]`, 255 where the picture is to
/// stay.
#[derive(Default, Deserialize, Tsify)]
#[serde(default)]
pub struct Given {
    #[tsify(optional, type = "Uint8Array")]
    picture: Option<ByteBuf>,
    #[tsify(optional, type = "Uint8Array")]
    mask: Option<ByteBuf>,
    /// Whether frames say where the network looked in the prompt.
    #[tsify(optional)]
    attention: bool,
    /// Whether frames say what their step did: `noise`, `posterior` and `numbers`.
    #[tsify(optional)]
    details: bool,
    /// The first picture to draw and the one after the last, where others draw the rest.
    #[tsify(optional)]
    share: Option<(usize, usize)>,
}

/// How far a small network's output is from the stored one.
#[derive(Serialize, Tsify)]
pub struct SelfTest {
    worst: f64,
    tolerance: f64,
    passed: bool,
}

/// A prompt as the text encoder takes it.
#[derive(Serialize, Tsify)]
pub struct Tokens {
    /// The start and the end token among them.
    count: usize,
    /// Those that have tokens, in lower case.
    words: Vec<String>,
    /// Words for which there is no place.
    left_out: Vec<String>,
}

/// A device with at most one model on it.
#[wasm_bindgen]
pub struct Engine {
    device: Device,
    adapter: String,
    model: RefCell<Option<Rc<Pipeline>>>,
    classifier: RefCell<Option<Rc<NoisyClassifier>>>,
}

#[wasm_bindgen]
impl Engine {
    /// Opens the backend that this binary was compiled with.
    pub async fn open() -> Result<Engine, JsValue> {
        let Opened { device, adapter } = backend::open(BACKEND).await.map_err(failures::backend)?;
        Ok(Self { device, adapter, model: RefCell::default(), classifier: RefCell::default() })
    }

    /// `cpu` or `webgpu`.
    #[wasm_bindgen(getter)]
    pub fn backend(&self) -> String {
        BACKEND.id().to_owned()
    }

    /// The device in words.
    #[wasm_bindgen(getter)]
    pub fn adapter(&self) -> String {
        self.adapter.clone()
    }

    /// Recomputes a stored output of a small network.
    pub async fn self_test(
        &self,
        config: String,
        weights: Vec<u8>,
        expected: Vec<u8>,
    ) -> Result<Ts<SelfTest>, JsValue> {
        let report = self_test(&config, &weights, &expected, &self.device).await.map_err(|e| match e {
            SelfTestError::Backend(e) => failures::backend(e),
            e => fault("self-test", &e),
        })?;
        given(&SelfTest { worst: report.worst.into(), tolerance: report.tolerance.into(), passed: report.passed() })
    }

    /// Puts a model on the device in place of the one before. Which files it reads is for the model to say.
    pub async fn load(&self, files: Files) -> Result<Ts<About>, JsValue> {
        let source = JsSource::new(files);
        let opened = Pipeline::open(&source, &self.device).await;
        let model = opened.map_err(|e| source.thrown().unwrap_or_else(|| fault("model", &e)))?;
        // A card that names a setting that there is not is no card.
        let preset = model.preset().map_err(|e| fault("model", &e))?;
        let about = given(&About::new(&model, &preset))?;
        self.model.replace(Some(Rc::new(model)));
        self.classifier.replace(None);
        Ok(about)
    }

    /// How the loaded model reads a prompt under these settings; one that reads none has no tokens of it.
    pub fn tokens(&self, text: &str, settings: Option<Ts<Settings>>) -> Result<Ts<Tokens>, JsValue> {
        let model = self.model()?;
        let settings = settings.map_or_else(|| Ok(Settings::default()), |settings| taken(&settings))?;
        let settings = settings.complete(&model)?;
        given(&match model.tokens(&settings.prompt_of(text)) {
            Some(text::Tokens { ids, words, left_out }) => {
                let words = words.into_iter().map(|word| word.text).collect();
                Tokens { count: ids.len(), words, left_out }
            }
            None => Tokens { count: 0, words: Vec::new(), left_out: Vec::new() },
        })
    }

    /// Puts the classifier of the loaded model on the device, for settings with `classifier` above 0.
    pub async fn load_classifier(&self, files: Files) -> Result<(), JsValue> {
        let source = JsSource::new(files);
        let opened = NoisyClassifier::open(&source, &self.device).await;
        let net = opened.map_err(|e| source.thrown().unwrap_or_else(|| fault("model", &e)))?;
        self.classifier.replace(Some(Rc::new(net)));
        Ok(())
    }

    /// The run of these settings as a Python script on diffusers.
    pub fn python(&self, settings: Ts<Settings>) -> Result<String, JsValue> {
        let model = self.model()?;
        let settings = taken(&settings)?.complete(&model)?;
        // Where diffusers finds it: in a folder of the site, on its hub, or where a person has it.
        let (folder, note) = match Origin::of(&settings.model) {
            Origin::Folder => (format!("models/{}", settings.model), String::new()),
            Origin::Own(name) => (name, String::new()),
            Origin::Hub(Repository { id, revision }) => {
                let note = |at| {
                    format!("# The run was of revision \"{at}\": give it to each from_pretrained as `revision`.\n")
                };
                (id, revision.map_or(String::new(), note))
            }
        };
        let script =
            session::script(&model, &settings, folder.as_str().into()).map_err(|e| fault("no-diffusers", &e))?;
        Ok(note + &script)
    }

    /// The levels of a run of these settings: rows of `t`, alpha, sigma and log-SNR, noisy first.
    pub fn levels(&self, settings: Ts<Settings>) -> Result<Vec<f64>, JsValue> {
        let model = self.model()?;
        let settings = taken(&settings)?.complete(&model)?;
        let levels = model.levels(&settings).map_err(failures::session)?;
        Ok(levels.iter().flat_map(|level| [level.t, level.alpha, level.sigma, level.log_snr()]).collect())
    }

    /// How many parts a run of these settings can be drawn in: its pictures, or one.
    pub fn images(&self, settings: Ts<Settings>) -> Result<usize, JsValue> {
        let settings = taken(&settings)?.complete(&*self.model()?)?;
        Ok(if settings.divisible() { settings.images } else { 1 })
    }

    /// A run of these settings on the loaded model; what they do not name is as the model starts with. `phase` hears `text` and
    /// `decoding` when they begin.
    pub fn run(
        &self,
        settings: Ts<Settings>,
        given: Option<Ts<Given>>,
        #[wasm_bindgen(unchecked_param_type = "(phase: 'text' | 'decoding') => void")] phase: Option<Function>,
    ) -> Result<Run, JsValue> {
        let given = given.map(|given| taken(&given)).transpose()?.unwrap_or_default();
        self.begin(taken(&settings)?, given, phase, None)
    }
}

impl Engine {
    fn model(&self) -> Result<Rc<Pipeline>, JsValue> {
        let model = self.model.borrow().clone();
        model.ok_or_else(|| fault_with("no-model", "No model is loaded yet; load one, then run.", None::<()>))
    }

    /// A run, whose steps `present` shows if there is one.
    fn begin(
        &self,
        settings: Settings,
        given: Given,
        phase: Option<Function>,
        present: Option<Box<dyn Present>>,
    ) -> Result<Run, JsValue> {
        let model = self.model()?;
        let settings = settings.complete(&model)?;
        let classifier = self.classifier.borrow().clone();
        let Given { picture, mask, attention, details, share } = given;
        let (shape, range) = (model.picture_of(&settings), model.card.range);
        let tokens = model.tokens(&settings.prompt_of(&settings.prompt)).filter(|_| attention);
        let words = tokens.map_or(Vec::new(), |tokens| tokens.words);
        let picture = picture.map(|bytes| picture::from_bytes(&bytes, shape, range));
        let kept = mask.map(|mask| mask.into_iter().map(|v| f32::from(v) / 255.0).collect());
        Ok(Run(Frames::new(try_stream! {
            let helpers = Helpers { classifier: classifier.as_deref(), ..Helpers::default() };
            let told = |at: Phase| {
                // What the page does with it is its own affair.
                let _ = phase.as_ref().map(|phase| phase.call1(&JsValue::NULL, &at.id().into()));
            };
            let watch = Some(&told as &dyn Fn(Phase));
            let present = present.as_deref();
            let given = session::Given { picture, kept, helpers, attention, present, watch, ..Default::default() };
            let (settings, given) = match share {
                Some((from, to)) => settings.share(given, from..to),
                None => (settings, given),
            };
            let mut frames = pin!(model.frames(&settings, given));
            let mut before = None;
            while let Some(frame) = frames.next().await {
                let frame = frame.map_err(failures::session)?;
                let detail = match before.as_ref().filter(|_| details) {
                    Some(before) => Some(model.detail(&settings, before, &frame).await.map_err(failures::session)?),
                    None => None,
                };
                yield super::object(&Frame::new(&frame, (shape, range), &words, detail))?;
                before = Some(frame);
            }
        })))
    }
}

impl Settings {
    /// Settings for a model, as it starts where they are silent.
    fn complete(self, model: &Pipeline) -> Result<settings::Settings, JsValue> {
        Ok(self.complete_with_page(model)?.0)
    }

    /// The same with the page's own keys.
    fn complete_with_page(self, model: &Pipeline) -> Result<(settings::Settings, Page), JsValue> {
        let (mut settings, mut page) = (model.preset().map_err(|e| fault("model", &e))?, Page::default());
        let problem = settings.take(&mut page, self.pairs()).into_iter().next();
        settings.fit_schedule();
        problem.map_or(Ok((settings, page)), |problem| Err(failures::session(problem.into())))
    }
}

/// A run under way. On the CPU nothing is computed ahead of the frame that is awaited, over WebGPU one step is; `free()` between two
/// frames cancels it.
#[wasm_bindgen]
pub struct Run(Frames);

#[wasm_bindgen]
impl Run {
    /// The next frame; `undefined` at the end.
    #[wasm_bindgen(unchecked_return_type = "Frame | undefined")]
    pub async fn next(&self) -> Result<JsValue, JsValue> {
        self.0.next().await
    }
}

/// Bytes of this module's memory.
fn memory() -> f64 {
    const PAGE: f64 = 65536.0;
    core::arch::wasm32::memory_size::<0>() as f64 * PAGE
}
