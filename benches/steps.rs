//! What a step costs natively, as the rows of a Markdown table: `cargo bench --bench steps`.

use std::error::Error;
use std::ops::ControlFlow;
use std::path::Path;

use unnoise::backend::{self, Backend};
use unnoise::models::Pretrained;
use unnoise::session::{self, Given, Timing};
use unnoise::settings::Settings;

const STEPS: usize = 10;

fn main() -> Result<(), Box<dyn Error>> {
    pollster::block_on(async {
        let device = backend::open(Backend::Cpu).await?.device;
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/fashion-mnist");
        let model = Pretrained::from_dir(&folder, &device)?;
        println!("| images | ms a step | outside the network |\n|---:|---:|---:|");
        for images in [1, 4, 16] {
            // One evaluation a step, and no second one for guidance.
            let settings = Settings { images, steps: STEPS, guidance: 1.0, ..Settings::default() };
            let mut times: Vec<Timing> = Vec::new();
            let _ = session::run(&model, &settings, Given::default(), &device, async |frame| {
                times.push(frame.timing);
                ControlFlow::Continue(())
            })
            .await?;
            // The first frame is the noise, and the step after it fills caches.
            let mut steps: Vec<_> = times[1..].windows(2).map(|pair| pair[1].total - pair[0].total).collect();
            steps.sort();
            let last = times.last().ok_or("a run has frames")?;
            let outside = 1.0 - last.network.as_secs_f64() / last.total.as_secs_f64();
            let median = steps[steps.len() / 2].as_secs_f64() * 1e3;
            println!("| {images} | {median:.1} | {:.1} % |", 100.0 * outside);
        }
        Ok(())
    })
}
