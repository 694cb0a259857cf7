//! Frames as documents: `[id, message]` and `[id]`.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Error, IgnoredAny, SeqAccess, Unexpected, Visitor};
use serde::ser::SerializeTuple;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Frame;

/// Above this a JavaScript number is not exact.
const MAX_SAFE: f64 = 9_007_199_254_740_991.0;

impl<T: Serialize> Serialize for Frame<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Message { id, message } => {
                let mut list = serializer.serialize_tuple(2)?;
                list.serialize_element(id)?;
                list.serialize_element(message)?;
                list.end()
            }
            Self::Close { id } => {
                let mut list = serializer.serialize_tuple(1)?;
                list.serialize_element(id)?;
                list.end()
            }
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Frame<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(FrameVisitor(PhantomData))
    }
}

struct FrameVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for FrameVisitor<T> {
    type Value = Frame<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of a virtual channel's id and, unless it ends, a message")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Frame<T>, A::Error> {
        let Id(id) = list.next_element()?.ok_or_else(|| Error::invalid_length(0, &self))?;
        // What follows is left alone, as in Dart.
        let frame = match list.next_element()? {
            Some(message) => Frame::Message { id, message },
            None => return Ok(Frame::Close { id }),
        };
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(frame)
    }
}

/// An id, which a peer whose numbers are all floating may write as `1.0`.
struct Id(u64);

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_u64(IdVisitor).map(Self)
    }
}

struct IdVisitor;

impl Visitor<'_> for IdVisitor {
    type Value = u64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the id of a virtual channel")
    }

    fn visit_u64<E: Error>(self, id: u64) -> Result<u64, E> {
        Ok(id)
    }

    fn visit_f64<E: Error>(self, id: f64) -> Result<u64, E> {
        if id.fract() == 0.0 && (0.0..=MAX_SAFE).contains(&id) {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "it is whole, and in range"
            )]
            return Ok(id as u64);
        }
        Err(Error::invalid_value(Unexpected::Float(id), &self))
    }
}
