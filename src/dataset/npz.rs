//! Arrays of bytes that numpy packed with `savez_compressed`: a zip archive of npy files (numpy.org/doc, "NPY format").

use flate2::bufread::DeflateDecoder;
use rawzip::{CompressionMethod, ZipArchive};
use std::io::{self, Read};

/// The array `name` of an archive, row-major, and its shape; or why there is none.
pub fn bytes(archive: &[u8], name: &str) -> Result<(Vec<u8>, Vec<usize>), String> {
    let file = unpacked(archive, &format!("{name}.npy")).map_err(|e| e.to_string())?;
    let (header, values) = split(&file).ok_or_else(|| format!("{name} is no array"))?;
    if !header.contains("'descr': '|u1'") || !header.contains("'fortran_order': False") {
        return Err(format!("{name} is not an array of bytes: {header}"));
    }
    let listed = header.split_once("'shape': (").and_then(|(_, rest)| rest.split_once(')'));
    let listed = listed.map_or("", |(listed, _)| listed).split(',').map(str::trim).filter(|number| !number.is_empty());
    let shape: Vec<usize> = listed.map(str::parse).collect::<Result<_, _>>().map_err(|_| header.to_owned())?;
    if shape.iter().try_fold(1usize, |size, &n| size.checked_mul(n)) != Some(values.len()) {
        return Err(format!("{name} has the shape {shape:?} and holds {} bytes", values.len()));
    }
    Ok((values.to_vec(), shape))
}

/// The header of an npy file, a Python dictionary, and what follows it.
fn split(file: &[u8]) -> Option<(&str, &[u8])> {
    let [major, _, rest @ ..] = file.strip_prefix(b"\x93NUMPY")? else { return None };
    let (length, rest) = match major {
        1 => rest.split_first_chunk().map(|(&length, rest)| (usize::from(u16::from_le_bytes(length)), rest))?,
        _ => rest.split_first_chunk().map(|(&length, rest)| (u32::from_le_bytes(length) as usize, rest))?,
    };
    let (header, values) = rest.split_at_checked(length)?;
    Some((str::from_utf8(header).ok()?, values))
}

fn unpacked(archive: &[u8], name: &str) -> io::Result<Vec<u8>> {
    let archive = ZipArchive::from_slice(archive).map_err(io::Error::other)?;
    let mut entries = archive.entries();
    while let Some(entry) = entries.next_entry().map_err(io::Error::other)? {
        if entry.file_path().as_ref() != name.as_bytes() {
            continue;
        }
        let packed = archive.get_entry(entry.wayfinder()).map_err(io::Error::other)?;
        let mut out = Vec::new();
        match entry.compression_method() {
            CompressionMethod::STORE => packed.verifying_reader(packed.data()).read_to_end(&mut out)?,
            CompressionMethod::DEFLATE => {
                packed.verifying_reader(DeflateDecoder::new(packed.data())).read_to_end(&mut out)?
            }
            other => return Err(io::Error::other(format!("{name} is packed by {other:?}"))),
        };
        return Ok(out);
    }
    Err(io::Error::other(format!("it has no {name}")))
}
