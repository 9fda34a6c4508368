//! The networks of latent and text-to-image diffusion, against diffusers.
#![cfg(feature = "cpu")]

mod latent_networks;
mod oracle;
mod text_networks;
