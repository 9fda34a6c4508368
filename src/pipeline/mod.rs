//! Floor 4: a folder of weights in the layout of diffusers, made runnable.

pub mod text;
