//! What was measured of models, kept in a file so that it goes on where it was.

use super::{Floor, NEIGHBOURS, Score};
use crate::settings::{Problem, Settings, Value};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt::Write;
use thiserror::Error;

/// What is known of each model, by the name of its folder.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Record(pub BTreeMap<String, Measured>);

/// What is known of one model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// Checksums of the weights of the model and of the classifier: with others, all is measured anew.
    pub weights: [u32; 2],
    pub features: usize,
    /// Training pictures whose features were compared, and all whose pixels were.
    pub training: [usize; 2],
    pub test: Floor,
    pub rows: Vec<Row>,
}

/// The score of one sampler.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    pub sampler: String,
    pub steps: usize,
    pub guidance: f64,
    pub seconds: f64,
    pub score: Score,
}

/// A text that is no record.
#[derive(Debug, Error)]
#[error("it is no record of measures ({0}); move it away")]
pub struct RecordError(#[from] serde_json::Error);

/// What is to be measured: every sampler with every number of `steps`, and the first sampler at every scale of guidance with every
/// number of `guided_steps`.
#[derive(Clone, Debug)]
pub struct Wanted<'a> {
    pub samplers: &'a [String],
    pub steps: &'a [usize],
    pub guidance: &'a [f64],
    pub guided_steps: &'a [usize],
}

impl Wanted<'_> {
    /// The settings of every row, those with few steps first.
    ///
    /// # Errors
    /// A sampler, number of steps or scale that there is not.
    pub fn settings(&self) -> Result<Vec<Settings>, Problem> {
        let plain = self.steps.iter().flat_map(|&steps| self.samplers.iter().map(move |s| (s, steps, 1.0)));
        let guided = self.samplers.first().into_iter().flat_map(|first| {
            self.guidance
                .iter()
                .flat_map(move |&scale| self.guided_steps.iter().map(move |&steps| (first, steps, scale)))
        });
        let mut wanted = Vec::new();
        for (sampler, steps, guidance) in plain.chain(guided) {
            let mut settings = Settings { seed: 0, ..Settings::default() };
            settings.take_all(vec![
                ("sampler".to_owned(), Value::from(&**sampler)),
                ("steps".to_owned(), Value::Number(steps as f64)),
                ("guidance".to_owned(), Value::Number(guidance)),
            ])?;
            if !wanted.contains(&settings) {
                wanted.push(settings);
            }
        }
        Ok(wanted)
    }
}

impl Record {
    /// # Errors
    /// Text that is no record.
    pub fn from_json(text: &str) -> Result<Self, RecordError> {
        Ok(serde_json::from_str(text)?)
    }

    /// The text of a file.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("numbers and names are JSON") + "\n"
    }

    /// How many rows are known of a model that are of other weights.
    pub fn outdated(&self, name: &str, weights: [u32; 2]) -> usize {
        self.0.get(name).filter(|known| known.weights != weights).map_or(0, |known| known.rows.len())
    }

    /// Takes what is known of a model, if it is of these weights, or nothing; rows stay only so long as the weights do.
    pub fn begin(&mut self, name: &str, fresh: Measured) -> &mut Measured {
        let known = self.0.remove(name).filter(|known| known.weights == fresh.weights);
        let rows = known.map_or(Vec::new(), |known| known.rows);
        self.0.entry(name.to_owned()).or_insert(Measured { rows, ..fresh })
    }
}

impl Row {
    fn is(&self, settings: &Settings) -> bool {
        (&self.sampler, self.steps, self.guidance) == (&settings.sampler, settings.steps, settings.guidance)
    }
}

impl Measured {
    /// Whether `pictures` samples of these settings have a score.
    pub fn has(&self, settings: &Settings, pictures: usize) -> bool {
        self.rows.iter().any(|row| row.is(settings) && row.score.pictures == pictures)
    }

    /// Notes a score, in the place of an older one of the same settings.
    pub fn note(&mut self, settings: &Settings, seconds: f64, score: Score) {
        self.rows.retain(|row| !row.is(settings));
        let Settings { sampler, steps, guidance, .. } = settings.clone();
        self.rows.push(Row { sampler, steps, guidance, seconds, score });
    }

    /// The Markdown table of one model, and the sentences that compare quick samplers with a slow one.
    pub fn markdown(&self, name: &str) -> String {
        let [reference, training] = self.training;
        let mut text = format!(
            "### {name}\n\n{} features; {reference} training pictures as reference, {training} as neighbours; k = \
             {NEIGHBOURS}.\n\n\
             | sampler | steps | guidance | samples | distance | accuracy | precision | recall | nearest | memorised |\n\
             |---|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n| test pictures | | | {} |\n",
            self.features,
            self.cells(&self.test.mean, self.test.deviation)
        );
        let mut rows: Vec<_> = self.rows.iter().collect();
        rows.sort_by(|a, b| {
            a.guidance.total_cmp(&b.guidance).then_with(|| (a.steps, &a.sampler).cmp(&(b.steps, &b.sampler)))
        });
        for Row { sampler, steps, guidance, score, .. } in rows {
            let _ = writeln!(text, "| `{sampler}` | {steps} | {guidance} | {} |", self.cells(score, None));
        }
        text += "\n";
        for quick in ["dpmpp-2m", "unipc-bh2"] {
            if let (Some(quick_one), Some(slow)) = (self.unguided(quick, 10), self.unguided("ddim", 20)) {
                let verdict = if quick_one.frechet < slow.frechet { "beats" } else { "does not beat" };
                let _ = writeln!(
                    text,
                    "`{quick}` with 10 steps ({:.3}) {verdict} `ddim` with 20 ({:.3}).",
                    quick_one.frechet, slow.frechet
                );
            }
        }
        text
    }

    fn unguided(&self, sampler: &str, steps: usize) -> Option<&Score> {
        let mut rows = self.rows.iter();
        rows.find(|row| row.sampler == sampler && row.steps == steps && row.guidance == 1.0).map(|row| &row.score)
    }

    fn cells(&self, score: &Score, deviation: Option<f64>) -> String {
        let deviation = deviation.map_or(String::new(), |deviation| format!(" ± {deviation:.3}"));
        let percent = |share: f64| format!("{:.1} %", 100.0 * share);
        [
            score.pictures.to_string(),
            format!("{:.3}{deviation}", score.frechet),
            score.accuracy.map_or(String::new(), percent),
            percent(score.precision),
            percent(score.recall),
            format!("{:.3}", score.distance / self.test.mean.distance),
            percent(score.memorised),
        ]
        .join(" | ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn score(frechet: f64) -> Score {
        Score {
            pictures: 8,
            frechet,
            accuracy: Some(0.5),
            precision: 0.75,
            recall: 0.25,
            distance: 3.0,
            memorised: 0.0,
        }
    }

    fn measured(weights: [u32; 2]) -> Measured {
        Measured {
            weights,
            features: 4,
            training: [10, 20],
            test: Floor { mean: Score { distance: 2.0, ..score(0.1) }, deviation: Some(0.02) },
            rows: Vec::new(),
        }
    }

    fn wanted(guided_steps: &[usize]) -> Vec<Settings> {
        let samplers = ["dpmpp-2m", "ddim"].map(str::to_owned);
        let wanted = Wanted { samplers: &samplers, steps: &[10, 20], guidance: &[1.0, 3.0], guided_steps };
        wanted.settings().expect("settings")
    }

    #[test]
    fn every_row_is_wanted_once() {
        let rows: Vec<_> =
            wanted(&[10, 4]).iter().map(|s| format!("{} {} {}", s.sampler, s.steps, s.guidance)).collect();
        let plain = ["dpmpp-2m 10 1", "ddim 10 1", "dpmpp-2m 20 1", "ddim 20 1"];
        assert_eq!(rows, [&plain[..], &["dpmpp-2m 4 1", "dpmpp-2m 10 3", "dpmpp-2m 4 3"]].concat());
        let nope = ["nope".to_owned()];
        assert!(Wanted { samplers: &nope, steps: &[1], guidance: &[], guided_steps: &[] }.settings().is_err());
    }

    #[test]
    fn rows_stay_while_the_weights_do() {
        let mut record = Record::default();
        let settings = &wanted(&[10])[0];
        record.begin("a", measured([1, 2])).note(settings, 1.0, score(0.5));
        record.begin("a", measured([1, 2])).note(settings, 1.0, score(0.4));
        let known = record.begin("a", measured([1, 2]));
        assert!(known.has(settings, 8) && !known.has(settings, 9) && !known.has(&wanted(&[10])[1], 8));
        assert_eq!(known.rows.len(), 1, "the newer score is in the older one's place");
        assert_eq!(Record::from_json(&record.to_json()).expect("a record"), record);
        assert_eq!([[1, 2], [1, 3]].map(|weights| record.outdated("a", weights)), [0, 1]);
        assert!(record.begin("a", measured([1, 3])).rows.is_empty());
        assert!(Record::from_json("[]").expect_err("no record").to_string().contains("move it away"));
    }

    #[test]
    fn the_table_has_the_rows_in_order_and_a_verdict() {
        let mut measured = measured([0; 2]);
        for (settings, frechet) in wanted(&[10]).iter().zip([0.3, 0.9, 0.2, 0.5, 0.7]).rev() {
            measured.note(settings, 1.0, score(frechet));
        }
        let text = measured.markdown("a");
        let rows: Vec<_> = text.lines().filter(|line| line.starts_with("| `")).collect();
        assert_eq!(rows.len(), 5);
        let floor = "| test pictures | | | 8 | 0.100 ± 0.020 | 50.0 % | 75.0 % | 25.0 % | 1.000 | 0.0 % |";
        assert!(text.lines().any(|line| line == floor), "{text}");
        assert_eq!(rows[0], "| `ddim` | 10 | 1 | 8 | 0.900 | 50.0 % | 75.0 % | 25.0 % | 1.500 | 0.0 % |");
        assert!(rows[4].starts_with("| `dpmpp-2m` | 10 | 3 |"), "{}", rows[4]);
        assert!(text.contains("`dpmpp-2m` with 10 steps (0.300) beats `ddim` with 20 (0.500)."), "{text}");
    }
}
