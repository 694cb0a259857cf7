//! Between tungstenite's vocabulary and the crate's.

use std::io;

use tokio_tungstenite::tungstenite;
use tungstenite::error::{CapacityError, ProtocolError as Theirs};
use tungstenite::protocol::frame::Frame;
use tungstenite::protocol::frame::coding::{Data, OpCode};

use crate::protocol::{CloseFrame, Message, ProtocolError, Utf8Bytes};
use crate::{Error, status};

pub(super) fn text(text: tungstenite::Utf8Bytes) -> Result<Utf8Bytes, Error> {
    Utf8Bytes::try_from(bytes::Bytes::from(text)).map_err(|_| Error::NotUtf8)
}

/// As a frame, since a text message would be checked for UTF-8 once more.
pub(super) fn message(message: Message) -> tungstenite::Message {
    let kind = if message.is_text() { Data::Text } else { Data::Binary };
    let frame = Frame::message(message.into_bytes(), OpCode::Data(kind), true);
    tungstenite::Message::Frame(frame)
}

pub(super) fn close_frame(frame: &CloseFrame) -> tungstenite::protocol::CloseFrame {
    tungstenite::protocol::CloseFrame {
        code: frame.code().as_u16().into(),
        reason: frame.reason().into(),
    }
}

/// The Close frame that a fault of the peer is answered with; `None` if there is nobody to answer.
pub(super) fn answer(error: &Error) -> Option<CloseFrame> {
    let code = match error {
        Error::Protocol(_) => status::PROTOCOL_ERROR,
        Error::NotUtf8 => status::INVALID_FRAME_PAYLOAD_DATA,
        Error::MessageTooBig { .. } => status::MESSAGE_TOO_BIG,
        _ => return None,
    };
    CloseFrame::new(code, "").ok()
}

pub(super) fn error(error: tungstenite::Error) -> Error {
    use tungstenite::Error as E;

    match error {
        E::ConnectionClosed
        | E::AlreadyClosed
        | E::Protocol(Theirs::ResetWithoutClosingHandshake) => Error::ConnectionLost,
        // TLS that ends without `close_notify`.
        E::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => Error::ConnectionLost,
        E::Io(error) => Error::Io(error),
        E::Capacity(CapacityError::MessageTooLong { size, max_size }) => {
            Error::MessageTooBig { size: size as u64, limit: max_size }
        }
        E::Utf8(_) => Error::NotUtf8,
        E::Protocol(fault) => match protocol_error(&fault) {
            Some(fault) => Error::Protocol(fault),
            None => Error::Io(io::Error::new(io::ErrorKind::InvalidData, fault)),
        },
        other => Error::Io(io::Error::other(other)),
    }
}

fn protocol_error(fault: &Theirs) -> Option<ProtocolError> {
    Some(match fault {
        Theirs::NonZeroReservedBits => ProtocolError::ReservedBits,
        Theirs::UnknownControlFrameType(opcode)
        | Theirs::UnknownDataFrameType(opcode)
        | Theirs::InvalidOpcode(opcode) => ProtocolError::ReservedOpcode(*opcode),
        Theirs::UnmaskedFrameFromClient => ProtocolError::Unmasked,
        Theirs::MaskedFrameFromServer => ProtocolError::Masked,
        Theirs::FragmentedControlFrame => ProtocolError::FragmentedControl,
        Theirs::ControlFrameTooBig => ProtocolError::OversizeControl,
        Theirs::UnexpectedContinueFrame => ProtocolError::UnexpectedContinuation,
        Theirs::ExpectedFragment(_) => ProtocolError::ExpectedContinuation,
        Theirs::InvalidCloseSequence => ProtocolError::CloseLength,
        _ => return None,
    })
}
