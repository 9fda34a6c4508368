//! Grids of runs, for the page.

use super::super::{Settings, given, taken};
use super::{Facts, Models, Named, known};
use crate::picture;
use crate::settings::{self, Axis, Linked, Page};
use serde::{Deserialize, Serialize};
use tsify::{Ts, Tsify};
use wasm_bindgen::prelude::*;

/// The runs of settings whose `x` and `y` are axes.
#[derive(Serialize, Tsify)]
#[tsify(missing_as_null, hashmap_as_object)]
pub struct Grid {
    x: Option<GridAxis>,
    y: Option<GridAxis>,
    /// The cheapest first, in which order they are drawn.
    cells: Vec<GridCell>,
}

#[derive(Serialize, Tsify)]
pub struct GridAxis {
    key: &'static str,
    /// As a link has each of them.
    values: Vec<String>,
}

#[derive(Serialize, Tsify)]
#[tsify(missing_as_null, hashmap_as_object)]
pub struct GridCell {
    column: usize,
    row: usize,
    settings: Settings,
    /// Why there is no such run.
    #[tsify(type = "Problem | null")]
    problem: Option<Named>,
    /// Of the model; `null` where that is not known before.
    evaluations: Option<usize>,
}

/// The numbers of a cell that was drawn.
#[derive(Deserialize, Tsify)]
#[tsify(missing_as_null)]
pub struct Measured {
    column: usize,
    row: usize,
    evaluations: usize,
    seconds: f64,
    /// Of the difference to the pinned cell; `null` where the pictures have other sizes.
    rms: Option<f64>,
}

#[derive(Deserialize, Tsify)]
pub struct MeasuredCells(Vec<Measured>);

/// The cells of the settings' grid; without axes there is one.
#[wasm_bindgen]
pub fn grid(settings: Ts<Settings>, models: Ts<Models>, facts: Option<Ts<Facts>>) -> Result<Ts<Grid>, JsValue> {
    let (models, facts) = (taken(&models)?.listed(), known(facts)?);
    let checked = settings::Settings::checked(taken(&settings)?.pairs(), &models, facts);
    let axis = |axis: &Axis| GridAxis { key: axis.key, values: axis.values.clone() };
    let page = checked.page.of_run();
    let cell = |cell: settings::Cell| {
        let record = cell.settings.record(&page);
        GridCell {
            column: cell.column,
            row: cell.row,
            settings: Settings(record.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()),
            problem: cell.problem.map(Named::from),
            evaluations: cell.evaluations,
        }
    };
    let cells = checked.cells(&models, facts).into_iter().map(cell).collect();
    let Page { x, y, .. } = &checked.page;
    given(&Grid { x: x.as_ref().map(axis), y: y.as_ref().map(axis), cells })
}

/// The numbers of a grid as comma-separated values.
#[wasm_bindgen]
pub fn grid_csv(settings: Ts<Settings>, cells: Ts<MeasuredCells>) -> Result<String, JsValue> {
    let settings::Checked { page, .. } = settings::Settings::checked(taken(&settings)?.pairs(), &[], None);
    let measured = |Measured { column, row, evaluations, seconds, rms }| settings::Measured {
        column,
        row,
        evaluations,
        seconds,
        rms,
    };
    Ok(page.csv(&taken(&cells)?.0.into_iter().map(measured).collect::<Vec<_>>()))
}

/// How far each value of a picture is from that of another one of the same size.
#[wasm_bindgen]
pub fn picture_difference(one: &[u8], other: &[u8]) -> Vec<u8> {
    picture::difference(one, other)
}

/// The root mean square of that difference, from 0 to 1; nothing for pictures of other sizes.
#[wasm_bindgen]
pub fn picture_rms(one: &[u8], other: &[u8]) -> Option<f64> {
    picture::rms(one, other)
}
