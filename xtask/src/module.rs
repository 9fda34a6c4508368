//! The WebAssembly modules that the library compiles to.

use std::path::PathBuf;

use clap::ValueEnum;

/// A module of the page. A browser loads the settings and one engine, so each is a binary of its own: with both engines in
/// one, a visitor without WebGPU would download three times as much.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Module {
    /// Links, catalogue and rules, without a network: for the page's main thread.
    Settings,
    Cpu,
    /// The lab of the plane with its training, for which visitors of pictures do not wait.
    Lab,
    /// Runs as files that move, which is fetched when somebody saves one.
    Film,
    Webgpu,
}

impl Module {
    /// In the order in which the page needs them.
    pub const ALL: [Self; 5] = [Self::Settings, Self::Cpu, Self::Lab, Self::Film, Self::Webgpu];
    pub const ENGINES: [Self; 2] = [Self::Cpu, Self::Webgpu];

    /// These engines, and what is none, in the order in which the page needs them.
    pub fn with(engines: &[Self]) -> Vec<Self> {
        Self::ALL.into_iter().filter(|module| !Self::ENGINES.contains(module) || engines.contains(module)).collect()
    }

    /// The id; of an engine, the one that the page and the share link use.
    pub fn id(self) -> &'static str {
        match self {
            Self::Settings => "settings",
            Self::Cpu => "cpu",
            Self::Lab => "lab",
            Self::Film => "film",
            Self::Webgpu => "webgpu",
        }
    }

    /// How a person calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Settings => "settings module",
            Self::Cpu => "CPU engine",
            Self::Lab => "lab",
            Self::Film => "module of films",
            Self::Webgpu => "WebGPU engine",
        }
    }

    /// The library's Cargo features.
    pub fn feature(self) -> &'static str {
        match self {
            Self::Settings => "link",
            Self::Cpu => "cpu,engine",
            Self::Lab => "laboratory",
            Self::Film => "film",
            Self::Webgpu => "gpu,engine",
        }
    }

    /// The Cargo profile: what does the arithmetic itself is built for speed; the WebGPU engine only writes shaders, and is built
    /// for size.
    pub fn profile(self) -> &'static str {
        match self {
            Self::Cpu | Self::Lab => "wasm",
            Self::Film | Self::Settings | Self::Webgpu => "wasm-small",
        }
    }

    /// The JavaScript module's name, without its ending.
    pub fn module(self) -> String {
        format!("unnoise_{}", self.id())
    }

    /// The JavaScript module: there exactly when the module is up to date.
    pub fn script(self) -> PathBuf {
        crate::root().join("pkg").join(format!("{}.js", self.module()))
    }

    /// The WebAssembly binary that the JavaScript module loads.
    pub fn binary(self) -> PathBuf {
        crate::root().join("pkg").join(format!("{}_bg.wasm", self.module()))
    }
}
