//! Align Your Steps: noise levels that were optimised for one network and are interpolated to any number of steps.

use crate::math::linspace;

/// Which network's optimised noise levels are taken (Sabour et al. 2024, arXiv 2404.14507).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlignYourSteps {
    /// Stable Diffusion 1.5.
    Sd1,
    /// Stable Diffusion XL.
    Sdxl,
    /// Stable Video Diffusion.
    Svd,
}

impl AlignYourSteps {
    /// Every table.
    pub const ALL: [Self; 3] = [Self::Sd1, Self::Sdxl, Self::Svd];

    /// Id of the table in a link.
    pub fn id(self) -> &'static str {
        match self {
            Self::Sd1 => "sd1",
            Self::Sdxl => "sdxl",
            Self::Svd => "svd",
        }
    }

    /// The published noise-to-signal ratios of ten steps (research.nvidia.com/labs/toronto-ai/AlignYourSteps/howto.html).
    pub fn ratios(self) -> [f64; 11] {
        match self {
            Self::Sd1 => [
                14.6146412293,
                6.4745760956,
                3.8636745985,
                2.6946151520,
                1.8841921177,
                1.3943805092,
                0.9642583904,
                0.6523686016,
                0.3977456272,
                0.1515232662,
                0.0291671582,
            ],
            Self::Sdxl => [
                14.6146412293,
                6.3184485287,
                3.7681790315,
                2.1811480769,
                1.3405244945,
                0.8620721141,
                0.5550693289,
                0.3798540708,
                0.2332364134,
                0.1114188177,
                0.0291671582,
            ],
            Self::Svd => [700.0, 54.5, 15.886, 7.977, 4.248, 1.789, 0.981, 0.403, 0.173, 0.034, 0.002],
        }
    }

    /// The ratios at `n` equally spaced places of the table, its ends included, with logarithms linear between its
    /// entries (the authors' `loglinear_interp`) and then stretched, as logarithms, so that the table runs from `most`
    /// to `least`. Ends equal to the table's own leave it as it was published.
    pub fn stretched(self, most: f64, least: f64, n: usize) -> Vec<f64> {
        let table = self.ratios().map(f64::ln);
        let (top, bottom) = (table[0], table[10]);
        let at = |place: f64| {
            let (low, part) = ((place as usize).min(9), place - (place as usize).min(9) as f64);
            let u = (table[low] * (1.0 - part) + table[low + 1] * part - bottom) / (top - bottom);
            (most.ln() * u + least.ln() * (1.0 - u)).exp()
        };
        linspace(0.0, 10.0, n).into_iter().map(at).collect()
    }
}
