//! What a step costs natively, as Markdown tables: `cargo bench --features cli --bench steps`; with `-- json` the milliseconds by number of
//! images alone, as a JSON object.

use futures_util::TryStreamExt;
use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;

use unnoise::backend::{self, Backend};
use unnoise::pipeline::Pipeline;
use unnoise::samplers::methods;
use unnoise::session::{Given, SessionError, Timing};
use unnoise::settings::Settings;

const STEPS: usize = 10;

fn main() -> Result<(), Box<dyn Error>> {
    pollster::block_on(async {
        let device = backend::open(Backend::Cpu).await?.device;
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/fashion-mnist");
        let model = Pipeline::from_dir(&folder, &device)?;

        let mut rows = BTreeMap::new();
        for images in [1, 4, 16] {
            let times = time(&model, Settings { images, ..plain() }).await?;
            // The first frame is the noise, and the step after it fills caches.
            let steps = times[1..].windows(2).map(|pair| pair[1].total - pair[0].total);
            let best = steps.min().unwrap_or_default().as_secs_f64() * 1e3;
            rows.insert(images, (best, outside(&times)));
        }
        if std::env::args().any(|arg| arg == "json") {
            let best: BTreeMap<_, _> = rows.iter().map(|(images, (best, _))| (images, best)).collect();
            println!("{}", serde_json::to_string(&best)?);
            return Ok(());
        }
        println!("| images | ms a step | outside the network |\n|---:|---:|---:|");
        for (images, (best, outside)) in rows {
            println!("| {images} | {best:.1} | {:.1} % |", 100.0 * outside);
        }

        println!("\n| sampler, 1 image | outside the network |\n|---|---:|");
        for method in methods::<f64>() {
            let settings = Settings { images: 1, sampler: method.id.to_owned(), ..plain() };
            let share = outside(&time(&model, settings).await?);
            println!("| {} | {:.2} % |", method.id, 100.0 * share);
        }
        Ok(())
    })
}

/// One evaluation a step, and no second one for guidance.
fn plain() -> Settings {
    Settings { steps: STEPS, guidance: 1.0, ..Settings::default() }
}

/// The clock at each frame of a run.
async fn time(model: &Pipeline, settings: Settings) -> Result<Vec<Timing>, SessionError> {
    model.frames(&settings, Given::default()).map_ok(|frame| frame.timing).try_collect().await
}

/// The share of a run that was not spent in the network; its first step, which fills caches, left out.
fn outside(times: &[Timing]) -> f64 {
    let [.., last] = times else { return f64::NAN };
    let first = times.get(1).copied().unwrap_or_default();
    1.0 - (last.network - first.network).as_secs_f64() / (last.total - first.total).as_secs_f64()
}
