//! Compressed messages (RFC 7692 §6.1): a small one at once, a large one as it is written.

use std::time::Duration;

use bytes::Bytes;

use crate::protocol::Role;
use crate::protocol::deflate::{Choice, Compressor, Deflate, Direction, Settings, Window};
use crate::protocol::frame::{Header, Opcode};
use crate::protocol::mask;
use crate::protocol::transmitter::{Large, PIECE, Transmitter, Waiting};

/// The bit that says that a message is compressed, in the first byte of a frame (§6).
const RSV1: u8 = 0x40;

/// What ends a compressed message and is not sent (§7.2.1).
const TAIL: usize = 4;

/// What a message without a byte is, compressed (§7.2.3.6).
const EMPTY: [u8; 1] = [0];

/// What compresses this end's messages.
#[derive(Debug)]
pub(super) struct Deflating {
    settings: Settings,
    /// Whether a message may refer to those before it.
    takeover: bool,
    /// There while a large message goes out; with takeover, from the first on.
    state: Option<Compressor>,
    /// From which length on a message is compressed.
    threshold: usize,
    /// The same for what is prepared, and has no context.
    prepared_threshold: usize,
    /// After how long without a message `state` is given back.
    forget_after: Option<Duration>,
    /// Where a client's mask keys come from: each fragment has its own.
    key: Option<fn() -> [u8; 4]>,
    /// Whether something was compressed since this was asked last.
    used: bool,
}

/// How a message that waits or is under way becomes frames.
#[derive(Clone, Copy, Debug)]
pub(super) struct Form {
    /// The next frame's.
    opcode: Opcode,
    pub(super) choice: Choice,
}

impl Deflating {
    fn wants(&self, length: usize, choice: Choice) -> bool {
        match choice {
            Choice::Auto => length >= self.threshold,
            Choice::Always => true,
            Choice::Never => false,
        }
    }

    fn key(&self) -> Option<[u8; 4]> {
        self.key.map(|key| key())
    }
}

/// A server's frame of a message that is compressed from an empty window; `None` if it becomes no
/// shorter, or is too long for one call.
pub(crate) fn deflated(settings: Settings, opcode: Opcode, payload: &[u8]) -> Option<Bytes> {
    u32::try_from(Compressor::bound(payload.len())).ok()?;
    let mut made = vec![0; Compressor::bound(payload.len())];
    let length = Compressor::new(settings).compress(payload, Window::Cleared, &mut made);
    let length = length.saturating_sub(TAIL);
    let made = made.get(..length).filter(|_| length < payload.len())?;
    let header = Header { opcode, fin: true, length: length as u64, key: None };
    let (mut header, used) = header.to_bytes();
    header[0] |= RSV1;
    Some([&header[..used], made].concat().into())
}

impl Transmitter {
    /// Lets messages be compressed, as this end agreed to do it.
    pub(crate) fn set_deflate(
        &mut self,
        role: Role,
        direction: Direction,
        options: Deflate,
        key: fn() -> [u8; 4],
    ) {
        let takeover = direction.takeover && options.takeover(role);
        let Some(settings) = options.settings(Direction { takeover, ..direction }) else { return };
        self.deflating = Some(Box::new(Deflating {
            settings,
            takeover,
            state: None,
            threshold: options.least_size(takeover),
            prepared_threshold: options.least_size(false),
            forget_after: options.idle(),
            key: (role == Role::Client).then_some(key),
            used: false,
        }));
    }

    /// Whether messages may be compressed.
    #[inline]
    pub(crate) fn deflates(&self) -> bool {
        self.deflating.is_some()
    }

    /// How a prepared message of this length is compressed, if it is.
    #[inline]
    pub(crate) fn prepares(&self, length: usize) -> Option<Settings> {
        let deflating = self.deflating.as_ref()?;
        (length >= deflating.prepared_threshold).then_some(deflating.settings.alone(length))
    }

    /// Accepts a server's frame that was compressed from an empty window; false if there is a large
    /// one in front of it.
    pub(crate) fn push_deflated(&mut self, frame: &Bytes) -> bool {
        let accepted = self.push_encoded(frame);
        if let Some(deflating) = self.deflating.as_mut().filter(|_| accepted) {
            // The peer's window has moved on: what comes next refers to nothing before it.
            deflating.state = None;
        }
        accepted
    }

    /// Accepts a message, where messages may be compressed.
    #[cold]
    pub(crate) fn push_message(&mut self, opcode: Opcode, payload: Bytes, choice: Choice) {
        let Some(mut deflating) = self.deflating.take() else { return };
        if !deflating.wants(payload.len(), choice) {
            self.push(opcode, payload, deflating.key());
        } else if self.large.is_some() {
            self.waiting_bytes += Header::MAX + payload.len();
            let form = Some(Form { opcode, choice });
            self.waiting.push_back(Waiting { opcode, payload, key: None, form });
        } else if payload.len() > PIECE {
            // Not to be shown as it is, as what has no key is.
            let key = Some([0; 4]);
            self.large = Some(Large { rest: payload, key, form: Some(Form { opcode, choice }) });
        } else if !self.append_compressed(&mut deflating, Form { opcode, choice }, true, &payload) {
            self.push(opcode, payload, deflating.key());
        }
        self.deflating = Some(deflating);
    }

    /// Compresses the next piece of a large message into the buffer.
    pub(super) fn compress_piece(&mut self) {
        if self.queue.len() >= PIECE {
            return;
        }
        let (Some(mut deflating), Some(mut large)) = (self.deflating.take(), self.large.take())
        else {
            return;
        };
        if let Some(form) = large.form {
            let whole = large.rest.clone();
            let piece = large.rest.split_to(PIECE.min(large.rest.len()));
            let last = large.rest.is_empty();
            if !self.append_compressed(&mut deflating, form, last, &piece) {
                // The first piece became no shorter: all of it goes out as it is.
                self.push(form.opcode, whole, deflating.key());
            } else if !last {
                large.form = Some(Form { opcode: Opcode::Continuation, ..form });
                self.large = Some(large);
            }
        }
        self.deflating = Some(deflating);
        // Its last piece may be shown more than once, and made but once.
        self.next_waiting();
    }

    /// Puts a frame with `input`, compressed, into the buffer; or does nothing, if that is of no
    /// use.
    fn append_compressed(
        &mut self,
        deflating: &mut Deflating,
        form: Form,
        last: bool,
        input: &[u8],
    ) -> bool {
        if input.is_empty() {
            let place = self.queue.push(Header::MAX + EMPTY.len(), 0);
            place[Header::MAX..].copy_from_slice(&EMPTY);
            self.append_frame(deflating, form, last, Header::MAX, EMPTY.len());
            return true;
        }
        deflating.used = true;
        let Deflating { settings, takeover, .. } = *deflating;
        let state = deflating.state.get_or_insert_with(|| {
            Compressor::new(if takeover { settings } else { settings.alone(input.len()) })
        });
        let window = if last && !takeover { Window::Cleared } else { Window::Kept };
        // Behind where the header probably ends: it says how long this becomes.
        let key = deflating.key.map_or(0, |_| 4);
        let start = key + if input.len() < 256 { 2 } else { 4 };
        let place = self.queue.push(Header::MAX + Compressor::bound(input.len()), 0);
        let made = state.compress(input, window, &mut place[start..]);
        let made = if last { made.saturating_sub(TAIL) } else { made };
        let first = form.opcode != Opcode::Continuation;
        let useless = form.choice == Choice::Auto && first && made >= input.len();
        // With takeover a small message goes out even so, lest the window be lost.
        let give_up = useless && (!last || !takeover);
        if give_up || (last && !takeover) {
            deflating.state = None;
        }
        if !give_up {
            self.append_frame(deflating, form, last, start, made);
        }
        !give_up
    }

    /// Makes a frame of a compressed payload of this `length`, which stands from `start` on behind
    /// what is in the buffer.
    fn append_frame(
        &mut self,
        deflating: &Deflating,
        form: Form,
        last: bool,
        start: usize,
        length: usize,
    ) {
        let key = deflating.key();
        let header = Header { opcode: form.opcode, fin: last, length: length as u64, key };
        let (mut header, used) = header.to_bytes();
        if form.opcode != Opcode::Continuation {
            header[0] |= RSV1;
        }
        let place = self.queue.push(used.max(start) + length, used + length);
        if used != start {
            place.copy_within(start..start + length, used);
        }
        place[..used].copy_from_slice(&header[..used]);
        if let Some(key) = key {
            mask::apply(&mut place[used..used + length], key);
        }
    }

    /// After how long without a message the compressor is given back, if there is one.
    pub(crate) fn forgets_after(&self) -> Option<Duration> {
        let deflating = self.deflating.as_ref().filter(|deflating| deflating.state.is_some())?;
        deflating.forget_after
    }

    /// Gives the compressor back if nothing was compressed since this was called last.
    pub(crate) fn forget(&mut self) {
        let under_way = self.large.is_some();
        if let Some(deflating) = &mut self.deflating {
            if !std::mem::take(&mut deflating.used) && !under_way {
                deflating.state = None;
            }
        }
    }
}
