//! The browser's door: what `www/worker.js` calls.
//!
//! Every failure leaves as an `Error` whose message is one sentence and whose `code` is a short name. Those that can
//! befall anybody also have `values`, which fill the page's own sentence for the code in the person's language.
//! Nothing here holds a borrow across an `await`, so a second call during a run finds the engine free.
//!
//! [`Engine`] runs models of pictures. `lab` is the door of the laboratory of the plane, in the CPU engine alone.

#[cfg(all(feature = "cpu", feature = "autodiff", feature = "train"))]
mod lab;

use crate::backend::{self, Backend, BackendError, Opened};
use crate::math::{GridError, NoiseSchedule, Spacing};
use crate::models::classifier::NoisyClassifier;
use crate::models::{ModelFiles, Pretrained, SelfTestError, self_test};
use crate::picture;
use crate::samplers::{GaveUp, Knob, Method, Tuning, methods};
use crate::session::{self, Frame, Given, Helpers, SessionError};
use crate::settings::{Clip, Problem, Reason, Settings, Source};
use burn::tensor::Device;
use js_sys::{Function, Object, Promise, Reflect, Uint8Array};
use serde_json::{Map, Value, json};
use std::cell::RefCell;
use std::fmt;
use std::ops::{ControlFlow, RangeInclusive};
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

/// The backend that this binary was compiled with.
const BACKEND: Backend = if cfg!(feature = "gpu") { Backend::WebGpu } else { Backend::Cpu };

/// What a page needs to build its controls, as JSON: the sampler table, the schedules, choices, limits and defaults.
#[wasm_bindgen]
pub fn catalogue() -> String {
    let knob = |knob: &Knob| {
        json!({
            "id": knob.id, "default": finite(knob.default), "least": finite(knob.min), "most": finite(knob.max),
            "whole": knob.whole,
        })
    };
    let row = |m: Method<f64>| {
        json!({
            "id": m.id, "name": m.name, "family": m.family, "order": m.order_with(&Tuning::default()),
            "evaluations": m.evaluations, "stochastic": m.stochastic, "adaptive": m.on_grid().is_none(),
            "cfg_pp": m.cfg_pp,
            "knobs": m.knobs.iter().map(knob).collect::<Vec<_>>(),
            "comfyui": m.comfyui, "k_diffusion": m.k_diffusion, "diffusers": m.diffusers, "paper": m.paper,
        })
    };
    let range = |range: RangeInclusive<f64>| json!([finite(*range.start()), finite(*range.end())]);
    let words = |all: &[&dyn fmt::Display]| all.iter().map(ToString::to_string).collect::<Vec<_>>();
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "samplers": methods().into_iter().map(row).collect::<Vec<_>>(),
        "schedules": Spacing::ALL.iter().map(|s| json!({"id": s.id(), "values": s.parameters(), "list": s.steps().is_some()})).collect::<Vec<_>>(),
        "clips": words(&Clip::ALL.each_ref().map(|c| c as &dyn fmt::Display)),
        "noises": words(&Source::ALL.each_ref().map(|c| c as &dyn fmt::Display)),
        "limits": {
            "steps": [Settings::STEPS.start(), Settings::STEPS.end()],
            "images": [Settings::IMAGES.start(), Settings::IMAGES.end()],
            "guidance": range(Settings::GUIDANCE),
            "rescale": range(Settings::SHARE),
            "strength": range(Settings::SHARE),
            "classifier": range(Settings::CLASSIFIER),
            "guidance-min": range(Settings::RATIO),
            "guidance-max": range(Settings::RATIO),
            "seed": [0, u32::MAX],
        },
        "always": Settings::ALWAYS,
        "defaults": settings_json(&Settings::default()),
    })
    .to_string()
}

/// A number for JSON, which has none without end.
fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

/// Reads a share link to a model with these `defaults` (JSON, as its card has them; ignored where they are wrong, which
/// [`Engine::load`] tells): JSON `{settings, problems: [{key, value, message, code, ...}]}`.
#[wasm_bindgen]
pub fn check_link(link: &str, defaults: Option<String>) -> String {
    let defaults = defaults.and_then(|json| serde_json::from_str(&json).ok()).unwrap_or_default();
    let preset = Settings::preset(&defaults).unwrap_or_default();
    let (settings, problems) = Settings::from_link_to(&preset, link);
    json!({"settings": settings_json(&settings), "problems": problems.iter().map(problem_json).collect::<Vec<_>>()})
        .to_string()
}

/// A value of a link that could not be used: what was said of it in English, and what the page needs to say it itself.
fn problem_json(p: &Problem) -> Value {
    let mut out = json!({"key": p.key, "value": p.value, "message": p.to_string()});
    out["code"] = match &p.reason {
        Reason::Range { from, to } => {
            out["from"] = json!(from);
            out["to"] = json!(to);
            "range"
        }
        Reason::OneOf(known) => {
            out["known"] = json!(known);
            "one-of"
        }
        Reason::Name => "name",
        Reason::Form { example, .. } => {
            out["example"] = json!(example);
            "form"
        }
        Reason::Schedule(_) => "schedule",
    }
    .into();
    out
}

fn settings_json(settings: &Settings) -> Value {
    pairs_json(settings.pairs(), &Settings::WORDS)
}

/// Every key of a link with its value, as a number where it is one and the key is none of the `words`.
fn pairs_json(pairs: Vec<(&'static str, String)>, words: &[&str]) -> Value {
    let value = |key: &str, text: String| match text.parse::<f64>() {
        Ok(number) if number.is_finite() && !words.contains(&key) => json!(number),
        _ => json!(text),
    };
    pairs.into_iter().map(|(key, text)| (key.to_owned(), value(key, text))).collect::<Map<_, _>>().into()
}

/// A device with at most one model on it.
#[wasm_bindgen]
pub struct Engine {
    device: Device,
    adapter: String,
    loaded: RefCell<Option<Rc<Loaded>>>,
    classifier: RefCell<Option<Rc<NoisyClassifier>>>,
}

/// A model, and the settings that it starts with.
struct Loaded {
    model: Pretrained,
    preset: Settings,
}

#[wasm_bindgen]
impl Engine {
    /// Opens the backend that this binary was compiled with.
    pub async fn open() -> Result<Engine, JsValue> {
        let opened = backend::open(BACKEND).await.map_err(backend_error)?;
        let Opened { device, adapter } = opened;
        Ok(Self { device, adapter, loaded: RefCell::default(), classifier: RefCell::default() })
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

    /// Recomputes a stored output of a small network: JSON `{worst, tolerance, passed}`.
    pub async fn self_test(&self, unet_config: String, weights: Vec<u8>, oracle: Vec<u8>) -> Result<String, JsValue> {
        let report = self_test(&unet_config, &weights, &oracle, &self.device).await.map_err(|e| match e {
            SelfTestError::Backend(e) => backend_error(e),
            e => error("self-test", &e, None),
        })?;
        Ok(json!({"worst": report.worst, "tolerance": report.tolerance, "passed": report.passed()}).to_string())
    }

    /// Puts a model on the device in place of the one before: JSON `{parameters, channels, height, width, classes, ...}`.
    pub async fn load(
        &self,
        unet_config: String,
        weights: Vec<u8>,
        scheduler_config: String,
        card: String,
    ) -> Result<String, JsValue> {
        let files = ModelFiles {
            unet_config,
            weights: vec![weights],
            scheduler_config: Some(scheduler_config),
            card: Some(card),
        };
        let model = Pretrained::load(files, &self.device).map_err(|e| error("model", &e, None))?;
        let preset = session::preset(&model).map_err(|e| error("model", &e, None))?;
        let [channels, height, width] = model.shape();
        let card = &model.card;
        let noisiest = model.schedule.level(model.schedule.t_max());
        let about = json!({
            "parameters": model.parameters(), "channels": channels, "height": height, "width": width,
            "classes": card.classes, "null_class": card.null_class, "prediction": model.prediction,
            "process": model.schedule.family(), "timesteps": model.schedule.timesteps(),
            "last_time": noisiest.t, "most_noise": finite(noisiest.nsr()),
        });
        self.loaded.replace(Some(Rc::new(Loaded { model, preset })));
        self.classifier.replace(None);
        Ok(about.to_string())
    }

    /// Puts the classifier of the loaded model on the device, for links that ask to be led by it.
    pub fn load_classifier(&self, config: &str, weights: &[u8]) -> Result<(), JsValue> {
        let net = NoisyClassifier::load(config, weights, &self.device).map_err(|e| error("model", &e, None))?;
        self.classifier.replace(Some(Rc::new(net)));
        Ok(())
    }

    /// The run of a share link as a Python script on diffusers.
    pub fn diffusers_code(&self, link: String) -> Result<String, JsValue> {
        let Loaded { model, preset } = &*self.loaded()?;
        let (settings, _) = Settings::from_link_to(preset, &link);
        let folder = format!("models/{}", settings.model);
        session::script(model, &settings, &folder).map_err(|e| error("no-diffusers", &e, None))
    }

    /// Runs a share link's settings on the loaded model, whose defaults stand where the link is silent; from a picture
    /// where there is one: `picture` is `[height, width, channels]` bytes and `mask` `[height, width]`, 255 where the
    /// picture is to stay. `on_frame` gets each frame and answers a promise of whether to go on. Resolves to `true` when the run finished, `false` when it was stopped.
    pub async fn run(
        &self,
        link: String,
        on_frame: Function,
        picture: Option<Vec<u8>>,
        mask: Option<Vec<u8>>,
    ) -> Result<bool, JsValue> {
        let Loaded { model, preset } = &*self.loaded()?;
        let (settings, _) = Settings::from_link_to(preset, &link);
        let receiver = Receiver::new(on_frame);
        let each = async |frame: Frame| receiver.hand(frame_object(&frame, model)).await;
        let (shape, range) = (model.shape(), model.card.range);
        let classifier = self.classifier.borrow().clone();
        let given = Given {
            helpers: Helpers { classifier: classifier.as_deref(), ..Helpers::default() },
            picture: picture.map(|bytes| picture::from_bytes(&bytes, shape, range)),
            kept: mask.map(|mask| mask.into_iter().map(|v| f32::from(v) / 255.0).collect()),
            ..Given::default()
        };
        let end = session::run(model, &settings, given, &self.device, each).await.map_err(session_error)?;
        receiver.end(end)
    }
}

impl Engine {
    fn loaded(&self) -> Result<Rc<Loaded>, JsValue> {
        let loaded = self.loaded.borrow().clone();
        loaded.ok_or_else(|| js_error("no-model", "No model is loaded yet; load one, then run.", None))
    }
}

/// Who gets the frames of a run, and answers a promise of whether to go on.
struct Receiver {
    on_frame: Function,
    /// The receiver's own failure, kept to be thrown to the caller after the run has ended.
    thrown: RefCell<Option<JsValue>>,
}

impl Receiver {
    fn new(on_frame: Function) -> Self {
        Self { on_frame, thrown: RefCell::default() }
    }

    async fn hand(&self, frame: Result<JsValue, JsValue>) -> ControlFlow<()> {
        let answer = async {
            let promise = Promise::resolve(&self.on_frame.call1(&JsValue::NULL, &frame?)?);
            JsFuture::from(promise).await
        };
        match answer.await {
            Ok(go_on) if go_on.is_truthy() => ControlFlow::Continue(()),
            Ok(_) => ControlFlow::Break(()),
            Err(e) => {
                self.thrown.replace(Some(e));
                ControlFlow::Break(())
            }
        }
    }

    /// Whether the run finished, of which this was the end.
    fn end(&self, end: ControlFlow<()>) -> Result<bool, JsValue> {
        self.thrown.take().map_or(Ok(end.is_continue()), Err)
    }
}

/// A plain object with these keys.
fn object<const N: usize>(pairs: [(&str, JsValue); N]) -> Result<JsValue, JsValue> {
    let out = Object::new();
    for (key, value) in pairs {
        Reflect::set(&out, &key.into(), &value)?;
    }
    Ok(out.into())
}

fn frame_object(frame: &Frame, model: &Pretrained) -> Result<JsValue, JsValue> {
    let shape @ [channels, height, width] = model.shape();
    let (x, denoised) = frame.pixels(shape, model.card.range);
    let images = x.len() / (channels * height * width);
    let timing = frame.timing;
    let number = |value: f64| JsValue::from(value);
    object([
        ("step", number(frame.step as f64)),
        ("steps", frame.steps.map_or(JsValue::NULL, |steps| number(steps as f64))),
        ("done", number(frame.done)),
        ("images", number(images as f64)),
        ("channels", number(channels as f64)),
        ("height", number(height as f64)),
        ("width", number(width as f64)),
        ("t", number(frame.level.t)),
        ("alpha", number(frame.level.alpha)),
        ("sigma", number(frame.level.sigma)),
        ("evaluations", number(timing.evaluations as f64)),
        ("rejected", frame.tally.map_or(JsValue::NULL, |tally| number(tally.rejected as f64))),
        ("network_ms", number(timing.network.as_secs_f64() * 1e3)),
        ("total_ms", number(timing.total.as_secs_f64() * 1e3)),
        ("x", Uint8Array::from(&x[..]).into()),
        ("denoised", denoised.map_or(JsValue::UNDEFINED, |d| Uint8Array::from(&d[..]).into())),
    ])
}

fn session_error(e: SessionError) -> JsValue {
    if let SessionError::Backend(e) = e {
        return backend_error(e);
    }
    let (code, values) = match &e {
        SessionError::NotFinite { step } => ("not-finite", Some(json!({"step": step}))),
        SessionError::NoStrength => ("no-strength", Some(json!({}))),
        SessionError::NothingToClassify => ("nothing-to-classify", Some(json!({}))),
        SessionError::GaveUp(GaveUp { attempts, .. }) => ("gave-up", Some(json!({"attempts": attempts}))),
        SessionError::Grid(GridError::NotFalling { index, .. }) => ("not-falling", Some(json!({"index": index}))),
        _ => ("run", None),
    };
    error(code, &e, values)
}

fn backend_error(e: BackendError) -> JsValue {
    let (code, values) = match &e {
        BackendError::NotCompiled { .. } => ("backend", None),
        BackendError::Unavailable(why) => ("no-device", Some(json!({"why": why}))),
        BackendError::Failed(why) => ("device-failed", Some(json!({"why": why}))),
    };
    error(code, &e, values)
}

fn error(code: &str, e: &dyn std::error::Error, values: Option<Value>) -> JsValue {
    js_error(code, &e.to_string(), values)
}

fn js_error(code: &str, message: &str, values: Option<Value>) -> JsValue {
    let error = js_sys::Error::new(message);
    let values = values.and_then(|v| js_sys::JSON::parse(&v.to_string()).ok());
    for (key, value) in [("code", Some(code.into())), ("values", values)] {
        if let Some(value) = value {
            // Setting a property of a fresh object cannot fail.
            let _ = Reflect::set(&error, &key.into(), &value);
        }
    }
    error.into()
}
