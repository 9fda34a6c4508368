//! The networks of latent and text-to-image diffusion, and the pictures that their pipelines draw, against diffusers.
#![cfg(feature = "cpu")]

mod latent_networks;
mod oracle;
mod pictures;
mod text_networks;
