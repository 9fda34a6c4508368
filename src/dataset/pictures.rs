//! Pictures from files: PNG, folders of them, and the IDX files of MNIST and its kin.

use super::{DataError, Idx};
use crate::picture::texts::NoPng;
use crate::picture::{self, Placing};
use crate::words::count;
use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Why there are no pictures.
#[derive(Debug, Error)]
pub enum PictureError {
    #[error("cannot read {}: {source}", .path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("{} is not a picture: {why}", .path.display())]
    Broken { path: PathBuf, why: String },
    #[error("{} is neither a PNG, nor an IDX file of images (gzipped or not), nor a folder of PNGs", .0.display())]
    Unknown(PathBuf),
    #[error(
        "{} holds pictures of {}, but the model makes {}",
        .path.display(), picture::size(*.got), picture::size(*.expected)
    )]
    Shape { path: PathBuf, expected: [usize; 3], got: [usize; 3] },
    #[error("{} is no PNG but {is}; convert it to PNG", .path.display())]
    NoPng { path: PathBuf, is: &'static str },
    #[error("{} is a folder; name one picture in it", .0.display())]
    Folder(PathBuf),
    #[error(transparent)]
    Idx(#[from] DataError),
    #[error("cannot write {}: {why}", .path.display())]
    Unwritten { path: PathBuf, why: String },
    #[error("{} holds {}, {wanted} are needed", .path.display(), count(*.got, "picture"))]
    TooFew { path: PathBuf, wanted: usize, got: usize },
}

const PNG: &[u8] = b"\x89PNG";
const GZIP: &[u8] = &[0x1f, 0x8b];
/// A file may say of itself that it is larger than any memory.
const MOST_PIXELS: usize = 1 << 26;
/// Bytes that one of deflate can stand for, at most.
const MOST_UNPACKED: u64 = 1032;
/// Unsigned bytes in three dimensions.
const IDX: &[u8] = &[0, 0, 8, 3];

/// Writes a PNG of `bytes`, channels last, with this many channels (1, 3 or 4), height and width.
///
/// # Errors
/// A place that cannot be written to; another number of channels, or of bytes.
pub fn write(path: &Path, bytes: &[u8], shape: [usize; 3]) -> Result<(), PictureError> {
    write_with(path, bytes, shape, Ok::<_, NoPng>)
}

/// The same of what `finish` makes of the PNG.
///
/// # Errors
/// As [`write()`], and what `finish` finds.
pub fn write_with<E: ToString>(
    path: &Path,
    bytes: &[u8],
    shape: [usize; 3],
    finish: impl FnOnce(Vec<u8>) -> Result<Vec<u8>, E>,
) -> Result<(), PictureError> {
    fn failed<E: ToString>(path: &Path) -> impl Fn(E) -> PictureError + use<'_, E> {
        move |e| PictureError::Unwritten { path: path.to_owned(), why: e.to_string() }
    }
    let png = picture::encode::png(bytes, shape).map_err(failed(path))?;
    fs::write(path, finish(png).map_err(failed(path))?).map_err(failed(path))
}

/// What pictures are read as.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Format {
    /// Channels, height and width.
    pub shape: [usize; 3],
    /// The values of the bytes 0 and 255.
    pub range: [f64; 2],
    /// The colour that transparent parts are laid on.
    pub background: [u8; 3],
    /// How pictures of another shape are brought to this one.
    pub placing: Placing,
}

/// The first `count` pictures of a PNG, an IDX file or a folder of PNGs in the order of their names. Hidden files of a
/// folder are skipped. PNGs of another size or colour are fitted. Each picture is a list of values, channels first.
///
/// # Errors
/// Files that cannot be read or are no pictures; an IDX file of another shape; fewer pictures than `count`.
pub fn read(path: &Path, count: usize, format: &Format) -> Result<Vec<Vec<f64>>, PictureError> {
    let found = read_some(path, count, format)?;
    if found.len() < count {
        return Err(PictureError::TooFew { path: path.to_owned(), wanted: count, got: found.len() });
    }
    Ok(found)
}

/// The picture of a PNG, fitted likewise.
///
/// # Errors
/// A file that cannot be read or is none; a folder, of which it is not said which picture is meant.
pub fn read_one(path: &Path, format: &Format) -> Result<Vec<f64>, PictureError> {
    let mut start = Vec::new();
    if path.is_dir() {
        return Err(PictureError::Folder(path.to_owned()));
    }
    open(path)?.take(4).read_to_end(&mut start).map_err(unreadable(path))?;
    match start.starts_with(PNG) {
        true => Ok(read_some(path, 1, format)?.concat()),
        false => Err(PictureError::NoPng { path: path.to_owned(), is: other_kind(&start).unwrap_or("something else") }),
    }
}

/// What kind of picture a file that begins like this is, if it is one that is not read.
fn other_kind(start: &[u8]) -> Option<&'static str> {
    let known: [(&[u8], &str); 4] =
        [(&[0xff, 0xd8], "a JPEG"), (b"RIFF", "a WebP"), (b"GIF8", "a GIF"), (b"BM", "a BMP")];
    known.iter().find(|(mark, _)| start.starts_with(mark)).map(|(_, name)| *name)
}

/// The same of as many pictures as there are up to `count`, at least one.
///
/// # Errors
/// Files that cannot be read or are no pictures; an IDX file of another shape; no picture.
pub fn read_some(path: &Path, count: usize, format: &Format) -> Result<Vec<Vec<f64>>, PictureError> {
    let Format { shape, range, .. } = *format;
    let found = if path.is_dir() {
        folder(path)?.iter().take(count).map(|file| png(file, format)).collect::<Result<Vec<_>, _>>()?
    } else {
        let mut start = Vec::new();
        open(path)?.take(4).read_to_end(&mut start).map_err(unreadable(path))?;
        match &start {
            start if start.starts_with(PNG) => vec![png(path, format)?],
            start if start.starts_with(GZIP) || start.starts_with(IDX) => idx(path, count, shape)?,
            start => {
                return Err(match other_kind(start) {
                    Some(is) => PictureError::NoPng { path: path.to_owned(), is },
                    None => PictureError::Unknown(path.to_owned()),
                });
            }
        }
    };
    if found.is_empty() {
        return Err(PictureError::TooFew { path: path.to_owned(), wanted: count, got: 0 });
    }
    let values = |bytes: &Vec<u8>| picture::from_bytes(bytes, shape, range).into_iter().map(f64::from).collect();
    Ok(found.iter().map(values).collect())
}

fn unreadable(path: &Path) -> impl Fn(io::Error) -> PictureError + use<'_> {
    move |source| PictureError::Unreadable { path: path.to_owned(), source }
}

fn open(path: &Path) -> Result<BufReader<File>, PictureError> {
    File::open(path).map(BufReader::new).map_err(unreadable(path))
}

fn folder(path: &Path) -> Result<Vec<PathBuf>, PictureError> {
    let entries = fs::read_dir(path).and_then(Iterator::collect::<io::Result<Vec<_>>>).map_err(unreadable(path))?;
    let is_png = |file: &PathBuf| file.extension().is_some_and(|end| end.eq_ignore_ascii_case("png"));
    // Such as the `._` companions that macOS leaves on other file systems, which end in .png and are no pictures.
    let is_hidden = |entry: &&fs::DirEntry| entry.file_name().to_string_lossy().starts_with('.');
    let visible = entries.iter().filter(|entry| !is_hidden(entry)).map(fs::DirEntry::path);
    let mut files: Vec<_> = visible.filter(|path| is_png(path) && !path.is_dir()).collect();
    files.sort();
    Ok(files)
}

/// The bytes of a PNG, channels last, its transparent parts laid on `background`: scaled, cut and made grey or coloured to
/// be of this shape, as the page does.
fn png(path: &Path, format: &Format) -> Result<Vec<u8>, PictureError> {
    let broken = |e: png::DecodingError| PictureError::Broken { path: path.to_owned(), why: e.to_string() };
    let mut decoder = png::Decoder::new(open(path)?);
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    let mut reader = decoder.read_info().map_err(broken)?;
    let (colour, _) = reader.output_color_type();
    let (samples, [height, width]) =
        (colour.samples(), [reader.info().height, reader.info().width].map(|n| n as usize));
    if height.saturating_mul(width) > MOST_PIXELS {
        let why = format!("{width} x {height} are more pixels than a picture to fit may have, {MOST_PIXELS}");
        return Err(PictureError::Broken { path: path.to_owned(), why });
    }
    let bits = (height * width) as u64 * reader.info().bits_per_pixel() as u64;
    let packed = fs::metadata(path).map_err(unreadable(path))?.len();
    if bits / 8 > packed.saturating_mul(MOST_UNPACKED) {
        let why = format!("it promises {width} x {height} pixels and is cut short");
        return Err(PictureError::Broken { path: path.to_owned(), why });
    }
    let mut bytes = vec![0; samples * height * width];
    reader.next_frame(&mut bytes).map_err(broken)?;
    let rgba = |pixel: &[u8]| match *pixel {
        [grey] => [grey, grey, grey, 255],
        [grey, alpha] => [grey, grey, grey, alpha],
        [red, green, blue] => [red, green, blue, 255],
        [red, green, blue, alpha, ..] => [red, green, blue, alpha],
        [] => [0; 4],
    };
    let rgba: Vec<u8> = bytes.chunks_exact(samples).flat_map(rgba).collect();
    let Format { shape, background, placing, .. } = *format;
    Ok(picture::fit(&picture::flatten(&rgba, background), [height, width], shape, placing, background))
}

/// The first pictures of an IDX file.
fn idx(path: &Path, count: usize, expected: [usize; 3]) -> Result<Vec<Vec<u8>>, PictureError> {
    let Idx { shape, bytes } = Idx::read(path, count)?;
    let &[_, height, width] = shape.as_slice() else { return Err(PictureError::Unknown(path.to_owned())) };
    let got = [1, height, width];
    if got != expected {
        return Err(PictureError::Shape { path: path.to_owned(), expected, got });
    }
    Ok(bytes.chunks_exact(height * width).map(<[u8]>::to_vec).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use std::io::Write;

    const SHAPE: [usize; 3] = [1, 2, 3];
    const FIRST: [u8; 6] = [1, 2, 3, 4, 5, 6];
    const BLUE: [u8; 3] = [10, 20, 200];

    fn format(shape: [usize; 3]) -> Format {
        Format { shape, range: [0.0, 255.0], background: BLUE, placing: Placing::MIDDLE }
    }

    /// An empty folder of this test's own.
    fn place(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("unnoise-pictures-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).expect("a temporary folder");
        path
    }

    fn said(path: &Path, count: usize, shape: [usize; 3]) -> String {
        read(path, count, &format(shape)).expect_err("it is refused").to_string()
    }

    #[test]
    fn idx_files_are_read_plain_and_gzipped() {
        let dir = place("idx");
        let mut bytes = [IDX, &[0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 3], &FIRST].concat();
        bytes.extend([9; 6]);
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(&bytes).expect("memory");
        for (name, bytes) in [("plain", bytes.clone()), ("gzipped", gzip.finish().expect("memory"))] {
            let path = dir.join(name);
            fs::write(&path, bytes).expect("written");
            let found = read(&path, 2, &format(SHAPE)).expect("two pictures");
            assert_eq!(found, [FIRST.map(f64::from).to_vec(), vec![9.0; 6]], "{name}");
            assert!(said(&path, 3, SHAPE).contains("holds 2 pictures, 3 are needed"));
            assert!(said(&path, 1, [1, 3, 3]).contains("3 x 2 pixels with 1 channel, but"));
        }
        let cut = dir.join("cut");
        fs::write(&cut, &bytes[..20]).expect("written");
        assert!(said(&cut, 2, SHAPE).contains("cut short"));
        fs::remove_dir_all(dir).expect("removed");
    }

    #[test]
    fn pngs_are_read_alone_and_from_folders() {
        let dir = place("png");
        let colour = dir.join("b.png");
        write(&dir.join("a.png"), &FIRST, [1, 2, 3]).expect("written");
        write(&colour, &(0..18).collect::<Vec<u8>>(), [3, 2, 3]).expect("written");
        assert_eq!(read(&dir, 1, &format(SHAPE)).expect("a picture"), [FIRST.map(f64::from)]);
        let planes = read(&colour, 1, &format([3, 2, 3])).expect("a picture");
        assert_eq!(planes[0][..6], [0.0, 3.0, 6.0, 9.0, 12.0, 15.0]);
        // The grey of b.png, whose first pixel is (0, 1, 2).
        let grey = &read(&dir, 2, &format(SHAPE)).expect("two pictures")[1];
        assert_eq!(grey[..2], [1.0, 4.0]);
        let wide = read(&colour, 1, &format([1, 2, 2])).expect("a picture")[0].len();
        assert_eq!(wide, 4, "cut to the size of the model");
        fs::write(&colour, b"\x89PNG and no more").expect("written");
        assert!(said(&colour, 1, SHAPE).contains("not a picture"));
        fs::write(&colour, b"GIF89a").expect("written");
        assert!(said(&colour, 1, SHAPE).contains("no PNG but a GIF; convert it"));
        fs::write(&colour, b"words").expect("written");
        assert!(said(&colour, 1, SHAPE).contains("neither a PNG"));
        assert!(said(&dir.join("none"), 1, SHAPE).contains("cannot read"));
        fs::remove_dir_all(dir).expect("removed");
    }

    #[test]
    fn a_png_that_promises_more_than_it_can_hold_is_refused_before_there_is_memory_for_it() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/png/fault-promise");
        assert!(said(&path, 1, SHAPE).contains("it promises 8192 x 8192 pixels and is cut short"));
    }

    #[test]
    fn what_no_png_can_hold_is_refused() {
        let dir = place("refused");
        let said =
            |bytes: &[u8], channels| write(&dir.join("a.png"), bytes, [channels, 1, 1]).expect_err("it is refused");
        assert!(said(&[0; 2], 2).to_string().contains("1, 3 or 4 channels, and the pictures have 2"));
        assert!(said(&[0; 2], 3).to_string().contains("cannot write"));
        fs::remove_dir_all(dir).expect("removed");
    }

    #[test]
    fn hidden_files_are_no_pictures() {
        let dir = place("hidden");
        write(&dir.join("a.png"), &FIRST, [1, 2, 3]).expect("written");
        fs::write(dir.join("._a.png"), b"\0\x05\x16\x07").expect("written");
        fs::write(dir.join(".DS_Store"), b"\0").expect("written");
        fs::create_dir_all(dir.join("folder.png")).expect("a folder");
        assert_eq!(read(&dir, 1, &format(SHAPE)).expect("a picture"), [FIRST.map(f64::from)]);
        assert!(said(&dir, 2, SHAPE).contains("holds 1 picture, 2 are needed"));
        fs::remove_dir_all(dir).expect("removed");
    }

    #[test]
    fn transparent_parts_show_the_background() {
        let dir = place("transparent");
        let path = dir.join("clear.png");
        let pixels = [[255, 0, 0, 255], [255, 0, 0, 0], [0, 0, 0, 255]].repeat(2).concat();
        write(&path, &pixels, [4, 2, 3]).expect("written");
        let planes = read(&path, 1, &format([3, 2, 3])).expect("a picture").concat();
        let [red, green, blue] = [0, 1, 2].map(|c| planes[6 * c..6 * c + 3].to_vec());
        assert_eq!((red, green, blue), (vec![255.0, 10.0, 0.0], vec![0.0, 20.0, 0.0], vec![0.0, 200.0, 0.0]));
        fs::remove_dir_all(dir).expect("removed");
    }
}
