//! A model of pictures in the page's worker.
//!
//! Nothing here holds a borrow across an `await`, so that a second call during a run finds the engine free.

use super::fault::{self, fault, fault_with};
use super::source::{Files, JsSource};
use super::stream::Frames;
use super::{Settings, given, taken};
use crate::backend::{self, Backend, Opened};
use crate::math::NoiseSchedule;
use crate::models::classifier::NoisyClassifier;
use crate::models::{SelfTestError, self_test};
use crate::picture;
use crate::pipeline::{Conditioning, Part, Pipeline};
use crate::session::{self, Helpers};
use crate::settings::{self, Linked, Page};
use async_stream::try_stream;
use burn::tensor::Device;
use futures_util::StreamExt;
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

/// A loaded model.
#[derive(Serialize, Tsify)]
#[tsify(missing_as_null)]
pub struct About {
    /// Of all parts.
    parameters: usize,
    parts: Vec<PartAbout>,
    /// Bytes of memory that the engine has had so far, which never become fewer: weights on the CPU, and what it took to load
    /// and to run them.
    memory: f64,
    /// What tells it what to draw.
    #[tsify(type = "\"none\" | \"classes\" | \"text\"")]
    conditioning: &'static str,
    /// Whether it draws latents, whose pictures an autoencoder makes.
    latent: bool,
    /// The most tokens of a prompt, the two that begin and end it among them; `null` where none is read.
    tokens: Option<usize>,
    /// Of its pictures.
    channels: usize,
    height: usize,
    width: usize,
    classes: Vec<ClassName>,
    /// The label that stands for no label.
    null_class: Option<usize>,
    #[tsify(type = "string")]
    prediction: crate::denoise::Prediction,
    process: &'static str,
    /// Of training; `null` for a process of continuous time.
    timesteps: Option<usize>,
    last_time: f64,
    /// The largest noise-to-signal ratio; `null` where it is infinite.
    most_noise: Option<f64>,
    /// What transparent parts of a start picture are laid on: red, green and blue.
    background: [u8; 3],
}

/// A network of the model.
#[derive(Serialize, Tsify)]
pub struct PartAbout {
    /// Its folder.
    folder: &'static str,
    /// Its class in diffusers or transformers.
    class: &'static str,
    parameters: usize,
    /// Of the files of its weights.
    bytes: f64,
    /// How its weights are stored, by torch's names of types.
    stored: Vec<&'static str>,
}

/// A prompt as the text encoder takes it.
#[derive(Serialize, Tsify)]
pub struct Tokens {
    /// The start and the end token among them.
    count: usize,
    /// Words for which there is no place.
    left_out: Vec<String>,
}

#[derive(Serialize, Tsify)]
pub struct ClassName {
    en: String,
    zh: String,
}

/// One finished step.
#[derive(Serialize, Tsify)]
#[tsify(missing_as_null)]
pub struct Frame {
    /// 0 is where the run starts.
    step: usize,
    /// Number of the last step; `null` where the sampler chooses its steps.
    steps: Option<usize>,
    /// From 0 to 1.
    done: f64,
    images: usize,
    channels: usize,
    height: usize,
    width: usize,
    t: f64,
    alpha: f64,
    sigma: f64,
    /// Of the model, so far.
    evaluations: usize,
    /// Steps that were accepted so far, of all pictures together; `null` for a sampler on a grid.
    accepted: Option<usize>,
    /// Steps that were tried and rejected, counted likewise.
    rejected: Option<usize>,
    /// Time in calls of the network so far; on a GPU they only queue its work.
    network_ms: f64,
    /// Time of reading back so far; on a GPU it waits for the network's work.
    read_ms: f64,
    total_ms: f64,
    /// `[images, height, width, channels]`.
    #[tsify(type = "Uint8Array")]
    x: ByteBuf,
    /// The model's estimate of the picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[tsify(optional, type = "Uint8Array")]
    denoised: Option<ByteBuf>,
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
        let Opened { device, adapter } = backend::open(BACKEND).await.map_err(fault::backend)?;
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
            SelfTestError::Backend(e) => fault::backend(e),
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
        model.preset().map_err(|e| fault("model", &e))?;
        let about = given(&About::new(&model))?;
        self.model.replace(Some(Rc::new(model)));
        self.classifier.replace(None);
        Ok(about)
    }

    /// How the loaded model reads a prompt; of one that reads none, no tokens.
    pub fn tokens(&self, text: &str) -> Result<Ts<Tokens>, JsValue> {
        let model = self.model()?;
        let tokens = match &model.conditioning {
            Conditioning::Text(encoders) => encoders.first.tokenizer.encode(text),
            _ => return given(&Tokens { count: 0, left_out: Vec::new() }),
        };
        given(&Tokens { count: tokens.ids.len(), left_out: tokens.left_out })
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
        let folder = format!("models/{}", settings.model);
        session::script(&model, &settings, &folder).map_err(|e| fault("no-diffusers", &e))
    }

    /// How many pictures a run of these settings draws.
    pub fn images(&self, settings: Ts<Settings>) -> Result<usize, JsValue> {
        let settings = taken(&settings)?.complete(&*self.model()?)?;
        Ok(settings.images)
    }

    /// A run of these settings on the loaded model; what they do not name is as the model starts with.
    pub fn run(&self, settings: Ts<Settings>, given: Option<Ts<Given>>) -> Result<Run, JsValue> {
        let model = self.model()?;
        let settings = taken(&settings)?.complete(&model)?;
        let classifier = self.classifier.borrow().clone();
        let Given { picture, mask, share } = given.map(|given| taken(&given)).transpose()?.unwrap_or_default();
        let (shape, range) = (model.picture(), model.card.range);
        let picture = picture.map(|bytes| picture::from_bytes(&bytes, shape, range));
        let kept = mask.map(|mask| mask.into_iter().map(|v| f32::from(v) / 255.0).collect());
        Ok(Run(Frames::new(try_stream! {
            let helpers = Helpers { classifier: classifier.as_deref(), ..Helpers::default() };
            let given = session::Given { picture, kept, helpers, ..Default::default() };
            let (settings, given) = match share {
                Some((from, to)) => model.share(&settings, given, from..to),
                None => (settings, given),
            };
            let mut frames = pin!(model.frames(&settings, given));
            while let Some(frame) = frames.next().await {
                let frame = frame.map_err(fault::session)?;
                yield super::object(&Frame::new(&frame, &model))?;
            }
        })))
    }
}

impl Engine {
    fn model(&self) -> Result<Rc<Pipeline>, JsValue> {
        let model = self.model.borrow().clone();
        model.ok_or_else(|| fault_with("no-model", "No model is loaded yet; load one, then run.", None::<()>))
    }
}

impl Settings {
    /// Settings for a model, as it starts where they are silent.
    fn complete(self, model: &Pipeline) -> Result<settings::Settings, JsValue> {
        let mut settings = model.preset().map_err(|e| fault("model", &e))?;
        let problem = settings.take(&mut Page::default(), self.pairs()).into_iter().next();
        settings.fit_schedule();
        problem.map_or(Ok(settings), |problem| Err(fault::session(problem.into())))
    }
}

/// A run under way. Nothing is computed ahead of the frame that is awaited; `free()` between two frames cancels it.
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

impl About {
    fn new(model: &Pipeline) -> Self {
        let ([channels, height, width], card) = (model.picture(), &model.card);
        let noisiest = model.schedule.level(model.schedule.t_max());
        let class = |name: &crate::models::Text| ClassName { en: name.en.clone(), zh: name.zh.clone() };
        let part = |Part { folder, class, parameters, bytes, stored }: &Part| PartAbout {
            folder,
            class,
            parameters: *parameters,
            bytes: *bytes as f64,
            stored: stored.clone(),
        };
        let tokens = match &model.conditioning {
            Conditioning::Text(encoders) => Some(encoders.length()),
            _ => None,
        };
        Self {
            parameters: model.parameters(),
            memory: memory(),
            parts: model.parts.iter().map(part).collect(),
            conditioning: model.conditioning.id(),
            latent: model.is_latent(),
            tokens,
            channels,
            height,
            width,
            classes: card.classes.iter().map(class).collect(),
            null_class: card.null_class,
            prediction: model.prediction,
            process: model.schedule.family(),
            timesteps: model.schedule.timesteps(),
            last_time: noisiest.t,
            most_noise: Some(noisiest.nsr()).filter(|nsr| nsr.is_finite()),
            background: card.background,
        }
    }
}

impl Frame {
    fn new(frame: &session::Frame, model: &Pipeline) -> Self {
        let shape @ [channels, height, width] = model.picture();
        let (x, denoised) = frame.pixels(shape, model.card.range);
        let ms = |time: std::time::Duration| time.as_secs_f64() * 1e3;
        Self {
            step: frame.step,
            steps: frame.steps,
            done: frame.done,
            images: x.len() / (channels * height * width),
            channels,
            height,
            width,
            t: frame.level.t,
            alpha: frame.level.alpha,
            sigma: frame.level.sigma,
            evaluations: frame.timing.evaluations,
            accepted: frame.tally.map(|tally| tally.accepted),
            rejected: frame.tally.map(|tally| tally.rejected),
            network_ms: ms(frame.timing.network),
            read_ms: ms(frame.timing.read),
            total_ms: ms(frame.timing.total),
            x: ByteBuf::from(x),
            denoised: denoised.map(ByteBuf::from),
        }
    }
}
