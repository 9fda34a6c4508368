//! Points from pasted text.

use super::own::{Own, OwnError, fitted};
use thiserror::Error;

/// Why text has no points.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum CsvError {
    #[error("Line {line} has {got} columns, but a point has two, and a label if you like a third; mend the line.")]
    Columns { line: usize, got: usize },
    #[error("Line {line} has \"{value}\" where a number belongs; write it with digits and a decimal point.")]
    Number { line: usize, value: String },
    #[error("Line {line} has {got} columns, but the lines before have {expected}; give every point a label, or none.")]
    Uneven { line: usize, got: usize, expected: usize },
    #[error(transparent)]
    Points(#[from] OwnError),
}

impl CsvError {
    /// The line that is to be mended, counted from 1, where it is one.
    pub fn line(&self) -> Option<usize> {
        match self {
            Self::Columns { line, .. } | Self::Number { line, .. } | Self::Uneven { line, .. } => Some(*line),
            Self::Points(_) => None,
        }
    }
}

/// Points from lines of two columns, or three with a label of any text, between commas, semicolons, tabs or spaces. A first line
/// without numbers is a header; empty lines are skipped. Points of any units are fitted to the plane.
///
/// # Errors
/// A line that is no point, naming it; no points, too many, or too many different labels.
pub fn read_csv(text: &str) -> Result<Own, CsvError> {
    let lines = (1..).zip(text.lines()).filter(|(_, text)| !text.trim().is_empty());
    let rows = lines.map(|(line, text)| (line, cells(text)));
    let (mut points, mut labels, mut columns) = (Vec::new(), Vec::<&str>::new(), None);
    for (index, (line, row)) in rows.enumerate() {
        if index == 0 && row.iter().all(|cell| number(cell).is_none()) {
            continue;
        }
        let got = row.len();
        if !(2..=3).contains(&got) {
            return Err(CsvError::Columns { line, got });
        }
        let expected = *columns.get_or_insert(got);
        if got != expected {
            return Err(CsvError::Uneven { line, got, expected });
        }
        let value = |cell: &str| number(cell).ok_or_else(|| CsvError::Number { line, value: shown(cell) });
        points.push([value(row[0])?, value(row[1])?]);
        labels.extend(row.get(2).copied());
    }
    let mut known: Vec<&str> = labels.clone();
    known.sort_unstable();
    known.dedup();
    if known.len() > Own::CLASSES {
        return Err(OwnError::Classes { got: known.len() }.into());
    }
    // Found, and below CLASSES.
    let labels: Vec<u8> = labels.iter().map(|label| known.partition_point(|k| k < label) as u8).collect();
    Ok(Own::new(&fitted(&points), &labels)?)
}

/// The cells of a line. Where there is no comma, semicolon or tab, any space separates.
fn cells(line: &str) -> Vec<&str> {
    match [';', '\t', ','].into_iter().find(|mark| line.contains(*mark)) {
        Some(mark) => line.split(mark).map(unquoted).collect(),
        None => line.split_whitespace().collect(),
    }
}

fn unquoted(cell: &str) -> &str {
    let cell = cell.trim();
    cell.strip_prefix('"').and_then(|c| c.strip_suffix('"')).unwrap_or(cell)
}

fn number(cell: &str) -> Option<f64> {
    cell.parse().ok().filter(|v: &f64| v.is_finite())
}

/// The beginning of a cell, as a message shows it.
fn shown(cell: &str) -> String {
    cell.chars().take(20).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> (Option<usize>, String) {
        let error = read_csv(text).expect_err("it is refused");
        (error.line(), error.to_string())
    }

    #[test]
    fn columns_may_be_apart_by_any_usual_mark_and_have_a_header() {
        let plain = read_csv("0,0\n2,4").unwrap();
        for text in
            ["x,y\n0,0\n\n2,4\n", "\"x\";\"y\"\r\n0;0\r\n\"2\";4", "0\t0\n2\t4", "0 0\n 2   4 ", "0.0, 0e3\n+2, 4"]
        {
            assert_eq!(read_csv(text).unwrap(), plain, "{text:?}");
        }
        let near = |got: [f64; 2], expected: [f64; 2]| got.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1.3e-3);
        assert!(near(plain.points().x.0[0], [-1.75, -3.5]) && near(plain.points().x.0[1], [1.75, 3.5]));
    }

    #[test]
    fn a_third_column_is_a_label_of_any_text() {
        let own = read_csv("x,y,kind\n0,0,cat\n1,1,ant\n2,0,cat").unwrap();
        assert_eq!(own.points().label, [1, 0, 1]);
    }

    #[test]
    fn each_bad_line_is_named_with_what_to_do() {
        for (text, line, sentence) in [
            (
                "1,2\n3",
                Some(2),
                "Line 2 has 1 columns, but a point has two, and a label if you like a third; mend the line.",
            ),
            ("1,2,3,4", Some(1), "Line 1 has 4 columns"),
            ("x,y\n1,2\n\n3,four", Some(4), "Line 4 has \"four\" where a number belongs; write it with digits"),
            ("1,2\nx,y", Some(2), "Line 2 has \"x\""),
            ("1,2\nNaN,3", Some(2), "Line 2 has \"NaN\""),
            ("1,2\ninf,3", Some(2), "Line 2 has \"inf\""),
            ("1,y\n", Some(1), "Line 1 has \"y\""),
            ("1,2,a\n3,4", Some(2), "Line 2 has 2 columns, but the lines before have 3"),
            ("", None, "There is no point"),
            ("x,y\n", None, "There is no point"),
        ] {
            let (got, message) = said(text);
            assert_eq!(got, line, "{text:?}: {message}");
            assert!(message.starts_with(sentence), "{text:?}: {message}");
        }
        assert!(said(&"1,2\n".repeat(2001)).1.starts_with("There are 2001 points"));
        let labels: String = (0..17).map(|i| format!("0,{i},l{i}\n")).collect();
        assert!(said(&labels).1.starts_with("There are 17 different labels"));
    }
}
