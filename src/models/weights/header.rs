//! The header of a safetensors file: which tensors it holds, and where.

use burn::tensor::DType;
use serde_json::{Map, Value};
use std::ops::Range;

/// Bytes before the header's text, which say how long it is.
pub const LENGTH: usize = 8;

/// The longest header that the format allows.
pub const LONGEST: u64 = 100_000_000;

/// A tensor of a file.
#[derive(Debug)]
pub struct Entry {
    pub name: String,
    /// The type of its values, as the format names it.
    pub dtype: String,
    pub shape: Vec<usize>,
    /// Its bytes in the file.
    pub range: Range<u64>,
}

impl Entry {
    /// The type of its values, if it is a float of any precision.
    pub fn float(&self) -> Option<DType> {
        match self.dtype.as_str() {
            "F64" => Some(DType::F64),
            "F32" => Some(DType::F32),
            "F16" => Some(DType::F16),
            "BF16" => Some(DType::BF16),
            _ => None,
        }
    }

    /// Bytes of so many values of its type, where they are floats.
    fn expected(&self) -> Option<u64> {
        let values = self.shape.iter().try_fold(1u64, |values, side| values.checked_mul(*side as u64));
        values?.checked_mul(self.float()?.size() as u64)
    }
}

/// The tensors of a file in the order of their bytes, which follow each other without a gap from the header to the end.
///
/// # Errors
/// Text that is no header: why, in a clause.
pub fn parse(text: &[u8]) -> Result<Vec<Entry>, String> {
    let all: Map<String, Value> = serde_json::from_slice(text).map_err(|e| format!("its header is no JSON: {e}"))?;
    let start = (LENGTH + text.len()) as u64;
    let tensors = all.into_iter().filter(|(name, _)| name != "__metadata__");
    let mut entries = tensors.map(|(name, said)| entry(name, &said, start)).collect::<Result<Vec<_>, _>>()?;
    entries.sort_by_key(|entry| (entry.range.start, entry.range.end));
    let mut end = start;
    for Entry { name, range, .. } in &entries {
        if range.start != end {
            let what = if range.start < end { "overlaps another one" } else { "does not follow the one before it" };
            return Err(format!("its tensor {name:?} {what}"));
        }
        end = range.end;
    }
    Ok(entries)
}

/// What the header says of a tensor, whose bytes are counted from `start`.
fn entry(name: String, said: &Value, start: u64) -> Result<Entry, String> {
    let numbers = |key: &str| said[key].as_array()?.iter().map(Value::as_u64).collect::<Option<Vec<u64>>>();
    let shape = numbers("shape").and_then(|shape| shape.into_iter().map(|side| usize::try_from(side).ok()).collect());
    let (Some(dtype), Some(shape), Some(&[from, to])) =
        (said["dtype"].as_str(), shape, numbers("data_offsets").as_deref())
    else {
        return Err(format!("its header does not say type, shape and place of {name:?}"));
    };
    let (from, to) = (start.checked_add(from), start.checked_add(to));
    let range = from.zip(to).filter(|(from, to)| from <= to).map(|(from, to)| from..to);
    let range = range.ok_or_else(|| format!("its tensor {name:?} ends before it begins"))?;
    let entry = Entry { dtype: dtype.to_owned(), shape, range, name };
    match entry.expected() {
        Some(expected) if expected != entry.range.end - entry.range.start => {
            Err(format!("its tensor {:?} has other bytes than its shape {:?} needs", entry.name, entry.shape))
        }
        None if entry.float().is_some() => Err(format!("its tensor {:?} is too large", entry.name)),
        _ => Ok(entry),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tensors_are_in_the_order_of_their_bytes() {
        let text = br#"{"__metadata__": {"format": "pt"},
            "b": {"dtype": "F32", "shape": [2, 3], "data_offsets": [6, 30]},
            "a": {"dtype": "BF16", "shape": [3], "data_offsets": [0, 6]},
            "ids": {"dtype": "I64", "shape": [1, 1], "data_offsets": [30, 38]}}"#;
        let start = 8 + text.len() as u64;
        let entries = parse(text).expect("a header");
        let named: Vec<_> = entries.iter().map(|e| (e.name.as_str(), e.float(), e.range.clone())).collect();
        assert_eq!(
            named,
            [
                ("a", Some(DType::BF16), start..start + 6),
                ("b", Some(DType::F32), start + 6..start + 30),
                ("ids", None, start + 30..start + 38)
            ]
        );
        assert_eq!(entries[1].shape, [2, 3]);
    }

    #[test]
    fn what_is_no_header_is_refused_in_a_clause() {
        let one = |dtype: &str, shape: &str, offsets: &str| {
            format!(r#"{{"a": {{"dtype": "{dtype}", "shape": {shape}, "data_offsets": {offsets}}}}}"#)
        };
        let two = |a: &str, b: &str| {
            let tensor = |at: &str| format!(r#"{{"dtype": "F16", "shape": [2], "data_offsets": {at}}}"#);
            format!(r#"{{"a": {}, "b": {}}}"#, tensor(a), tensor(b))
        };
        for (text, clause) in [
            ("[]".to_owned(), "no JSON"),
            ("{".to_owned(), "no JSON"),
            (r#"{"a": 3}"#.to_owned(), "does not say type, shape and place of \"a\""),
            (one("F32", "[-1]", "[0, 4]"), "does not say"),
            (one("F32", "[1]", "[0, 4, 8]"), "does not say"),
            (one("F32", "[1]", "[4, 0]"), "ends before it begins"),
            (one("F32", "[1]", "[0, 18446744073709551615]"), "ends before it begins"),
            (one("F32", "[3]", "[0, 8]"), "other bytes than its shape [3] needs"),
            (one("F64", "[4294967295, 4294967295]", "[0, 8]"), "is too large"),
            (one("F32", "[1]", "[4, 8]"), "does not follow"),
            (two("[0, 4]", "[2, 6]"), "\"b\" overlaps another one"),
            (two("[0, 4]", "[0, 4]"), "overlaps another one"),
            (two("[0, 4]", "[6, 10]"), "\"b\" does not follow"),
        ] {
            let why = parse(text.as_bytes()).expect_err(&text);
            assert!(why.contains(clause), "{text}: {why}");
        }
    }
}
