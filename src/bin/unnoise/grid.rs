use crate::Outcome;
use crate::device::{Device, load};
use crate::grid_sheet::{Placed, sheet};
use crate::linked::Linked;
use crate::measured::bar;
use crate::output;
use crate::sample::ModelFolder;
use crate::settings_args::SettingsArgs;
use clap::Args as ClapArgs;
use futures_util::StreamExt;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::process::ExitCode;
use unnoise::backend::Opened;
use unnoise::models::classifier::NoisyClassifier;
use unnoise::picture;
use unnoise::pipeline::Pipeline;
use unnoise::session::{Given, Helpers, SessionError};
use unnoise::settings::{Axis, Cell, Checked, Listed, Measured, Settings};
use unnoise::words::count;

/// A grid of runs on one sheet, as the page's Compare draws it: a column for each value of one setting, a row for each value of
/// another.
#[derive(ClapArgs)]
pub struct Args {
    #[command(flatten)]
    from: Linked,
    /// What changes across, such as steps:5,10,20, guidance:1-4 or "steps:3-12 [4]" [default: the link's]
    #[arg(long, value_name = "KEY:VALUES", value_parser = str::parse::<Axis>)]
    x: Option<Axis>,
    /// What changes down [default: the link's]
    #[arg(long, value_name = "KEY:VALUES", value_parser = str::parse::<Axis>)]
    y: Option<Axis>,
    #[command(flatten)]
    settings: SettingsArgs<ModelFolder>,
    /// Where the network runs
    #[arg(long, value_enum, default_value_t = Device::Cpu)]
    device: Device,
    /// The cells on one sheet
    #[arg(long, value_name = "PNG", default_value = "grid.png")]
    out: PathBuf,
    /// Also write the numbers of the cells; the differences are those from the first cell of the sheet
    #[arg(long, value_name = "CSV")]
    csv: Option<PathBuf>,
}

/// A cell that was drawn, on a sheet of its own.
struct Drawn {
    bytes: Vec<u8>,
    /// Channels, height and width of the sheet.
    shape: [usize; 3],
    evaluations: usize,
    seconds: f64,
}

pub async fn run(mut args: Args) -> Outcome {
    [Some(&args.out), args.csv.as_ref()].into_iter().flatten().try_for_each(|path| output::has_place(path))?;
    args.from.read()?;
    let folder = args.from.folder()?;
    let (model, opened) = load(&folder, args.device).await?;
    let mut grid = args.grid(&model, &folder)?;
    let mut models = vec![(grid.settings.model.clone(), model)];
    for id in
        [&grid.page.x, &grid.page.y].into_iter().flatten().filter(|axis| axis.key == "model").flat_map(|a| &a.values)
    {
        if models.iter().all(|(known, _)| known != id) {
            models.push((id.clone(), load(&folder.with_file_name(id), args.device).await?.0));
        }
    }
    let facts = models[0].1.facts();
    let listed = models.iter().map(|(id, model)| listed(id, model)).collect::<Result<Vec<_>, _>>()?;
    grid.settings = grid.settings.fitted(Some(facts))?;
    let cells = grid.cells(&listed, Some(facts));
    let bar = bar(cells.len(), "cells");
    let mut drawn: Vec<(Cell, Drawn)> = Vec::new();
    for (i, cell) in cells.into_iter().enumerate() {
        bar.set_position(i as u64);
        let place = format!("column {}, row {}", cell.column + 1, cell.row + 1);
        if let Some(problem) = &cell.problem {
            bar.suspend(|| eprintln!("warning: {place} is left empty: {problem}"));
            continue;
        }
        let own = models.iter().find(|(id, _)| *id == cell.settings.model);
        let model = own.map(|(_, model)| model).ok_or_else(|| format!("{place}: no model {}", cell.settings.model))?;
        let picture = draw(model, &cell.settings, &folder.with_file_name(&cell.settings.model), &opened).await;
        match picture {
            Ok(picture) => drawn.push((cell, picture)),
            Err(e) if matches!(e.downcast_ref(), Some(SessionError::Setting(_))) => {
                bar.suspend(|| eprintln!("warning: {place} is left empty: {e}"));
            }
            Err(e) => return Err(e),
        }
    }
    bar.finish_and_clear();
    let placed = drawn.iter().map(|(Cell { column, row, .. }, Drawn { bytes, shape, .. })| Placed {
        column: *column,
        row: *row,
        bytes,
        shape: *shape,
    });
    let (sheet, channels) = sheet(&placed.collect::<Vec<_>>(), &grid.page);
    output::png(&args.out, sheet, channels)?;
    if let Some(path) = &args.csv {
        output::text(path, &grid.page.csv(&measured(&drawn)))?;
    }
    for (word, axis) in [("columns", &grid.page.x), ("rows", &grid.page.y)] {
        if let Some(Axis { key, values, .. }) = axis {
            output::line(format_args!("{word}: {key} {}", values.join(", ")));
        }
    }
    let evaluations = drawn.iter().map(|(_, drawn)| drawn.evaluations).sum();
    output::line(format_args!("{}, {}", count(drawn.len(), "cell"), count(evaluations, "evaluation")));
    output::line(format_args!("{} · {} · {}", args.out.display(), opened.adapter, grid.to_link()));
    Ok(ExitCode::SUCCESS)
}

impl Args {
    /// The settings of all cells, and the axes.
    fn grid(&self, model: &Pipeline, folder: &Path) -> Result<Checked<Settings>, Box<dyn std::error::Error>> {
        let mut grid = self.from.with(&self.settings.pairs, model, folder)?;
        for (axis, given) in [(&mut grid.page.x, &self.x), (&mut grid.page.y, &self.y)] {
            *axis = given.clone().or(axis.take());
        }
        grid.page.fit_axes().map_or(Ok(()), Err)?;
        match grid.page.has_axes() {
            true => Ok(grid),
            false => {
                Err("nothing changes across or down; name it, such as --x steps:5,10,20, or give a link with x or y"
                    .into())
            }
        }
    }
}

/// What moves settings from one model to another.
fn listed(id: &str, model: &Pipeline) -> Result<Listed, serde_json::Error> {
    let defaults = serde_json::from_value(serde_json::to_value(&model.card.defaults)?)?;
    Ok(Listed { id: id.to_owned(), defaults, classifier: model.card.classifier.is_some(), text: None })
}

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
    let mut frames = pin!(model.frames(settings, Given { helpers, ..Given::default() }));
    let shape = model.picture_of(settings);
    let mut last = None;
    while let Some(frame) = frames.next().await {
        last = Some(frame?);
    }
    let frame = last.ok_or("the run has no frames")?;
    let (bytes, width, height) = picture::sheet(&frame.pixels(shape, model.card.range).0, shape);
    let seconds = frame.timing.total.as_secs_f64();
    Ok(Drawn { bytes, shape: [shape[0], height, width], evaluations: frame.timing.evaluations, seconds })
}

/// The numbers of the cells in the order of the sheet.
fn measured(cells: &[(Cell, Drawn)]) -> Vec<Measured> {
    let mut all: Vec<_> = cells.iter().collect();
    all.sort_by_key(|(cell, _)| (cell.row, cell.column));
    let first = all.first().map(|(_, drawn)| drawn);
    let numbers = |(cell, drawn): &(Cell, Drawn)| Measured {
        column: cell.column,
        row: cell.row,
        evaluations: drawn.evaluations,
        seconds: drawn.seconds,
        rms: first
            .filter(|first| first.shape == drawn.shape)
            .and_then(|first| picture::rms(&first.bytes, &drawn.bytes)),
    };
    all.into_iter().map(numbers).collect()
}
