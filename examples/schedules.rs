//! Prints, as a Markdown table, the noise-to-signal ratios (k-diffusion's sigmas) that every spacing visits in ten steps
//! on DDPM's linear schedule.

use std::error::Error;
use unnoise::math::{Discrete, Spacing};

const STEPS: usize = 10;

fn main() -> Result<(), Box<dyn Error>> {
    let schedule = Discrete::linear(1e-4, 0.02, 1000)?;
    println!("| schedule |{}", (1..=STEPS).map(|i| format!(" {i} |")).collect::<String>());
    println!("|---|{}", "---:|".repeat(STEPS));
    for spacing in Spacing::ALL.into_iter().filter(|spacing| spacing.steps().is_none()) {
        let ratios = spacing.grid(&schedule, STEPS)?.levels();
        let cells: String = ratios[..STEPS].iter().map(|level| format!(" {:.4} |", level.nsr())).collect();
        println!("| `{spacing}` |{cells}");
    }
    Ok(())
}
