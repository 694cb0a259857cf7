//! The life of a connection: how it ends, step by step.

use std::io;

use bytes::Bytes;

use crate::protocol::connection::Connection;
use crate::protocol::fault::Fault;
use crate::protocol::frame::Opcode;
use crate::protocol::{
    CloseCode, CloseEvent, CloseFrame, Initiator, InvalidCloseFrame, ProtocolError, Role, Utf8Bytes,
};
use crate::{Error, status};

/// Where the life of a connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lifecycle {
    /// Messages go both ways.
    Open,
    /// This end sent Close and waits for the peer's; data that comes is dropped (RFC 6455 §1.4).
    Closing,
    /// Nothing more is understood; what is queued goes out, up to and including a Close frame.
    Flushing {
        /// Whether to wait for the end of input after the shutdown.
        linger: bool,
    },
    /// The transport's write side is being shut down.
    ShuttingDown {
        /// As above.
        linger: bool,
    },
    /// Input is read and dropped until it ends: a client leaves it to the server to close first
    /// (§7.1.1), and a peer with data in flight must not lose the Close frame to a reset.
    Lingering,
    /// Over.
    Ended,
}

impl Connection {
    /// Begins the closing handshake; does nothing if the end has begun already.
    pub(crate) fn close(
        &mut self,
        frame: Option<&CloseFrame>,
        key: impl FnOnce() -> [u8; 4],
    ) -> Result<(), Error> {
        // RFC 6455 §7.4.1: 1010 is how a client says which extensions it misses.
        let code = frame.map(CloseFrame::code);
        if code == Some(status::MISSING_MANDATORY_EXTENSION) && self.role == Role::Server {
            let code = status::MISSING_MANDATORY_EXTENSION;
            return Err(InvalidCloseFrame::NotByThisEndpoint { code, by: "server" }.into());
        }
        if self.lifecycle == Lifecycle::Open {
            self.push_close(frame, key);
            self.lifecycle = Lifecycle::Closing;
        }
        Ok(())
    }

    pub(super) fn peer_closed(&mut self, frame: Option<CloseFrame>, key: impl Fn() -> [u8; 4]) {
        let initiator = match self.lifecycle {
            Lifecycle::Closing => Initiator::Local,
            _ => Initiator::Peer,
        };
        if initiator == Initiator::Peer {
            self.push_close(frame.as_ref(), key);
        }
        let (code, reason) = match frame {
            Some(frame) => (frame.code(), frame.into_reason()),
            None => (status::NO_STATUS_RECEIVED, Utf8Bytes::default()),
        };
        let was_clean = !self.broken;
        self.event = Some(CloseEvent { code, reason, was_clean, initiator });
        self.leave(self.role == Role::Client);
    }

    /// Fails the connection (RFC 6455 §7.1.7): tells the peer why, then leaves.
    pub(crate) fn fail(&mut self, fault: Fault, key: impl Fn() -> [u8; 4]) {
        if self.lifecycle == Lifecycle::Open {
            let reason = fault.to_string();
            self.push_close(CloseFrame::new(fault.code(), reason).ok().as_ref(), key);
            self.error.get_or_insert(fault.into());
        }
        self.event = Some(lost(Initiator::Local));
        self.leave(true);
    }

    /// Gives the peer up for lost; it is told `code`, if that can be written at once.
    pub(crate) fn give_up(&mut self, code: CloseCode, error: Error, key: impl Fn() -> [u8; 4]) {
        if self.lifecycle == Lifecycle::Open {
            let reason = error.to_string();
            self.push_close(CloseFrame::new(code, reason).ok().as_ref(), key);
            self.error.get_or_insert(error);
        }
        self.event = Some(lost(Initiator::Local));
        self.leave(false);
    }

    fn push_close(&mut self, frame: Option<&CloseFrame>, key: impl FnOnce() -> [u8; 4]) {
        if self.broken {
            return;
        }
        let payload = frame.map_or_else(Bytes::new, |frame| {
            let code = frame.code().as_u16().to_be_bytes();
            [&code, frame.reason().as_bytes()].concat().into()
        });
        self.push(Opcode::Close, payload, key);
    }

    /// Writing failed. What has arrived is still delivered.
    pub(crate) fn write_failed(&mut self, error: io::Error) {
        self.broken = true;
        self.drop_unsent();
        match self.lifecycle {
            Lifecycle::Open => {
                self.error.get_or_insert(Error::Io(error));
            }
            Lifecycle::Closing => {}
            _ => self.end_unclean(),
        }
    }

    /// Reading failed.
    pub(crate) fn read_failed(&mut self, error: io::Error) {
        if self.lifecycle == Lifecycle::Open {
            self.error.get_or_insert(Error::Io(error));
        }
        self.end_of_input();
    }

    /// The transport's input ended.
    pub(crate) fn end_of_input(&mut self) {
        match self.lifecycle {
            Lifecycle::Open => {
                self.error.get_or_insert(Error::ConnectionLost);
                self.event = Some(lost(Initiator::Peer));
            }
            Lifecycle::Closing => self.event = Some(lost(Initiator::Local)),
            _ => return,
        }
        self.leave(false);
    }

    fn leave(&mut self, linger: bool) {
        self.receiver.clear();
        self.lifecycle = Lifecycle::Flushing { linger };
    }

    /// The present step of leaving is done: everything is written, the transport is shut down, or
    /// input has ended.
    pub(crate) fn step(&mut self) {
        match self.lifecycle {
            Lifecycle::Flushing { linger } => self.lifecycle = Lifecycle::ShuttingDown { linger },
            Lifecycle::ShuttingDown { linger: true } => self.lifecycle = Lifecycle::Lingering,
            _ => self.end(),
        }
    }

    /// Writing has no prospect: ends at once.
    pub(crate) fn abandon(&mut self) {
        self.end_unclean();
    }

    /// The time for closing is over.
    pub(crate) fn expire(&mut self) {
        match self.lifecycle {
            Lifecycle::Lingering | Lifecycle::ShuttingDown { .. } => self.end(),
            _ => self.end_unclean(),
        }
    }

    fn end_unclean(&mut self) {
        let event = self.event.get_or_insert_with(|| lost(Initiator::Local));
        event.was_clean = false;
        self.end();
    }

    fn end(&mut self) {
        self.lifecycle = Lifecycle::Ended;
        self.receiver.clear();
        self.drop_unsent();
    }

    /// Whether something that was accepted could not be written, and never will be.
    #[inline]
    pub(crate) fn has_dropped(&self) -> bool {
        self.dropped
    }

    fn drop_unsent(&mut self) {
        self.dropped |= !self.transmitter.is_empty();
        self.transmitter.clear();
    }
}

/// The event of a connection that ends without a Close frame (RFC 6455 §7.1.5).
fn lost(initiator: Initiator) -> CloseEvent {
    let code = status::ABNORMAL_CLOSURE;
    CloseEvent { code, reason: Utf8Bytes::default(), was_clean: false, initiator }
}

/// Reads the payload of a Close frame (RFC 6455 §5.5.1, §7.4).
pub(super) fn parse_close(payload: &[u8]) -> Result<Option<CloseFrame>, Fault> {
    let Some((code, reason)) = payload.split_first_chunk() else {
        return if payload.is_empty() { Ok(None) } else { Err(ProtocolError::CloseLength.into()) };
    };
    let code = CloseCode::new(u16::from_be_bytes(*code));
    let reason = Utf8Bytes::try_from(Bytes::copy_from_slice(reason));
    if !code.is_allowed_on_wire() {
        let reason = reason.map_or_else(|_| Box::default(), |reason| reason.as_str().into());
        return Err(ProtocolError::CloseCode { code, reason }.into());
    }
    let reason = reason.map_err(|_| Fault::NotUtf8)?;
    match CloseFrame::new(code, reason) {
        Ok(frame) => Ok(Some(frame)),
        // A control frame's length leaves no room for a longer reason.
        Err(_) => Err(ProtocolError::OversizeControl.into()),
    }
}
