//! The module that makes films, which a worker of the page loads when somebody saves one.

use super::{given, taken};
use crate::animation::{self, Format, Pace, Scene, Shows};
use serde::{Deserialize, Serialize};
use tsify::{Ts, Tsify};
use wasm_bindgen::prelude::*;

/// What is seen of the frames of a run.
#[derive(Deserialize, Tsify)]
pub struct FilmScene {
    #[tsify(type = "\"x\" | \"denoised\" | \"both\"")]
    shows: String,
    /// The image alone, from 0 on, instead of the sheet of all.
    #[tsify(type = "number | null")]
    image: Option<usize>,
    /// Pixels a side of a pixel.
    zoom: usize,
    images: usize,
    channels: usize,
    height: usize,
    width: usize,
}

/// What a film becomes.
#[derive(Deserialize, Tsify)]
pub struct FilmOptions {
    scene: FilmScene,
    #[tsify(type = "\"gif\" | \"apng\" | \"zip\"")]
    format: String,
    /// Frames a second.
    rate: f64,
    /// Seconds for which the last frame stays besides.
    hold: f64,
    /// How many frames are added.
    frames: usize,
}

/// What is said of a frame in a ZIP.
#[derive(Deserialize, Tsify)]
pub struct FilmStep {
    step: usize,
    t: f64,
    alpha: f64,
    sigma: f64,
    /// Texts of its PNGs, by keyword.
    texts: Vec<(String, String)>,
}

/// The size of a film in pixels.
#[derive(Serialize, Tsify)]
pub struct FilmSize {
    width: usize,
    height: usize,
}

impl From<FilmScene> for Scene {
    fn from(scene: FilmScene) -> Self {
        let FilmScene { shows, image, zoom, images, channels, height, width } = scene;
        let shows = match shows.as_str() {
            "denoised" => Shows::Estimates,
            "both" => Shows::Both,
            _ => Shows::Points,
        };
        Self { shows, image, zoom: zoom.max(1), images, shape: [channels, height, width] }
    }
}

/// The size of a film of this scene. Throws where it is too large.
#[wasm_bindgen]
pub fn film_size(scene: Ts<FilmScene>) -> Result<Ts<FilmSize>, JsValue> {
    let [width, height] = Scene::from(taken(&scene)?).size().map_err(JsError::from)?;
    given(&FilmSize { width, height })
}

/// A frame of this scene in red, green, blue and alpha; empty where there is nothing to see yet.
#[wasm_bindgen]
pub fn film_frame(scene: Ts<FilmScene>, x: &[u8], denoised: Option<Box<[u8]>>) -> Result<Vec<u8>, JsValue> {
    let scene = Scene::from(taken(&scene)?);
    let drawn = scene.draw(x, denoised.as_deref());
    Ok(drawn.map_or(Vec::new(), |drawn| drawn.enlarged(scene.zoom).rgba()))
}

/// A film that is being made.
#[wasm_bindgen]
pub struct Film(Option<animation::Film>);

#[wasm_bindgen]
impl Film {
    #[wasm_bindgen(constructor)]
    pub fn new(options: Ts<FilmOptions>) -> Result<Film, JsValue> {
        let FilmOptions { scene, format, rate, hold, frames } = taken(&options)?;
        let format = Format::of_ending(&format).ok_or_else(|| JsError::new("a film is a gif, an apng or a zip"))?;
        let film = animation::Film::new(format, scene.into(), Pace { rate, hold }, frames);
        Ok(Self(Some(film.map_err(JsError::from)?)))
    }

    /// Whether every frame has to be looked at before the first is added.
    pub fn looks(&self) -> bool {
        self.0.as_ref().is_some_and(animation::Film::looks)
    }

    pub fn look(&mut self, x: &[u8], denoised: Option<Box<[u8]>>) {
        if let Some(film) = &mut self.0 {
            film.look(x, denoised.as_deref());
        }
    }

    pub fn add(&mut self, x: &[u8], denoised: Option<Box<[u8]>>, step: Ts<FilmStep>) -> Result<(), JsValue> {
        let FilmStep { step, t, alpha, sigma, texts } = taken(&step)?;
        let film = self.0.as_mut().ok_or_else(over)?;
        let step = animation::Step { step, t, alpha, sigma, texts };
        Ok(film.add(x, denoised.as_deref(), &step).map_err(JsError::from)?)
    }

    /// The file; the film is over. `link` is of the run.
    pub fn finish(&mut self, link: &str) -> Result<Vec<u8>, JsValue> {
        Ok(self.0.take().ok_or_else(over)?.finish(link).map_err(JsError::from)?)
    }
}

fn over() -> JsError {
    JsError::new("the film is finished already")
}
