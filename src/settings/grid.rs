//! Runs beside each other: the cells of a grid whose axes are settings.

use super::preset::{Checked, Listed};
use super::problem::{Problem, Reason, one_of};
use super::{Axis, Facts, Levels, Linked, Page, Settings, Value};
use crate::denoise::last_share;
use crate::math::{Discrete, Schedule, Spacing};
use crate::samplers;

#[cfg(test)]
mod tests;

/// The most cells that a grid has.
pub const MOST_CELLS: usize = 64;

/// A run of a grid.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    pub column: usize,
    pub row: usize,
    pub settings: Settings,
    /// Why there is no such run.
    pub problem: Option<Problem>,
    /// Evaluations of the model that it takes, as far as that is known before.
    pub evaluations: Option<usize>,
}

impl Page {
    /// Whether there is a grid.
    pub fn has_axes(&self) -> bool {
        self.x.is_some() || self.y.is_some()
    }

    /// Two axes of one setting, or of too many cells, have no grid: the second is left out.
    pub fn fit_axes(&mut self) -> Option<Problem> {
        let keys = |other: &'static str| Axis::keys().filter(move |key| *key != other);
        let lengths = [&self.x, &self.y].map(|axis| axis.as_ref().map_or(1, |axis| axis.values.len()));
        let same = self.x.as_ref().zip(self.y.as_ref()).filter(|(x, y)| x.key == y.key);
        let reason = match same {
            Some((x, y)) => one_of(y.key, keys(x.key)),
            None if lengths[0] * lengths[1] > MOST_CELLS => Reason::Cells { most: MOST_CELLS },
            None => return None,
        };
        let (key, axis) = match self.y.take() {
            Some(y) => ("y", Some(y)),
            None => ("x", self.x.take()),
        };
        axis.map(|axis| Problem::new(key, axis, reason))
    }
}

/// The process by which evaluations are counted before the model's own is known: most have as many on any.
pub fn stand_in() -> Option<Schedule> {
    Discrete::linear(1e-4, 0.02, 1000).ok().map(Schedule::Discrete)
}

impl Settings {
    /// Evaluations of the model that a run of these settings takes, all of its legs; `None` where a sampler chooses its steps, or
    /// its levels are not those of a process that every model could have.
    pub fn evaluations(&self) -> Option<usize> {
        let schedule = stand_in()?;
        let (mut all, mut begins, mut level) = (0, 0, None);
        for (leg, end) in self.legs() {
            let spacing = match &leg.schedule {
                Levels::Spaced(spacing) => spacing,
                Levels::Model => &Spacing::Trailing,
            };
            let method = leg.method::<f64>().ok()?;
            let grid = spacing.grid(&schedule, leg.steps).ok()?;
            let grid = match level {
                Some(level) => grid.below(level)?,
                None if leg.strength < 1.0 => last_share(&grid, leg.strength)?,
                None => grid,
            };
            let steps = end.map_or(grid.steps(), |end: usize| end - begins);
            all += samplers::evaluations(&method, leg.tuning(&method), &grid, steps, &schedule)?;
            level = Some(grid.after(steps));
            begins += steps;
        }
        Some(all)
    }
}

impl Checked<Settings> {
    /// The hash of a link that reads back to the settings and the grid.
    pub fn to_link(&self) -> String {
        self.settings.write_link(&self.page)
    }

    /// The cells of its grid, the cheapest first: those of the model that is chosen, then those of each other one. `facts`
    /// are what is known of the chosen one.
    pub fn cells(&self, models: &[Listed], facts: Option<Facts>) -> Vec<Cell> {
        let values = |axis: &Option<Axis>| match axis {
            Some(axis) => axis.values.iter().map(|value| Some((axis.clone(), value.clone()))).collect(),
            None => vec![None],
        };
        let (columns, rows) = (values(&self.page.x), values(&self.page.y));
        let mut cells = Vec::new();
        for (row, y) in rows.iter().enumerate() {
            for (column, x) in columns.iter().enumerate() {
                let mut set: Vec<_> = y.iter().chain(x).collect();
                set.sort_by_key(|(axis, _)| axis.place());
                let (settings, problem) = self.cell(&set, models, facts);
                let evaluations = settings.evaluations().filter(|_| problem.is_none());
                cells.push(Cell { column, row, settings, problem, evaluations });
            }
        }
        // Another model has to be put on the device first.
        let axis = [&self.page.x, &self.page.y].into_iter().flatten().find(|axis| axis.key == "model");
        let model = |cell: &Cell| {
            let place = axis.and_then(|axis| axis.values.iter().position(|id| *id == cell.settings.model));
            place.filter(|_| cell.settings.model != self.settings.model).map_or(0, |place| place + 1)
        };
        cells.sort_by_cached_key(|cell| (model(cell), cell.evaluations.unwrap_or(usize::MAX)));
        cells
    }

    /// The settings of a cell, and why they cannot be run as its place in the grid says.
    fn cell(&self, set: &[&(Axis, String)], models: &[Listed], facts: Option<Facts>) -> (Settings, Option<Problem>) {
        let mut settings = self.settings.clone();
        for (axis, value) in set {
            let known = facts.filter(|_| settings.model == self.settings.model);
            let change = (axis.key, Some(Value::from(&**value)));
            let changed = settings.change(Page::default(), change, models, known);
            settings = changed.settings;
            if let Some(problem) = changed.problems.into_iter().next() {
                return (settings, Some(problem));
            }
        }
        let stands = |key: &str, value: &str| {
            let Some(row) = Settings::row(key) else { return true };
            let mut wanted = settings.clone();
            row.set(&mut wanted, &value.into()).is_ok() && row.get(&wanted) == row.get(&settings)
        };
        let lost = set.iter().find(|(axis, value)| !stands(axis.key, value));
        let why = Reason::Idle { why: "another setting of the grid decides it" };
        let problem = lost.map(|(axis, value)| Problem::new(axis.key, value, why));
        (settings, problem)
    }
}

/// The numbers of a cell that was drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    pub column: usize,
    pub row: usize,
    pub evaluations: usize,
    pub seconds: f64,
    /// Root mean square of the difference to the pinned cell, 0 to 1; `None` where the pictures have other sizes.
    pub rms: Option<f64>,
}

impl Page {
    /// The numbers of a grid as comma-separated values.
    pub fn csv(&self, cells: &[Measured]) -> String {
        let axes: Vec<_> =
            [&self.x, &self.y].into_iter().zip(0..).filter_map(|(axis, i)| Some((axis.as_ref()?, i))).collect();
        let mut lines = vec![
            [
                axes.iter().map(|(axis, _)| axis.key.to_owned()).collect(),
                ["evaluations", "seconds", "rms"].map(str::to_owned).to_vec(),
            ]
            .concat()
            .join(","),
        ];
        for cell in cells {
            let place = [cell.column, cell.row];
            let values = axes.iter().map(|(axis, i)| quoted(axis.values.get(place[*i]).map_or("", String::as_str)));
            let rms = cell.rms.map_or(String::new(), |rms| format!("{rms:.6}"));
            let numbers = [cell.evaluations.to_string(), format!("{:.3}", cell.seconds), rms];
            lines.push(values.chain(numbers).collect::<Vec<_>>().join(","));
        }
        lines.join("\n") + "\n"
    }
}

/// A text as a cell of a table (RFC 4180).
fn quoted(text: &str) -> String {
    let plain = !text.contains([',', '"', '\n', '\r']);
    if plain { text.to_owned() } else { format!("\"{}\"", text.replace('"', "\"\"")) }
}
