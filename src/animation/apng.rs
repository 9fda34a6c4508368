//! Animated PNG (Portable Network Graphics, third edition, section 4.9).

use super::scene::Drawn;
use super::{FilmError, unwritten};
use crate::picture::encode;
use png::Writer;
use std::cell::RefCell;
use std::io::{self, Write};
use std::rc::Rc;

pub struct Apng {
    frames: usize,
    written: Written,
    /// From the first frame on.
    writer: Option<Writer<Written>>,
}

/// What is written: png's writer does not give back what it wrote to.
#[derive(Clone, Default)]
struct Written(Rc<RefCell<Vec<u8>>>);

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Apng {
    pub fn new(frames: usize) -> Self {
        Self { frames, written: Written::default(), writer: None }
    }

    /// Adds a frame that stays for so many thousandths of a second.
    pub fn add(&mut self, drawn: &Drawn, delay: u16) -> Result<(), FilmError> {
        const PARTS: u16 = 1000;
        let writer = match &mut self.writer {
            Some(writer) => writer,
            writer => {
                let shape = [drawn.channels, drawn.height, drawn.width];
                let mut encoder = encode::encoder(self.written.clone(), shape).map_err(unwritten)?;
                encoder.set_animated(self.frames as u32, 0).map_err(unwritten)?;
                writer.insert(encoder.write_header().map_err(unwritten)?)
            }
        };
        writer.set_frame_delay(delay, PARTS).map_err(unwritten)?;
        writer.write_image_data(&drawn.bytes).map_err(unwritten)
    }

    pub fn finish(self) -> Result<Vec<u8>, FilmError> {
        self.writer.ok_or(FilmError::Empty)?.finish().map_err(unwritten)?;
        Ok(self.written.0.take())
    }
}
