//! Weights, pictures and data sets.

use super::{Input, Target, said};
use flate2::Crc;
use std::fs;
use unnoise::dataset::{Idx, emoji, idx, pairs, pictures};
use unnoise::models::values;
use unnoise::picture::Placing;

pub const SAFETENSORS: Target = Target {
    name: "safetensors",
    words: &[
        "__metadata__",
        "dtype",
        "shape",
        "data_offsets",
        "F64",
        "F32",
        "F16",
        "BF16",
        "I64",
        "U8",
        "images",
        "labels",
        "seeds",
        "[0,",
        "[1,1]",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}",
        "version https://git-lfs",
        "GGUF",
        "PK\u{3}\u{4}",
    ],
    read: safetensors,
};

/// A whole file, or the text of a header, which gets its length and some bytes to speak of.
fn safetensors(input: &Input) -> String {
    let framed;
    let file = if input.bytes.starts_with(b"{") {
        framed = [&(input.bytes.len() as u64).to_le_bytes(), input.bytes, &vec![0; promised(input.bytes)]].concat();
        &framed[..]
    } else {
        input.bytes
    };
    let weights = said(values(file, "a"), |(values, shape)| format!("{} {}", values.len().min(3), shape.len()));
    if fs::write(input.path, file).is_err() {
        return weights;
    }
    format!("{weights}; {}", said(pairs(input.path), |pictures| looked_at(&pictures)))
}

/// Bytes of tensors that the text of a header speaks of, up to a few.
fn promised(header: &[u8]) -> usize {
    const MOST: usize = 4096;
    let text = String::from_utf8_lossy(header);
    let ends = text
        .split("data_offsets")
        .skip(1)
        .filter_map(|rest| rest.split_once(',')?.1.split_once(']')?.0.trim().parse().ok());
    ends.max().unwrap_or(0).min(MOST)
}

fn looked_at(pictures: &unnoise::dataset::Pictures) -> String {
    let noise = |i| pictures.noise(i).map_or(0, |noise| noise.len().min(2));
    let of = |i: usize| pictures.x0(i).len().min(2) + noise(i);
    let all = pictures.len().min(3);
    format!("{} {}", (0..all).map(of).sum::<usize>(), pictures.seeds.is_some())
}

pub const PNG: Target = Target {
    name: "png",
    words: &[
        "IHDR",
        "PLTE",
        "tRNS",
        "IDAT",
        "IEND",
        "tEXt",
        "zTXt",
        "iTXt",
        "acTL",
        "fcTL",
        "fdAT",
        "gAMA",
        "parameters\0",
        "XML:com.adobe.xmp\0",
    ],
    read: png,
};

/// The file as it is, and with the checksums of its chunks put right, without which nothing behind them is read.
fn png(input: &Input) -> String {
    let format = |placing| pictures::Format { shape: [3, 8, 8], range: [-1.0, 1.0], background: [255; 3], placing };
    let read = |placing| {
        said(pictures::read_one(input.path, &format(placing)), |values| {
            assert_eq!(values.len(), 3 * 8 * 8, "it has the size that was asked for");
            "picture".to_owned()
        })
    };
    let plain = read(Placing::MIDDLE);
    match fs::write(input.path, righted(input.bytes)) {
        Ok(()) => format!("{plain}; {}; {}", read(Placing::Margins), read(Placing::Stretch)),
        Err(_) => plain,
    }
}

pub const PROVENANCE: Target = Target {
    name: "provenance",
    words: &[
        "tEXt",
        "zTXt",
        "iTXt",
        "parameters\0",
        "prompt\0",
        "unnoise\0",
        "Negative prompt: ",
        "Steps: ",
        "Size: ",
        "sampler_name",
        "positive",
        "num_inference_steps",
        "\"link\":",
        "\"settings\":",
    ],
    read: provenance,
};

/// What a picture says of how it was made; its checksums are right.
fn provenance(input: &Input) -> String {
    said(unnoise::provenance::read(&righted(input.bytes)), |found| match found {
        None => "nothing".to_owned(),
        Some(found) => {
            let (_, problems) = unnoise::settings::Settings::from_link(&found.link);
            format!(
                "{} settings, {} left, {} problems",
                found.settings.len().min(8),
                found.left.len().min(8),
                problems.len().min(8)
            )
        }
    })
}

/// The PNG with right checksums, as far as it consists of chunks.
fn righted(png: &[u8]) -> Vec<u8> {
    const SIGNATURE: usize = 8;
    let mut out = png.to_vec();
    let mut at = SIGNATURE;
    while let Some(length) = out.get(at..at + 4).and_then(|b| b.try_into().ok()).map(u32::from_be_bytes) {
        let (from, to) = (at + 4, (at + 8).saturating_add(length as usize));
        let Some(data) = out.get(from..to) else { break };
        let mut crc = Crc::new();
        crc.update(data);
        let Some(place) = out.get_mut(to..to + 4) else { break };
        place.copy_from_slice(&crc.sum().to_be_bytes());
        at = to + 4;
    }
    out
}

pub const IDX: Target =
    Target { name: "idx", words: &["\0\0\u{8}\u{1}", "\0\0\u{8}\u{3}", "\0\0\0\u{2}", "\u{1f}"], read: idx_file };

fn idx_file(input: &Input) -> String {
    let shape = |idx: Idx| format!("{} dimensions", ["no", "one", "two", "three", "more"][idx.shape.len().min(4)]);
    let whole = said(Idx::read(input.path, usize::MAX), shape);
    let some = said(Idx::read(input.path, 1), shape);
    let format = pictures::Format { shape: [1, 2, 2], range: [0.0, 1.0], background: [0; 3], placing: Placing::MIDDLE };
    let pictures =
        said(pictures::read_some(input.path, 2, &format), |found| format!("{} pictures", found.len().min(1) == 1));
    format!("{whole}; {some}; {pictures}; {}", said(idx(input.path, input.path), |pictures| looked_at(&pictures)))
}

pub const NPZ: Target = Target {
    name: "npz",
    words: &[
        "'descr': '|u1'",
        "'fortran_order': False",
        "'shape': (",
        "2, 1, 1, 4",
        "(2,)",
        "images.npy",
        "group.npy",
        "is_base.npy",
        "PK\u{1}\u{2}",
        "PK\u{3}\u{4}",
        "PK\u{5}\u{6}",
        "\"kind\": \"base\"",
        "\"codepoints\"",
    ],
    read: npz,
};

/// Two emoji and their index: the archive, one array that is packed with the others, or the JSON of the index.
fn npz(input: &Input) -> String {
    const INDEX: &str = r#"{"emoji": [{"index": 0, "kind": "base", "codepoints": ["1f600"], "base": "1f600"},
        {"index": 9, "kind": "variant", "codepoints": ["1f601"], "base": "1f600"}]}"#;
    let [images, flags] = [array("2, 1, 1, 4", &[9; 8]), array("2,", &[1, 0])];
    let archive = |images: &[u8]| stored(&[("images.npy", images), ("group.npy", &flags), ("is_base.npy", &flags)]);
    let index = input.path.with_extension("index");
    let (arrays, text) = match input.bytes {
        json if json.starts_with(b"{") => (archive(&images), json),
        npy if npy.starts_with(b"\x93NUMPY") => (archive(npy), INDEX.as_bytes()),
        npz => (npz.to_vec(), INDEX.as_bytes()),
    };
    if fs::write(input.path, arrays).and_then(|()| fs::write(&index, text)).is_err() {
        return "the files cannot be written".to_owned();
    }
    let read = emoji(input.path, &index, 2);
    let _ = fs::remove_file(index);
    said(read, |split| {
        let held = split.held.map_or(0, |held| held.len().min(2));
        format!("{} {held} {}", split.seen.len().min(2), looked_at(&split.seen))
    })
}

/// An array of bytes as numpy writes it.
fn array(shape: &str, bytes: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '|u1', 'fortran_order': False, 'shape': ({shape}), }}\n");
    [b"\x93NUMPY\x01\x00", &(header.len() as u16).to_le_bytes()[..], header.as_bytes(), bytes].concat()
}

/// A zip archive of these files, not compressed.
fn stored(files: &[(&str, &[u8])]) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for (name, bytes) in files {
        let mut crc = Crc::new();
        crc.update(bytes);
        let size = (bytes.len() as u32).to_le_bytes();
        let common = [
            &[20, 0, 0, 0, 0, 0, 0, 0, 0, 0][..],
            &crc.sum().to_le_bytes(),
            &size,
            &size,
            &(name.len() as u16).to_le_bytes(),
            &[0, 0],
        ]
        .concat();
        let place = (out.len() as u32).to_le_bytes();
        out.extend([&b"PK\x03\x04"[..], &common, name.as_bytes(), bytes].concat());
        directory.extend([&b"PK\x01\x02\x14\x00"[..], &common, &[0; 10], &place, name.as_bytes()].concat());
    }
    let (count, size, place) =
        ((files.len() as u16).to_le_bytes(), (directory.len() as u32).to_le_bytes(), (out.len() as u32).to_le_bytes());
    out.extend(directory);
    out.extend([&b"PK\x05\x06\0\0\0\0"[..], &count, &count, &size, &place, &[0, 0]].concat());
    out
}
