//! Noto emoji, packed by numpy.

use super::{DataError, Pictures, Split, broken, npz, unreadable};
use crate::picture;
use serde::Deserialize;
use std::collections::HashMap;
use std::fs;
use std::path::Path;

/// Groups of emoji, and so the label of the first group's variants.
const GROUPS: usize = 8;
/// One base emoji of so many is held out.
const HELD: usize = 10;

#[derive(Deserialize)]
struct Index {
    emoji: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    index: usize,
    kind: String,
    codepoints: Vec<String>,
    base: String,
}

/// Noto emoji laid on white. The label is the group, and 8 more for a variant of a base emoji (skin tone, gender). Every
/// tenth base emoji and all its variants are held out, for a variant differs from its base in little; the other base
/// emoji stand `base_repeats` times among what is seen, as variants outnumber them.
///
/// `arrays` is an npz of `images` `[n, height, width, 4]`, `group` `[n]` and `is_base` `[n]`, all bytes; `index` a JSON
/// that has for each its code points and those of its base.
///
/// # Errors
/// Files that are missing, damaged, or do not belong together.
pub fn emoji(arrays: &Path, index: &Path, base_repeats: usize) -> Result<Split, DataError> {
    let packed = fs::read(arrays).map_err(unreadable(arrays))?;
    let array = |name| npz::bytes(&packed, name).map_err(broken(arrays, "an npz of emoji"));
    let ((pixels, shape), (group, _), (is_base, _)) = (array("images")?, array("group")?, array("is_base")?);
    let &[count, height, width, 4] = shape.as_slice() else {
        return Err(broken(arrays, "an npz of RGBA pictures")(format!("its shape is {shape:?}")));
    };
    let text = fs::read_to_string(index).map_err(unreadable(index))?;
    let Index { emoji } = serde_json::from_str(&text).map_err(broken(index, "an index of emoji"))?;
    if [group.len(), is_base.len(), emoji.len()].iter().any(|&n| n != count) {
        return Err(DataError::Count { path: arrays.to_owned(), pictures: count, labels: emoji.len() });
    }

    let labels = group.iter().zip(&is_base).map(|(&g, &base)| usize::from(g) + if base == 0 { GROUPS } else { 0 });
    let bases: HashMap<String, usize> =
        emoji.iter().filter(|row| row.kind == "base").map(|row| (row.codepoints.join("_"), row.index)).collect();
    let held = |row: &Row| {
        let base =
            bases.get(&row.base).ok_or_else(|| broken(index, "an index of emoji")(format!("no {}", row.base)))?;
        Ok(base % HELD == HELD - 1)
    };
    let held = emoji.iter().map(held).collect::<Result<Vec<bool>, DataError>>()?;
    let all = Pictures::of_bytes([3, height, width], on_white(&pixels, height * width), labels.collect());
    let places = |wanted: &dyn Fn(usize) -> bool| (0..count).filter(|&i| wanted(i)).collect::<Vec<_>>();
    let mut seen = places(&|i| !held[i] && is_base[i] == 0);
    seen.extend(places(&|i| !held[i] && is_base[i] != 0).repeat(base_repeats));
    Ok(Split { seen: all.pick(&seen), held: Some(all.pick(&places(&|i| held[i]))) })
}

/// Square RGBA pictures of an even side in an npz, pixel by pixel, and their number and side.
pub(super) fn rgba(arrays: &Path) -> Result<(Vec<u8>, [usize; 2]), DataError> {
    let packed = fs::read(arrays).map_err(unreadable(arrays))?;
    let (pixels, shape) = npz::bytes(&packed, "images").map_err(broken(arrays, "an npz of emoji"))?;
    match shape[..] {
        [count, height, width, 4] if height == width && height.is_multiple_of(2) && height > 0 => {
            Ok((pixels, [count, height]))
        }
        _ => Err(broken(arrays, "an npz of square RGBA pictures with an even side")(format!("its shape is {shape:?}"))),
    }
}

/// Transparent pixels, channels last, on white, channels first.
fn on_white(rgba: &[u8], plane: usize) -> Vec<u8> {
    let rgb = picture::flatten(rgba, [255; 3]);
    let planes =
        |picture: &[u8]| -> Vec<u8> { (0..3).flat_map(|c| picture.iter().skip(c).step_by(3)).copied().collect() };
    rgb.chunks_exact(3 * plane).flat_map(planes).collect()
}
