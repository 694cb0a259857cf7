//! What a program may choose about compression.

use std::time::Duration;

use crate::protocol::Role;
use crate::protocol::deflate::agreed::{Direction, LEAST_BITS};
use crate::protocol::deflate::compressor::{Memory, Settings};

/// How messages are compressed: permessage-deflate (RFC 7692).
///
/// With the feature `deflate` a client offers compression and a server accepts it, with these
/// defaults; `no_deflate` on a builder or on [`Options`](crate::Options) turns it off. Whether it was
/// agreed on, and how, is in [`Handshake::extensions`](crate::Handshake::extensions).
///
/// # Why it has to be asked for
///
/// All browsers offer compression, so with the feature on a server compresses for each of them. It
/// costs tens of times the processor time of a message as it is, which pays on a slow network and
/// not on a fast one; and the length of what is compressed tells of it, which matters where a secret
/// stands beside what a stranger may choose (see [`SendOptions::no_compress`]). That is for the
/// program to decide, so the feature is off by default. Compiled in and not agreed on, it costs a look
/// at an `Option`.
///
/// # Memory
///
/// A message is compressed either by itself or, with *context takeover*, with the messages before
/// it as its context. The first borrows its state from a pool that all connections share, for as
/// long as a message takes: an idle connection holds none. The second keeps a state for each
/// direction, from the first compressed message on. Measured with messages of 1 KiB of JSON:
///
/// | | bytes on the wire | heap while idle: compressing | inflating |
/// |---|--:|--:|--:|
/// | not compressed | 1,024 | – | – |
/// | by itself (default) | 391 | 0 | 0 |
/// | context takeover | 238 | 371 KiB | 46 KiB |
/// | context takeover, window of 12 bits | 255 | 175 KiB | 46 KiB |
///
/// So by default neither end compresses with takeover, and a server lets no client do so. A client
/// lets a server do so that wants to: it has few connections, inflating is the cheaper half, and
/// most servers send more than they receive.
///
/// # Examples
///
/// ```
/// use ws_channel::{Deflate, WebSocketAdapter};
///
/// # async fn example<S>(io: S) -> Result<(), ws_channel::Error>
/// # where S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin {
/// // Few connections, much alike in what they send: let the messages before be the context.
/// let deflate = Deflate::new().server_context_takeover().threshold(64);
/// let channel = WebSocketAdapter::accept(io).deflate(deflate).await?;
/// # drop(channel); Ok(()) }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "options do nothing until they are given to a builder"]
#[doc(alias = "CompressionOptions")]
pub struct Deflate {
    server_takeover: Option<bool>,
    client_takeover: bool,
    pub(super) server_bits: u8,
    pub(super) client_bits: u8,
    level: u8,
    threshold: Option<usize>,
    forget_after: Option<Duration>,
}

impl Deflate {
    /// The defaults: each message by itself (but see above), windows of 15 bits, level 4, messages
    /// from 256 bytes on, or from 32 with context takeover.
    pub const fn new() -> Self {
        Self {
            server_takeover: None,
            client_takeover: false,
            server_bits: 15,
            client_bits: 15,
            level: 4,
            threshold: None,
            forget_after: None,
        }
    }

    /// Lets the server compress with the messages before as context.
    ///
    /// On a client: what the server may do. Default on a client.
    pub const fn server_context_takeover(mut self) -> Self {
        self.server_takeover = Some(true);
        self
    }

    /// Has the server compress each message by itself. Default on a server.
    ///
    /// On a client: asks it to, and takes no other answer.
    #[doc(alias = "serverNoContextTakeover")]
    pub const fn server_no_context_takeover(mut self) -> Self {
        self.server_takeover = Some(false);
        self
    }

    /// Lets the client compress with the messages before as context.
    pub const fn client_context_takeover(mut self) -> Self {
        self.client_takeover = true;
        self
    }

    /// Has the client compress each message by itself. Default.
    #[doc(alias = "clientNoContextTakeover")]
    pub const fn client_no_context_takeover(mut self) -> Self {
        self.client_takeover = false;
        self
    }

    /// Sets how far back the server may refer, as a power of two of bytes: 8 to 15, and the nearest
    /// of them for any other. Default: 15.
    ///
    /// A smaller window makes the compressor smaller. This crate compresses with 9 bits or more:
    /// on a server 8 is taken as 9.
    #[doc(alias = "serverMaxWindowBits")]
    pub const fn server_max_window_bits(mut self, bits: u8) -> Self {
        self.server_bits = within(bits, 8, 15);
        self
    }

    /// The same for the client, where 8 is taken as 9 on a client.
    ///
    /// On a server it takes effect with clients that offer to be told.
    #[doc(alias = "clientMaxWindowBits")]
    pub const fn client_max_window_bits(mut self, bits: u8) -> Self {
        self.client_bits = within(bits, 8, 15);
        self
    }

    /// Sets the level of compression, from 0 (none) and 1 (fastest) to 9 (smallest); the nearest of
    /// them for any other. Default: 4.
    ///
    /// For 64 KiB of JSON, level 6 took 1.6 times as long as level 4 for 5 % less, level 1 a third for
    /// half as much again; at 1 KiB levels 3 to 9 differ by less than 2 %.
    pub const fn level(mut self, level: u8) -> Self {
        self.level = within(level, 0, 9);
        self
    }

    /// Sets from how many bytes on a message is compressed. Default: 256; 32 where this end
    /// compresses with the messages before as context.
    ///
    /// A shorter one gains little, or grows; it goes out as it is. Of 128 bytes of JSON, 107 were
    /// left without context, and 35 with.
    pub const fn threshold(mut self, bytes: usize) -> Self {
        self.threshold = Some(bytes);
        self
    }

    /// With context takeover, gives the compressor back when nothing was compressed for this long.
    ///
    /// The next message then begins without context, which a peer need not be told (RFC 7692
    /// §7.1.1: a window may always be used less). It takes up to twice as long until it is noticed.
    /// What inflates the peer's messages has to stay, since the peer may refer to them. Default:
    /// never.
    pub const fn forget_after(mut self, idle: Duration) -> Self {
        self.forget_after = Some(idle);
        self
    }

    pub(super) fn server_takeover(self, role: Role) -> bool {
        self.server_takeover.unwrap_or(role == Role::Client)
    }

    pub(super) const fn client_takeover(self) -> bool {
        self.client_takeover
    }

    /// Whether the end of this role wants to compress with the messages before as context.
    pub(crate) fn takeover(self, role: Role) -> bool {
        match role {
            Role::Server => self.server_takeover(role),
            Role::Client => self.client_takeover,
        }
    }

    /// What this end compresses with, where the window may be as agreed on. `None` if it is
    /// smaller than this compressor's can be: then messages go out as they are, which an end may
    /// always do.
    pub(crate) fn settings(self, direction: Direction) -> Option<Settings> {
        let Direction { takeover, bits } = direction;
        let memory = if takeover { Memory::most(self.level, bits) } else { Memory::Sparing };
        (bits >= LEAST_BITS).then_some(Settings { level: self.level, bits, memory })
    }

    /// From which length on a message is compressed.
    pub(crate) fn least_size(self, takeover: bool) -> usize {
        self.threshold.unwrap_or(if takeover { 32 } else { 256 })
    }

    pub(crate) const fn idle(self) -> Option<Duration> {
        self.forget_after
    }
}

impl Default for Deflate {
    fn default() -> Self {
        Self::new()
    }
}

const fn within(value: u8, least: u8, most: u8) -> u8 {
    if value < least {
        least
    } else if value > most {
        most
    } else {
        value
    }
}

/// How one message is sent, beside what it says; for `start_send_with`.
///
/// ```
/// use futures::SinkExt;
/// use std::{future::poll_fn, pin::Pin};
/// use ws_channel::{Error, Message, SendOptions, WebSocketAdapter};
///
/// # async fn example<S>(mut channel: WebSocketAdapter<S>, jpeg: Vec<u8>) -> Result<(), Error>
/// # where S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin {
/// // A picture is compressed already.
/// poll_fn(|cx| channel.poll_ready_unpin(cx)).await?;
/// channel.start_send_with(jpeg.into(), SendOptions::new().no_compress())?;
/// channel.flush().await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[must_use = "options do nothing until a message is sent with them"]
pub struct SendOptions {
    pub(crate) compress: Choice,
}

/// Whether a message is compressed, where that was agreed on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Choice {
    /// From the threshold on, and if it becomes shorter.
    #[default]
    Auto,
    Always,
    Never,
}

impl SendOptions {
    /// As every message is sent: compressed from [`Deflate::threshold`] on, if that was agreed on.
    pub const fn new() -> Self {
        Self { compress: Choice::Auto }
    }

    /// Compresses the message whatever its size, if compression was agreed on.
    pub const fn compress(mut self) -> Self {
        self.compress = Choice::Always;
        self
    }

    /// Sends the message as it is.
    ///
    /// For what is compressed already, and for what holds a secret beside text that an attacker may
    /// choose: the length of a compressed message tells of both.
    pub const fn no_compress(mut self) -> Self {
        self.compress = Choice::Never;
        self
    }
}
