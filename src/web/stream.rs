//! Streams that JavaScript takes item by item.

use super::fault::fault_with;
use futures_util::{Stream, StreamExt};
use std::cell::RefCell;
use std::pin::Pin;
use wasm_bindgen::JsValue;

type Items = Pin<Box<dyn Stream<Item = Result<JsValue, JsValue>>>>;

/// A stream of objects.
pub struct Frames(RefCell<State>);

enum State {
    Ready(Items),
    /// An item is awaited.
    Awaited,
    Ended,
}

impl Frames {
    pub fn new(items: impl Stream<Item = Result<JsValue, JsValue>> + 'static) -> Self {
        Self(RefCell::new(State::Ready(Box::pin(items))))
    }

    /// The next item; `undefined` at the end.
    ///
    /// # Errors
    /// The item's own; a second call before the first was answered.
    pub async fn next(&self) -> Result<JsValue, JsValue> {
        let state = self.0.replace(State::Awaited);
        let mut items = match state {
            State::Ready(items) => items,
            State::Awaited => {
                let message = "The frame before is still being computed; await it before asking for the next.";
                return Err(fault_with("busy", message, None::<()>));
            }
            State::Ended => {
                self.0.replace(State::Ended);
                return Ok(JsValue::UNDEFINED);
            }
        };
        let item = items.next().await;
        let goes_on = matches!(item, Some(Ok(_)));
        self.0.replace(if goes_on { State::Ready(items) } else { State::Ended });
        item.unwrap_or(Ok(JsValue::UNDEFINED))
    }
}
