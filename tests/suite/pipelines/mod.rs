//! The networks of latent and text-to-image diffusion, and the pictures that their pipelines draw, against diffusers.
#![cfg(feature = "cli")]

mod extras;
mod folders;
mod latent_networks;
mod oracle;
mod pictures;
mod present;
mod runs;
mod text_networks;
