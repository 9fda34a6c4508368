//! The two engines that the library compiles to.

use std::path::PathBuf;

use clap::ValueEnum;

/// An engine of the page. A browser loads one of them, so each is a binary of its own: with both in one, a visitor
/// without WebGPU would download three times as much.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Backend {
    Cpu,
    Webgpu,
}

impl Backend {
    pub const ALL: [Self; 2] = [Self::Cpu, Self::Webgpu];

    /// The id that the page and the share link use.
    pub fn id(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Webgpu => "webgpu",
        }
    }

    /// How a person calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cpu => "CPU",
            Self::Webgpu => "WebGPU",
        }
    }

    /// The library's Cargo features: both are led by classifiers, which takes derivatives, and the laboratory trains, which it
    /// does on the CPU.
    pub fn feature(self) -> &'static str {
        match self {
            Self::Cpu => "cpu,autodiff,train",
            Self::Webgpu => "gpu,autodiff",
        }
    }

    /// The Cargo profile: the CPU engine does the arithmetic itself and is built for speed; the WebGPU engine only
    /// writes shaders, and is built for size.
    pub fn profile(self) -> &'static str {
        match self {
            Self::Cpu => "wasm",
            Self::Webgpu => "wasm-small",
        }
    }

    /// The JavaScript module's name, without its ending.
    pub fn module(self) -> String {
        format!("unnoise_{}", self.id())
    }

    /// The JavaScript module: there exactly when the engine is up to date.
    pub fn script(self) -> PathBuf {
        crate::root().join("pkg").join(format!("{}.js", self.module()))
    }

    /// The WebAssembly binary that the JavaScript module loads.
    pub fn binary(self) -> PathBuf {
        crate::root().join("pkg").join(format!("{}_bg.wasm", self.module()))
    }
}
