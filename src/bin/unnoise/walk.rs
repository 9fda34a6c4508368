use crate::Outcome;
use crate::device::{Device, load};
use crate::linked::Linked;
use crate::measured::bar;
use crate::output;
use crate::sample::ModelFolder;
use crate::settings_args::SettingsArgs;
use clap::Args as ClapArgs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use unnoise::backend::Opened;
use unnoise::eval::quality::samples;
use unnoise::models::classifier::NoisyClassifier;
use unnoise::picture;
use unnoise::pipeline::Pipeline;
use unnoise::session::{Given, Helpers};
use unnoise::settings::{Checked, Settings, Stop, Walk};
use unnoise::words::count;

/// Pictures on the way from one seed, prompt or class to the next, as the page's Walk draws them: a file a frame, and all on one
/// sheet.
#[derive(ClapArgs)]
pub struct Args {
    #[command(flatten)]
    from: Linked,
    /// The stops and the steps from one to the next, such as "seed:3,9,12 [8]", "class:0-9 [4]" or "prompt:red heart,blue star [16]"
    /// [default: the link's]
    #[arg(long, value_name = "KEY:STOPS [STEPS]", value_parser = str::parse::<Walk>)]
    walk: Option<Walk>,
    #[command(flatten)]
    settings: SettingsArgs<ModelFolder>,
    /// Where the network runs
    #[arg(long, value_enum, default_value_t = Device::Cpu)]
    device: Device,
    /// A folder for the frames, frame-0000.png and on
    #[arg(long, value_name = "DIR", default_value = "walk")]
    out: PathBuf,
    /// Also write all frames on one sheet: those from one stop to the next in a row
    #[arg(long, value_name = "PNG")]
    sheet: Option<PathBuf>,
}

/// A frame that was drawn: its pictures on a sheet.
struct Drawn {
    bytes: Vec<u8>,
    /// Channels, height and width of the sheet.
    shape: [usize; 3],
}

pub async fn run(mut args: Args) -> Outcome {
    args.sheet.as_ref().map_or(Ok(()), |path| output::has_place(path))?;
    args.from.read()?;
    let folder = args.from.folder()?;
    let (model, opened) = load(&folder, args.device).await?;
    let walk = args.walk(&model, &folder)?;
    let frames = walk.walk(Some(model.facts()))?;
    output::create_dir(&args.out)?;
    let bar = bar(frames.len(), "frames");
    let mut drawn = Vec::new();
    for (i, Stop { settings, .. }) in frames.iter().enumerate() {
        bar.set_position(i as u64);
        let picture = draw(&model, settings, &folder, &opened).await?;
        output::frame(&args.out, i, &picture.bytes, picture.shape)?;
        drawn.push(picture);
    }
    bar.finish_and_clear();
    if let (Some(path), Some(Drawn { shape, .. })) = (&args.sheet, drawn.first()) {
        let bytes: Vec<u8> = drawn.iter().flat_map(|frame| frame.bytes.iter().copied()).collect();
        let columns = walk.page.walk.as_ref().map_or(1, |walk| walk.steps);
        output::png(path, picture::rows(&bytes, *shape, columns), shape[0])?;
    }
    let link = walk.to_link();
    output::line(format_args!(
        "{} · {} · {} · {link}",
        count(drawn.len(), "frame"),
        args.out.display(),
        opened.adapter
    ));
    Ok(ExitCode::SUCCESS)
}

impl Args {
    /// The settings, and the walk.
    fn walk(&self, model: &Pipeline, folder: &Path) -> Result<Checked<Settings>, Box<dyn std::error::Error>> {
        let mut walk = self.from.with(&self.settings.pairs, model, folder)?;
        walk.page.walk = self.walk.clone().or(walk.page.walk.take());
        match walk.page.walk {
            Some(_) => Ok(walk),
            None => Err("there are no stops; name them, such as --walk \"seed:3,9\", or give a link with walk".into()),
        }
    }
}

/// The end of the run of a frame.
async fn draw(
    model: &Pipeline,
    settings: &Settings,
    folder: &Path,
    opened: &Opened,
) -> Result<Drawn, Box<dyn std::error::Error>> {
    let beside = model.card.classifier.as_ref().filter(|_| settings.classifier > 0.0);
    let classifier =
        beside.map(|name| NoisyClassifier::from_dir(&folder.with_file_name(name), &opened.device)).transpose()?;
    let helpers = Helpers { classifier: classifier.as_ref(), ..Helpers::default() };
    let shape = model.picture_of(settings);
    let pictures = samples::last(model, settings, Given { helpers, ..Given::default() }, &mut |_| ()).await?;
    let (bytes, width, height) = picture::sheet(&pictures, shape);
    Ok(Drawn { bytes, shape: [shape[0], height, width] })
}
