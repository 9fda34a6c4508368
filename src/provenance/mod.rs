//! Floor 5: how a saved picture was made, as it says itself: written into our own, and read from those and from other programs'.
//!
//! A PNG of ours has three texts: `Software`, `parameters`, which other programs read too, and `unnoise`, a JSON object with everything
//! (docs/pictures.md).

mod a1111;
mod comfyui;
mod names;
mod pipeline_call;

use crate::picture::texts::{self, NoPng, Text};
use crate::settings::{Linked, Page, Settings, Value};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;

const SOFTWARE: &str = "Software";
const PARAMETERS: &str = "parameters";
const OURS: &str = "unnoise";

/// A picture of ours.
#[derive(Clone, Copy, Debug)]
pub struct Made<'a> {
    pub settings: &'a Settings,
    /// The link that draws it.
    pub link: &'a str,
    /// SHA-256 in hexadecimal of each file of weights, by its place in the model's folder; those that are known.
    pub weights: &'a BTreeMap<String, String>,
    pub part: Part<'a>,
}

/// What of a run a picture shows, where it is not the last step of all its images.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Part<'a> {
    pub step: Option<usize>,
    /// The image, from 1 on.
    pub image: Option<usize>,
    /// What is to be seen of it, if it is not the point `x_t`: `denoised`, `grid`.
    pub shows: Option<&'a str>,
}

/// What a PNG says of how it was made.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Found {
    pub program: Program,
    /// A link that has what the picture says, the whole run of a picture of ours.
    pub link: String,
    /// Settings that those of another program have a place in here, whether or not their values do.
    pub settings: Vec<(String, Value)>,
    /// What has none, by its name there.
    pub left: Vec<(String, String)>,
    /// SHA-256 of each file of weights, of a picture of ours.
    pub weights: BTreeMap<String, String>,
    /// The step that a picture of ours shows, where it is not the last.
    pub step: Option<usize>,
}

impl Found {
    fn of(program: Program, Taken { settings, left }: Taken) -> Self {
        let link = Settings::link_of(&settings);
        Self { program, link, settings, left, weights: BTreeMap::new(), step: None }
    }
}

/// The files of which the weights are others than those that a picture was made with, of those that both know.
pub fn other_weights<'a>(made: &'a BTreeMap<String, String>, here: &BTreeMap<String, String>) -> Vec<&'a str> {
    let other = |(path, sum): &(&String, &String)| here.get(*path).is_some_and(|ours| ours != *sum);
    made.iter().filter(other).map(|(path, _)| path.as_str()).collect()
}

/// Who wrote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Program {
    Unnoise,
    /// AUTOMATIC1111's web UI, or one that writes as it does.
    A1111,
    ComfyUi,
    /// The arguments of a pipeline of diffusers, or what InvokeAI writes, as JSON.
    PipelineCall,
}

/// Settings as another program has them.
#[derive(Debug, Default, PartialEq)]
struct Taken {
    settings: Vec<(String, Value)>,
    left: Vec<(String, String)>,
}

impl Taken {
    fn take(&mut self, key: &str, value: impl Into<Value>) {
        self.settings.push((key.to_owned(), value.into()));
    }

    fn leave(&mut self, name: &str, value: impl ToString) {
        self.left.push((name.to_owned(), value.to_string()));
    }

    /// A prompt, whose brackets are weights there.
    fn prompt(&mut self, key: &str, text: &str) {
        self.take(key, text.trim());
        let weighted = self.settings.iter().any(|(key, _)| key == "weighting");
        if text.contains(['(', '[']) && !weighted {
            self.take("weighting", "a1111");
        }
    }

    /// A seed, which may have 64 bits there.
    fn seed(&mut self, name: &str, key: &str, seed: &str) {
        match seed.parse::<u32>() {
            Ok(seed) => self.take(key, f64::from(seed)),
            Err(_) => self.leave(name, seed),
        }
    }

    /// A number under its key, or as what was left where it is none.
    fn number(&mut self, name: &str, key: &str, number: &str) {
        match number.parse::<f64>().ok().filter(|number| number.is_finite()) {
            Some(number) => self.take(key, number),
            None => self.leave(name, number),
        }
    }
}

/// What is in the text `unnoise`.
#[derive(Deserialize)]
struct Own {
    link: String,
    #[serde(default)]
    weights: BTreeMap<String, String>,
    #[serde(default)]
    step: Option<usize>,
}

impl Made<'_> {
    /// The PNG with what is to be known of it.
    ///
    /// # Errors
    /// Bytes that are no PNG.
    pub fn into_png(self, png: &[u8]) -> Result<Vec<u8>, NoPng> {
        let texts = self.texts();
        texts::with(png, &texts.each_ref().map(|(keyword, text)| (*keyword, text.as_str())))
    }

    /// The texts by their keywords.
    pub fn texts(self) -> [(&'static str, String); 3] {
        let version = env!("CARGO_PKG_VERSION");
        let settings: BTreeMap<_, _> = self.settings.record(&Page::default()).into_iter().collect();
        let own = json!({
            "version": version,
            "link": self.link,
            "model": self.settings.model,
            "weights": self.weights,
            "step": self.part.step,
            "image": self.part.image,
            "shows": self.part.shows,
            "settings": settings,
        });
        let software = format!("unnoise {version}");
        [(SOFTWARE, software), (PARAMETERS, a1111::write(self.settings)), (OURS, own.to_string())]
    }
}

/// What a PNG says; `None` where it says nothing that is known here.
///
/// # Errors
/// Bytes that are no PNG, or a damaged one.
pub fn read(png: &[u8]) -> Result<Option<Found>, NoPng> {
    let texts = texts::read(png)?;
    let named = |keyword: &str| {
        let of = texts.iter().find(|Text { keyword: name, .. }| name == keyword)?;
        of.text.as_deref()
    };
    let own = named(OURS).and_then(|text| serde_json::from_str::<Own>(text).ok());
    if let Some(Own { link, weights, step }) = own {
        return Ok(Some(Found { link, weights, step, ..Found::of(Program::Unnoise, Taken::default()) }));
    }
    let of = |program, taken: Option<Taken>| taken.map(|taken| Found::of(program, taken));
    Ok(of(Program::A1111, named(PARAMETERS).and_then(a1111::read))
        .or_else(|| of(Program::ComfyUi, named("prompt").and_then(comfyui::read)))
        .or_else(|| {
            let all = texts.iter().filter_map(|text| text.text.as_deref());
            of(Program::PipelineCall, all.filter_map(pipeline_call::read).next())
        }))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One grey pixel.
    const PIXEL: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\0\0\0\0\x3a\x7e\x9b\x55\
        \0\0\0\nIDAT\x78\x9c\x63\x60\0\0\0\x02\0\x01\x48\xaf\xa4\x71\0\0\0\0IEND\xae\x42\x60\x82";

    fn holding(keyword: &str, text: &str) -> Found {
        read(&texts::with(PIXEL, &[(keyword, text)]).unwrap()).unwrap().expect("it is known")
    }

    fn pairs(found: &Found) -> Vec<(&str, String)> {
        found.settings.iter().map(|(key, value)| (key.as_str(), value.to_string())).collect()
    }

    #[test]
    fn our_own_are_read_back() {
        let settings =
            Settings { seed: 3, prompt: "red heart, \"quoted\"\nof two lines".to_owned(), ..Settings::default() };
        let link = settings.to_link();
        let weights = BTreeMap::from([("unet/weights.safetensors".to_owned(), "ab".to_owned())]);
        let part = Part { step: Some(4), ..Part::default() };
        let made = Made { settings: &settings, link: &link, weights: &weights, part };
        let png = made.into_png(PIXEL).unwrap();
        let found = read(&png).unwrap().unwrap();
        assert_eq!((found.program, found.link.as_str(), found.step), (Program::Unnoise, &*link, Some(4)));
        assert_eq!(found.weights, weights);
        let others = |here: &[(&str, &str)]| {
            let here = here.iter().map(|(path, sum)| ((*path).to_owned(), (*sum).to_owned())).collect();
            other_weights(&found.weights, &here).len()
        };
        let path = "unet/weights.safetensors";
        assert_eq!(
            (others(&[(path, "ab")]), others(&[(path, "cd")]), others(&[("vae/w.safetensors", "cd")])),
            (0, 1, 0)
        );
        assert_eq!(Settings::from_link(&link).0, settings);
        // Another program reads the prompt and the numbers.
        let texts = texts::read(&png).unwrap();
        let parameters = texts.iter().find(|text| text.keyword == PARAMETERS).and_then(|text| text.text.as_deref());
        let taken = a1111::read(parameters.unwrap()).unwrap();
        assert!(taken.settings.contains(&("seed".to_owned(), Value::Number(3.0))), "{taken:?}");
        assert!(taken.settings.contains(&("sampler".to_owned(), "dpmpp-2m".into())), "{taken:?}");
        assert!(taken.settings.contains(&("prompt".to_owned(), settings.prompt.as_str().into())), "{taken:?}");
    }

    #[test]
    fn those_of_the_web_ui_are_taken_as_far_as_they_have_a_place() {
        let found = holding(
            "parameters",
            "a (red:1.2) cat, on a mat\nNegative prompt: dog\nSteps: 25, Sampler: DPM++ 2M Karras, CFG scale: 6.5, Seed: 1234, \
             Size: 512x768, Model hash: abc123, Model: \"a, b\", Clip skip: 2",
        );
        assert_eq!(found.program, Program::A1111);
        let expected = [
            ("prompt", "a (red:1.2) cat, on a mat"),
            ("weighting", "a1111"),
            ("negative", "dog"),
            ("steps", "25"),
            ("sampler", "dpmpp-2m"),
            ("schedule", "karras"),
            ("guidance", "6.5"),
            ("seed", "1234"),
            ("size", "512x768"),
        ];
        assert_eq!(pairs(&found), expected.map(|(key, value)| (key, value.to_owned())));
        let left = [("Model hash", "abc123"), ("Model", "a, b"), ("Clip skip", "2")];
        assert_eq!(found.left, left.map(|(name, value)| (name.to_owned(), value.to_owned())));
        // The link says this and nothing else, and the model's own settings stand elsewhere.
        let preset = Settings { rescale: 0.5, ..Settings::default() };
        let (settings, problems) = Settings::from_link_to(&preset, &found.link);
        assert_eq!(
            (settings.prompt.as_str(), settings.steps, settings.rescale),
            ("a (red:1.2) cat, on a mat", 25, 0.5)
        );
        assert_eq!(problems, []);
    }

    #[test]
    fn those_of_comfyui_are_followed_from_the_sampler() {
        let found = holding(
            "prompt",
            r#"{"3": {"class_type": "KSampler", "inputs": {"seed": 156680208700286, "steps": 20, "cfg": 8, "sampler_name": "euler_ancestral",
                "scheduler": "sgm_uniform", "denoise": 1, "model": ["4", 0], "positive": ["6", 0], "negative": ["7", 0], "latent_image": ["5", 0]}},
              "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "v1-5.ckpt"}},
              "5": {"class_type": "EmptyLatentImage", "inputs": {"width": 512, "height": 384, "batch_size": 2}},
              "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "a fish", "clip": ["4", 1]}},
              "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "", "clip": ["4", 1]}}}"#,
        );
        assert_eq!(found.program, Program::ComfyUi);
        let expected = [
            ("steps", "20"),
            ("guidance", "8"),
            ("sampler", "euler-ancestral"),
            ("schedule", "sgm-uniform"),
            ("prompt", "a fish"),
            ("negative", ""),
            ("size", "512x384"),
            ("images", "2"),
        ];
        assert_eq!(pairs(&found), expected.map(|(key, value)| (key, value.to_owned())));
        assert_eq!(found.left, [("seed".to_owned(), "156680208700286".to_owned())], "a seed of 64 bits");
    }

    #[test]
    fn arguments_of_a_pipeline_are_taken() {
        let text = r#"{"prompt": "a boat", "negative_prompt": "rain", "num_inference_steps": 30, "guidance_scale": 7.5, "seed": 9, "height": 64,
            "width": 96, "scheduler": "EulerDiscreteScheduler", "eta": 0.0}"#;
        let found = holding("settings", text);
        assert_eq!(found.program, Program::PipelineCall);
        // The names of an object have no order.
        let expected = [
            ("guidance", "7.5"),
            ("negative", "rain"),
            ("steps", "30"),
            ("prompt", "a boat"),
            ("sampler", "euler"),
            ("seed", "9"),
            ("size", "96x64"),
        ];
        assert_eq!(pairs(&found), expected.map(|(key, value)| (key, value.to_owned())));
        assert_eq!(found.left, [("eta".to_owned(), "0.0".to_owned())]);
    }

    #[test]
    fn what_says_nothing_is_nothing() {
        assert_eq!(read(PIXEL), Ok(None));
        for (keyword, text) in [
            ("parameters", "a cat"),
            ("prompt", "{}"),
            ("prompt", "[1"),
            ("unnoise", "{}"),
            ("Comment", "[]"),
            ("a", "{\"b\": 1}"),
        ] {
            let png = texts::with(PIXEL, &[(keyword, text)]).unwrap();
            assert_eq!(read(&png), Ok(None), "{keyword}: {text}");
        }
    }
}
