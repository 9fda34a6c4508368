//! The start picture of a link.

use super::{Size, given, taken};
use crate::settings::{Start, StartPicture};
use serde::Serialize;
use serde_bytes::ByteBuf;
use tsify::{Ts, Tsify};
use wasm_bindgen::prelude::*;

/// A start picture and its mask, as a run is given them.
#[derive(Serialize, Tsify)]
#[tsify(missing_as_null)]
pub struct Begun {
    channels: usize,
    height: usize,
    width: usize,
    /// `[height, width, channels]`.
    #[tsify(type = "Uint8Array")]
    picture: ByteBuf,
    /// `[height, width]`: 255 where the picture is to stay.
    #[tsify(type = "Uint8Array | null")]
    mask: Option<ByteBuf>,
}

/// A picture of this size and its mask as the setting `start` has them; `asked` for one that no link can carry.
#[wasm_bindgen]
pub fn write_start(picture: &[u8], mask: Option<Box<[u8]>>, size: Ts<Size>) -> Result<String, JsValue> {
    let Size { channels, height, width, .. } = taken(&size)?;
    let start = StartPicture::new(picture, mask.as_deref(), [height, width, channels]);
    Ok(start.map_or(Start::Asked, Start::Picture).to_string())
}

/// The picture of the setting `start`, if it has one.
#[wasm_bindgen(unchecked_return_type = "Begun | null")]
pub fn read_start(start: &str) -> Result<JsValue, JsValue> {
    let Ok(Start::Picture(start)) = start.parse() else { return Ok(JsValue::NULL) };
    let [height, width, channels] = start.shape();
    let picture = ByteBuf::from(start.pixels());
    Ok(given(&Begun { channels, height, width, picture, mask: start.kept().map(ByteBuf::from) })?.into())
}
