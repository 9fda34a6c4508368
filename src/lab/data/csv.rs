//! Points from pasted text.

use super::own::{Own, OwnError, fitted};
use crate::words::count;
use thiserror::Error;

/// Why text has no points.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum CsvError {
    #[error("Line {line} has {}, but a point has two, and a label if you like a third; mend the line.", count(*.got, "column"))]
    Columns { line: usize, got: usize },
    #[error("Line {line} has \"{value}\" where a number belongs; write it with digits and a decimal point.")]
    Number { line: usize, value: String },
    #[error(
        "Line {line} has {}, but the lines before have {expected}; give every point a label, or none.",
        count(*.got, "column")
    )]
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

/// A line's number, counted from 1, and its cells.
type Row<'a> = (usize, Vec<&'a str>);

/// Points from lines of two columns, or three with a label of any text, between semicolons, tabs, commas or spaces. Numbers
/// have a decimal point, or a decimal comma where commas do not separate. A first line without numbers is a header, and a
/// first column that only numbers the lines, as pandas writes it, is left out; so are empty lines. Points of any units are
/// fitted to the plane.
///
/// # Errors
/// A line that is no point, naming it; no points, too many, or too many different labels.
pub fn read_csv(text: &str) -> Result<Own, CsvError> {
    let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
    // Old spreadsheets end lines with a carriage return alone.
    let text = if text.contains('\n') { text.to_owned() } else { text.replace('\r', "\n") };
    let lines = (1..).zip(text.lines()).filter(|(_, text)| !text.trim().is_empty());
    let mut rows: Vec<Row> = lines.map(|(line, text)| (line, cells(text))).collect();
    let is_header = |(_, row): &Row| row[0].is_empty() || row.iter().all(|cell| number(cell).is_none());
    let header = rows.first().is_some_and(is_header).then(|| rows.remove(0).1);
    if is_numbered(header.as_deref(), &rows) {
        for (_, row) in rows.iter_mut().filter(|(_, row)| row.len() > 2) {
            row.remove(0);
        }
    }

    let (mut points, mut labels, mut columns) = (Vec::new(), Vec::<&str>::new(), None);
    for (line, row) in rows {
        let got = row.len();
        if !(2..=3).contains(&got) {
            return Err(CsvError::Columns { line, got });
        }
        let expected = *columns.get_or_insert(got);
        if got != expected {
            return Err(CsvError::Uneven { line, got, expected });
        }
        let value = |cell: &str| {
            let finite = number(cell).filter(|v| v.is_finite());
            finite.ok_or_else(|| CsvError::Number { line, value: shown(cell) })
        };
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

/// What some programs begin a text with.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// What a column of line numbers is called.
const NUMBERING: [&str; 6] = ["", "index", "id", "no", "nr", "#"];

/// Whether the first column numbers the lines: its header says so, or stands before `x` and `y`; or, without a header, it
/// counts the lines and what would then be labels are no whole numbers.
fn is_numbered(header: Option<&[&str]>, rows: &[Row]) -> bool {
    let lower = |cell: &str| cell.to_ascii_lowercase();
    match header {
        Some([first, rest @ ..]) if rest.len() >= 2 => {
            NUMBERING.contains(&lower(first).as_str()) || (lower(rest[0]) == "x" && lower(rest[1]) == "y")
        }
        Some(_) => false,
        None => {
            let counts = |from: usize| (from..).zip(rows).all(|(n, (_, row))| number(row[0]) == Some(n as f64));
            let is_whole = |cell: &&str| number(cell).is_none_or(|v| v.fract() == 0.0);
            let more = rows.iter().any(|(_, row)| row.len() > 3 || row.get(2).is_some_and(|cell| !is_whole(cell)));
            rows.len() > 1 && more && (counts(0) || counts(1))
        }
    }
}

/// The cells of a line, without the quotes around them. Where there is no semicolon and no tab, commas separate, or spaces
/// if the commas are decimal.
fn cells(line: &str) -> Vec<&str> {
    if let Some(mark) = [';', '\t'].into_iter().find(|mark| line.contains(*mark)) {
        return split(line, mark);
    }
    let words: Vec<&str> = line.split_whitespace().collect();
    let decimal = |cell: &&str| cell.split_once(',').is_none_or(|(whole, rest)| is_digits(whole) && is_digits(rest));
    let spaced = words.len() > 1 && words.iter().all(decimal);
    if !line.contains(',') || (spaced && words.iter().any(|word| word.contains(','))) {
        words
    } else {
        split(line, ',')
    }
}

fn is_digits(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())
}

/// The cells between marks that stand outside of quotes.
fn split(line: &str, mark: char) -> Vec<&str> {
    let mut quoted = false;
    let cells = line.split(|c: char| {
        quoted ^= c == '"';
        c == mark && !quoted
    });
    cells.map(unquoted).collect()
}

fn unquoted(cell: &str) -> &str {
    let cell = cell.trim();
    cell.strip_prefix('"').and_then(|c| c.strip_suffix('"')).unwrap_or(cell)
}

/// A number, which may be infinite or NaN, with a decimal point or comma.
fn number(cell: &str) -> Option<f64> {
    let pointed = |(whole, rest): (&str, &str)| (!cell.contains('.')).then(|| format!("{whole}.{rest}"));
    cell.parse().ok().or_else(|| cell.split_once(',').and_then(pointed)?.parse().ok())
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
    fn decimal_commas_quotes_and_a_byte_order_mark_are_read() {
        let plain = read_csv("0.5,0\n2,4.25").unwrap();
        for text in [
            "0,5;0\n2;4,25",
            "0,5\t0\n2\t4,25",
            "0,5 0,0\n2,0 4,25",
            "\"0,5\",\"0\"\n\"2\",\"4,25\"",
            "x;y\n0,5;0\n2;4,25",
            "0.5,0\r2,4.25\r",
            "\u{feff}0.5,0\n2,4.25",
            "\u{feff}x,y\n0.5,0\n2,4.25",
        ] {
            assert_eq!(read_csv(text).unwrap(), plain, "{text:?}");
        }
    }

    #[test]
    fn a_column_that_numbers_the_lines_is_left_out() {
        let plain = read_csv("0.5,0\n2,4.25\n1,1").unwrap();
        for text in [
            ",x,y\n0,0.5,0\n1,2,4.25\n2,1,1",
            ",0,1\n0,0.5,0\n1,2,4.25\n2,1,1",
            "index;a;b\n7;0,5;0\n3;2;4,25\n9;1;1",
            "n,x,y\n1,0.5,0\n2,2,4.25\n3,1,1",
            "0,0.5,0\n1,2,4.25\n2,1,1",
        ] {
            assert_eq!(read_csv(text).unwrap(), plain, "{text:?}");
        }
        let labelled = read_csv("0.5,0,a\n2,4.25,b").unwrap();
        assert_eq!(read_csv("1,0.5,0,a\n2,2,4.25,b").unwrap(), labelled);
        // Points whose labels are numbers stay points, and so do points that happen to count.
        assert_eq!(read_csv("0,5,1\n1,7,2\n2,6,1").unwrap().points().label, [0, 1, 0]);
        assert_eq!(read_csv("0,5\n1,7\n2,6").unwrap().points().x.0.len(), 3);
    }

    #[test]
    fn each_bad_line_is_named_with_what_to_do() {
        for (text, line, sentence) in [
            (
                "1,2\n3",
                Some(2),
                "Line 2 has 1 column, but a point has two, and a label if you like a third; mend the line.",
            ),
            ("1,2,3,4", Some(1), "Line 1 has 4 columns"),
            ("x,y\n1,2\n\n3,four", Some(4), "Line 4 has \"four\" where a number belongs; write it with digits"),
            ("1,2\nx,y", Some(2), "Line 2 has \"x\""),
            ("1,2\nNaN,3", Some(2), "Line 2 has \"NaN\""),
            ("1,2\ninf,3", Some(2), "Line 2 has \"inf\""),
            ("NaN,NaN\n1,2", Some(1), "Line 1 has \"NaN\""),
            ("nan;inf\n1;2", Some(1), "Line 1 has \"nan\""),
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
