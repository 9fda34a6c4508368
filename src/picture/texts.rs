//! Texts in PNG files (Portable Network Graphics, third edition, sections 5 and 11.3.3).

use thiserror::Error;

/// Where every PNG begins.
const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";
/// Length, type and checksum of a chunk.
const FRAME: usize = 12;
/// More than any text that is read takes.
const LONGEST: usize = 1 << 20;

/// A text with its keyword.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    pub keyword: String,
    /// `None` where it is compressed or longer than a mebibyte.
    pub text: Option<String>,
}

/// Why bytes are no PNG that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NoPng {
    #[error("it is no PNG")]
    Signature,
    #[error("it is cut off, or damaged, at byte {0}")]
    Broken(usize),
}

/// The texts of a PNG, in the order in which they stand there.
///
/// # Errors
/// Bytes that are no PNG, or a damaged one.
pub fn read(png: &[u8]) -> Result<Vec<Text>, NoPng> {
    let chunks = chunks(png)?;
    Ok(chunks.iter().filter_map(|chunk| text(chunk.kind, chunk.data)).collect())
}

/// The PNG with these texts before its pixels, in UTF-8; what it had under their keywords is replaced.
///
/// # Errors
/// Bytes that are no PNG, or a damaged one.
pub fn with(png: &[u8], texts: &[(&str, &str)]) -> Result<Vec<u8>, NoPng> {
    let mut out = SIGNATURE.to_vec();
    let mut pending = Some(texts);
    for Chunk { kind, data, whole } in chunks(png)? {
        let replaced = text(kind, data).is_some_and(|old| texts.iter().any(|(keyword, _)| *keyword == old.keyword));
        if matches!(kind, b"IDAT" | b"IEND") {
            pending.take().into_iter().flatten().for_each(|(keyword, text)| put(&mut out, keyword, text));
        }
        if !replaced {
            out.extend_from_slice(whole);
        }
    }
    Ok(out)
}

/// A part of the file.
struct Chunk<'a> {
    kind: &'a [u8],
    data: &'a [u8],
    /// With its length and its checksum.
    whole: &'a [u8],
}

fn chunks(png: &[u8]) -> Result<Vec<Chunk<'_>>, NoPng> {
    let mut rest = png.strip_prefix(SIGNATURE).ok_or(NoPng::Signature)?;
    let mut chunks = Vec::new();
    // What stands behind the end is none of the picture's.
    while chunks.last().is_none_or(|last: &Chunk<'_>| last.kind != b"IEND") {
        let broken = NoPng::Broken(png.len() - rest.len());
        let length = rest.first_chunk().map(|length| u32::from_be_bytes(*length) as usize).ok_or(broken)?;
        let (whole, after) = length.checked_add(FRAME).and_then(|all| rest.split_at_checked(all)).ok_or(broken)?;
        let (named, sum) = whole[4..].split_at(4 + length);
        if sum != checksum(named).to_be_bytes() {
            return Err(broken);
        }
        let (kind, data) = named.split_at(4);
        chunks.push(Chunk { kind, data, whole });
        rest = after;
    }
    Ok(chunks)
}

/// The text of a chunk that has one.
fn text(kind: &[u8], data: &[u8]) -> Option<Text> {
    let (keyword, rest) = until_zero(data)?;
    let text = match kind {
        // Latin-1 by the specification, and UTF-8 by those who did not read it.
        b"tEXt" => Some(std::str::from_utf8(rest).map_or_else(|_| latin1(rest), str::to_owned)),
        b"zTXt" => None,
        b"iTXt" => {
            let (flags, rest) = rest.split_at_checked(2)?;
            let (_, rest) = until_zero(rest)?;
            let (_, rest) = until_zero(rest)?;
            (flags[0] == 0).then(|| String::from_utf8_lossy(rest).into_owned())
        }
        _ => return None,
    };
    Some(Text { keyword: latin1(keyword), text: text.filter(|text| text.len() <= LONGEST) })
}

fn until_zero(data: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = data.iter().position(|byte| *byte == 0)?;
    Some((&data[..end], &data[end + 1..]))
}

fn latin1(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

/// Appends an `iTXt` chunk that is not compressed and says no language.
fn put(out: &mut Vec<u8>, keyword: &str, text: &str) {
    let named = [b"iTXt", keyword.as_bytes(), &[0; 5], text.as_bytes()].concat();
    out.extend_from_slice(&((named.len() - 4) as u32).to_be_bytes());
    out.extend_from_slice(&named);
    out.extend_from_slice(&checksum(&named).to_be_bytes());
}

/// CRC-32 of a chunk's type and data.
fn checksum(bytes: &[u8]) -> u32 {
    const TABLE: [u32; 256] = {
        let mut table = [0; 256];
        let mut n = 0;
        while n < 256 {
            let (mut value, mut bit) = (n as u32, 0);
            while bit < 8 {
                value = if value & 1 == 1 { 0xedb8_8320 ^ (value >> 1) } else { value >> 1 };
                bit += 1;
            }
            table[n] = value;
            n += 1;
        }
        table
    };
    !bytes.iter().fold(!0, |sum, byte| TABLE[((sum ^ u32::from(*byte)) & 0xff) as usize] ^ (sum >> 8))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One grey pixel, as libpng writes it.
    const PIXEL: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\0\0\0\0\x3a\x7e\x9b\x55\
        \0\0\0\nIDAT\x78\x9c\x63\x60\0\0\0\x02\0\x01\x48\xaf\xa4\x71\0\0\0\0IEND\xae\x42\x60\x82";

    fn plain(keyword: &str, text: &str) -> Text {
        Text { keyword: keyword.to_owned(), text: Some(text.to_owned()) }
    }

    fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
        let named = [kind, data].concat();
        [&(data.len() as u32).to_be_bytes()[..], &named, &checksum(&named).to_be_bytes()].concat()
    }

    /// The pixel with a chunk before its end.
    fn holding(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
        let end = PIXEL.len() - FRAME;
        [&PIXEL[..end], &chunk(kind, data), &PIXEL[end..]].concat()
    }

    #[test]
    fn texts_are_read_back_and_replaced() {
        assert_eq!(read(PIXEL), Ok(Vec::new()));
        let once = with(PIXEL, &[("parameters", "猫, a cat"), ("unnoise", "{}")]).unwrap();
        assert_eq!(read(&once).unwrap(), [plain("parameters", "猫, a cat"), plain("unnoise", "{}")]);
        let twice = with(&once, &[("unnoise", "{\"a\":1}")]).unwrap();
        assert_eq!(read(&twice).unwrap(), [plain("parameters", "猫, a cat"), plain("unnoise", "{\"a\":1}")]);
    }

    #[test]
    fn other_programs_texts_are_read() {
        assert_eq!(read(&holding(b"tEXt", b"parameters\0caf\xe9")).unwrap(), [plain("parameters", "café")]);
        assert_eq!(read(&holding(b"tEXt", "prompt\0猫".as_bytes())).unwrap(), [plain("prompt", "猫")]);
        let packed = [Text { keyword: "prompt".to_owned(), text: None }];
        assert_eq!(read(&holding(b"zTXt", b"prompt\0\0\x78\x9c")).unwrap(), packed);
        assert_eq!(read(&holding(b"iTXt", b"prompt\0\x01\0\0\0\x78\x9c")).unwrap(), packed);
        assert_eq!(read(&holding(b"iTXt", b"prompt")), Ok(Vec::new()), "no text that has no end of its keyword");
    }

    #[test]
    fn what_is_damaged_is_refused() {
        assert_eq!(read(b"GIF89a"), Err(NoPng::Signature));
        for end in 8..PIXEL.len() {
            assert!(matches!(read(&PIXEL[..end]), Err(NoPng::Broken(_))), "cut at {end}");
        }
        for at in 8..PIXEL.len() {
            let mut bytes = PIXEL.to_vec();
            bytes[at] ^= 1;
            assert!(matches!(read(&bytes), Err(NoPng::Broken(_))), "changed at {at}");
        }
    }
}
