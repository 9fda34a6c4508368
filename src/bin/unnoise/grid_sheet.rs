//! The sheet of a grid: its cells with labelled axes, dark on white, as the page's.

use crate::lettering::{self, LINE};
use unnoise::settings::{Axis, Page};

/// Pixels around the sheet and between cells, and the least width of a cell, so that its title has room.
const MARGIN: usize = 16;
const GAP: usize = 8;
const LEAST: usize = 96;

const PAPER: u8 = 255;
const INK: u8 = 17;

/// A picture at its place in the grid.
pub struct Placed<'a> {
    pub column: usize,
    pub row: usize,
    pub bytes: &'a [u8],
    /// Channels, height and width.
    pub shape: [usize; 3],
}

/// A sheet that is written on.
struct Sheet {
    bytes: Vec<u8>,
    width: usize,
    height: usize,
    channels: usize,
}

impl Sheet {
    fn set(&mut self, x: usize, y: usize, value: impl Fn(usize) -> u8) {
        let at = self.channels * (y * self.width + x);
        if let Some(pixel) = self.bytes.get_mut(at..at + self.channels) {
            pixel.iter_mut().enumerate().for_each(|(c, byte)| *byte = value(c));
        }
    }

    /// A text that begins here; it has so much room.
    fn write(&mut self, text: &str, [left, top]: [usize; 2], room: usize) {
        for [x, y] in lettering::pixels(text, room) {
            // What is beyond red, green and blue is opaque.
            self.set(left + x, top + y, |c| if c < 3 { INK } else { PAPER });
        }
    }
}

/// The cells of a grid with the values of its axes beside them: the bytes with width and height, and the channels of all, as many as the
/// cell that has most. Cells are magnified by a whole number, so that titles have room and no pixel is blurred.
pub fn sheet(cells: &[Placed<'_>], page: &Page) -> ((Vec<u8>, usize, usize), usize) {
    let most = |side: usize| cells.iter().map(|cell| cell.shape[side]).max().unwrap_or(1);
    let [channels, tallest, widest] = [0, 1, 2].map(most);
    let zoom = LEAST.div_ceil(widest).max(1);
    let (width, height) = (zoom * widest, zoom * tallest);
    let none = Vec::new();
    let values = |axis: &Option<Axis>| axis.as_ref().map_or(none.clone(), |axis| axis.values.clone());
    let (across, down) = (values(&page.x), values(&page.y));
    let key = |axis: &Option<Axis>| axis.as_ref().map_or(String::new(), |axis| axis.key.to_owned());
    let (of_x, of_y) = (key(&page.x), key(&page.y));
    let head = if across.is_empty() { 0 } else { 2 * LINE };
    let side = match down.iter().chain([&of_y]).map(|text| lettering::width(text)).max() {
        Some(widest) if !down.is_empty() => widest + 2 * GAP,
        _ => 0,
    };
    let [columns, rows] = [&across, &down].map(|values| values.len().max(1));
    let mut sheet = Sheet {
        bytes: Vec::new(),
        width: 2 * MARGIN + side + columns * (width + GAP) - GAP,
        height: 2 * MARGIN + head + rows * (height + GAP) - GAP,
        channels,
    };
    sheet.bytes = vec![PAPER; sheet.width * sheet.height * channels];
    let left = |column: usize| MARGIN + side + column * (width + GAP);
    let top = |row: usize| MARGIN + head + row * (height + GAP);
    let beside = if across.is_empty() { LINE } else { 0 };
    sheet.write(&of_x, [left(0), MARGIN], columns * (width + GAP));
    sheet.write(&of_y, [MARGIN, MARGIN + head.saturating_sub(LINE)], side);
    for (column, text) in across.iter().enumerate() {
        sheet.write(text, [left(column), MARGIN + LINE], width);
    }
    for (row, text) in down.iter().enumerate() {
        sheet.write(text, [MARGIN, top(row) + beside], side);
    }
    for cell in cells {
        let [own, own_height, own_width] = cell.shape;
        for (y, x) in (0..zoom * own_height).flat_map(|y| (0..zoom * own_width).map(move |x| (y, x))) {
            let pixel = &cell.bytes[own * ((y / zoom) * own_width + x / zoom)..][..own];
            // Grey in every channel.
            let value = |c: usize| *pixel.get(if own == 1 && c < 3 { 0 } else { c }).unwrap_or(&u8::MAX);
            sheet.set(left(cell.column) + x, top(cell.row) + y, value);
        }
    }
    ((sheet.bytes, sheet.width, sheet.height), channels)
}
