//! `log.csv`.

use super::{RunError, file};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

const COLUMNS: &str = "step,images,loss,loss_ema,held_out,lr,images_per_s,elapsed_s";
/// What a classifier's log has besides.
const ACCURACY: &str = ",accuracy";

/// A row of the log.
#[derive(Clone, Debug)]
pub struct Row {
    pub step: usize,
    pub images: usize,
    /// Of the row's last batch, and smoothed.
    pub loss: f64,
    pub loss_ema: f64,
    /// Where they were measured.
    pub held_out: Option<f64>,
    pub accuracy: Option<f64>,
    pub lr: f64,
    pub images_per_s: f64,
    pub elapsed: Duration,
}

/// The log of a run, of which the file has every row.
pub struct Log {
    path: PathBuf,
    columns: String,
    rows: Vec<String>,
}

impl Log {
    /// The log in the folder `out` up to `step`: what an interrupted run wrote after its checkpoint is about to be run
    /// again.
    pub fn new(out: &Path, step: usize, classifier: bool) -> Self {
        let path = out.join("log.csv");
        let columns = if classifier { [COLUMNS, ACCURACY].concat() } else { COLUMNS.to_owned() };
        let old = if step > 0 { fs::read_to_string(&path).unwrap_or_default() } else { String::new() };
        let of = |row: &str| row.split(',').next().and_then(|step| step.parse::<usize>().ok());
        let rows = old.lines().skip(1).filter(|row| of(row).is_some_and(|of| of <= step)).map(str::to_owned).collect();
        Self { path, columns, rows }
    }

    pub fn push(&mut self, row: &Row) -> Result<(), RunError> {
        let Row { step, images, loss, loss_ema, held_out, accuracy, lr, images_per_s, elapsed } = row;
        let measured = |value: &Option<f64>| value.map_or(String::new(), |value| format!("{value:.5}"));
        let mut line = format!(
            "{step},{images},{loss:.5},{loss_ema:.5},{},{lr:.4e},{images_per_s:.1},{:.1}",
            measured(held_out),
            elapsed.as_secs_f64()
        );
        if self.columns.ends_with(ACCURACY) {
            line = line + "," + &measured(accuracy);
        }
        self.rows.push(line);
        let text =
            [&self.columns].into_iter().chain(&self.rows).flat_map(|line| [line.as_str(), "\n"]).collect::<String>();
        fs::write(&self.path, text).map_err(file(&self.path))
    }
}
