//! The page's own keys of a link.

use super::Axis;

/// What the page itself is to be like.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// Where the network runs.
    pub backend: Backend,
    /// The language of the texts; `None` where the browser's is taken.
    pub lang: Option<&'static str>,
    /// The stop of the lab's guided tour.
    pub tour: Option<&'static str>,
    /// The axes of the grid that is shown: across, and down.
    pub x: Option<Axis>,
    pub y: Option<Axis>,
}

/// Where the network is to run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Backend {
    /// On a GPU if there is one.
    #[default]
    Auto,
    Cpu,
    WebGpu,
}

impl Page {
    pub const BACKENDS: [(&'static str, Backend); 3] =
        [("auto", Backend::Auto), ("cpu", Backend::Cpu), ("webgpu", Backend::WebGpu)];
    pub const LANGUAGES: [&'static str; 2] = ["en", "zh"];
    /// Of the guided tour.
    pub const STOPS: [&'static str; 10] = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10"];

    /// What a link that is shared says of the page: another reader may prefer another language.
    #[must_use]
    pub fn shared(&self) -> Self {
        Self { lang: None, ..self.clone() }
    }

    /// Puts a key back to its default, if it is one of the page's.
    pub(crate) fn reset(&mut self, key: &str) {
        match key {
            "backend" => self.backend = Backend::default(),
            "lang" => self.lang = None,
            "tour" => self.tour = None,
            "x" => self.x = None,
            "y" => self.y = None,
            _ => {}
        }
    }
}
