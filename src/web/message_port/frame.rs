//! What goes through a port.

use js_sys::Array;
use wasm_bindgen::prelude::*;

/// A message from one end to the other.
pub(super) enum Frame {
    /// A number: so many items more may be sent. The first message of either end.
    Room(u32),
    /// A list of one: an item.
    Item(JsValue),
    /// `null`: nothing more comes, and nothing more is read.
    End,
}

impl Frame {
    /// `None` if it is not a frame.
    pub(super) fn of(message: &JsValue) -> Option<Self> {
        if message.is_null() {
            return Some(Self::End);
        }
        if let Some(room) = message.as_f64() {
            return whole(room).map(Self::Room);
        }
        let list = message.dyn_ref::<Array>()?;
        (list.length() == 1).then(|| Self::Item(list.get(0)))
    }
}

impl From<Frame> for JsValue {
    fn from(frame: Frame) -> Self {
        match frame {
            Frame::Room(room) => room.into(),
            Frame::Item(item) => Array::of1(&item).into(),
            Frame::End => Self::NULL,
        }
    }
}

fn whole(number: f64) -> Option<u32> {
    let is_whole = number.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&number);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is whole, and in range"
    )]
    is_whole.then_some(number as u32)
}
