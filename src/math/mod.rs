pub mod grid;
pub mod latent;
pub mod level;
pub mod noise;

pub use grid::{Grid, GridError};
pub use latent::Latent;
pub use level::Level;
pub use noise::Noise;
