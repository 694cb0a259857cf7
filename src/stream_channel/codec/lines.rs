//! Lines over bytes.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use futures::{Sink, Stream};
use pin_project_lite::pin_project;

use super::{hand_on, over_inner};
use crate::stream_channel::Closed;

/// The longest line that is received unless set.
const MAX_LENGTH: usize = 1 << 20;

pin_project! {
    /// A channel of lines over one of bytes, however those are cut into pieces.
    ///
    /// A line that comes ends with `\n`, `\r\n` or `\r`, which are not part of it, or with the end of
    /// the stream. A line that goes gets a `\n`; it may hold no line break itself. Over it,
    /// `JsonChannel` makes a channel of JSON lines.
    ///
    /// A line that is not UTF-8 or too long is an item, [`LinesError::NotUtf8`] or
    /// [`LinesError::TooLong`], and the stream goes on with the next line. No more than the longest
    /// line and one piece are kept.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures::{SinkExt, StreamExt};
    /// use ws_channel::stream_channel::{LinesChannel, duplex};
    ///
    /// # futures::executor::block_on(async {
    /// let (near, mut far) = duplex::<Vec<u8>>(4);
    /// let mut near = LinesChannel::new(near);
    /// near.send("hello".into()).await?;
    /// assert_eq!(far.next().await.transpose()?, Some(b"hello\n".to_vec()));
    /// for piece in ["on", "e\r\ntwo\nth"] {
    ///     far.send(piece.into()).await?;
    /// }
    /// assert_eq!(near.next().await.transpose()?.as_deref(), Some("one"));
    /// assert_eq!(near.next().await.transpose()?.as_deref(), Some("two"));
    /// # Ok::<_, ws_channel::stream_channel::LinesError<_>>(())
    /// # }).unwrap();
    /// ```
    #[doc(alias = "newlineDelimited")]
    #[must_use = "channels do nothing unless polled"]
    pub struct LinesChannel<C> {
        #[pin]
        inner: C,
        splitter: Splitter,
        ended: bool,
    }
}

impl<C> LinesChannel<C> {
    /// A channel of lines over `inner`.
    pub fn new(inner: C) -> Self {
        Self { inner, splitter: Splitter::new(MAX_LENGTH), ended: false }
    }

    /// Sets how long a line that comes may be, in bytes without its end. Default: 1 MiB.
    ///
    /// ```
    /// use futures::{SinkExt, StreamExt};
    /// use ws_channel::stream_channel::{Closed, LinesChannel, LinesError, duplex};
    ///
    /// # futures::executor::block_on(async {
    /// let (near, mut far) = duplex::<Vec<u8>>(4);
    /// let mut near = LinesChannel::new(near).max_length(3);
    /// far.send(b"long\nok\n".to_vec()).await?;
    /// assert!(matches!(near.next().await, Some(Err(LinesError::TooLong { limit: 3, .. }))));
    /// assert_eq!(near.next().await.unwrap().unwrap(), "ok");
    /// # Ok::<_, Closed>(())
    /// # }).unwrap();
    /// ```
    pub const fn max_length(mut self, bytes: usize) -> Self {
        self.splitter.max_length = bytes;
        self
    }

    over_inner!();
}

impl<C, M, E> Stream for LinesChannel<C>
where
    C: Stream<Item = Result<M, E>>,
    M: Into<Bytes>,
{
    type Item = Result<String, LinesError<E>>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut this = self.project();
        loop {
            if let Some(line) = this.splitter.next() {
                return Poll::Ready(Some(line.map_err(Fault::into)));
            }
            if *this.ended {
                return Poll::Ready(this.splitter.rest().map(|line| line.map_err(Fault::into)));
            }
            match ready!(this.inner.as_mut().poll_next(cx)) {
                Some(Ok(piece)) => this.splitter.piece = piece.into(),
                Some(Err(error)) => return Poll::Ready(Some(Err(LinesError::Channel(error)))),
                None => *this.ended = true,
            }
        }
    }
}

impl<C, M, E> Sink<String> for LinesChannel<C>
where
    C: Stream<Item = Result<M, E>> + Sink<M, Error = E>,
    M: From<Bytes>,
{
    type Error = LinesError<E>;

    fn start_send(self: Pin<&mut Self>, mut line: String) -> Result<(), LinesError<E>> {
        if memchr::memchr2(b'\n', b'\r', line.as_bytes()).is_some() {
            return Err(LinesError::LineBreak);
        }
        line.push('\n');
        self.project().inner.start_send(Bytes::from(line).into()).map_err(LinesError::Channel)
    }

    hand_on!(LinesError::Channel);
}

impl<C: fmt::Debug> fmt::Debug for LinesChannel<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LinesChannel").field("inner", &self.inner).finish_non_exhaustive()
    }
}

/// Why a line did not get through.
///
/// Only [`Channel`](Self::Channel) is about the channel; after the others it can be used on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LinesError<E> {
    /// The channel below failed.
    #[error(transparent)]
    Channel(E),
    /// A line that came is not UTF-8.
    #[error("a line is not UTF-8")]
    NotUtf8,
    /// A line that came is longer than the limit; it is passed over.
    #[error(
        "a line is longer than the limit of {limit} bytes; if it is expected, raise `max_length`"
    )]
    #[non_exhaustive]
    TooLong {
        /// The limit in force, `max_length`.
        limit: usize,
    },
    /// A line that was to be sent holds a line break; nothing was sent.
    #[error("a line may not hold a line break; send its lines one by one")]
    LineBreak,
}

impl<E: From<Closed>> From<Closed> for LinesError<E> {
    fn from(closed: Closed) -> Self {
        Self::Channel(closed.into())
    }
}

/// What is wrong with a line that came.
enum Fault {
    NotUtf8,
    TooLong { limit: usize },
}

impl<E> From<Fault> for LinesError<E> {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::NotUtf8 => Self::NotUtf8,
            Fault::TooLong { limit } => Self::TooLong { limit },
        }
    }
}

/// Cuts pieces of bytes into lines.
struct Splitter {
    max_length: usize,
    /// What has not been looked at.
    piece: Bytes,
    state: State,
}

/// Where between two pieces the cutting is.
enum State {
    /// In a line, of which this came with earlier pieces.
    Line(Vec<u8>),
    /// Behind a `\r`: a `\n` belongs to it.
    Return,
    /// In a line that is too long.
    PassingOver,
}

impl Splitter {
    const fn new(max_length: usize) -> Self {
        Self { max_length, piece: Bytes::new(), state: State::Line(Vec::new()) }
    }

    /// The next line that is there as a whole.
    fn next(&mut self) -> Option<Result<String, Fault>> {
        while let Some(&first) = self.piece.first() {
            if let State::Return = self.state {
                self.state = State::Line(Vec::new());
                if first == b'\n' {
                    self.piece.advance(1);
                    continue;
                }
            }
            let end = memchr::memchr2(b'\n', b'\r', &self.piece);
            let part = self.piece.split_to(end.unwrap_or(self.piece.len()));
            let behind = match end.map(|_| self.piece.get_u8()) {
                Some(b'\r') => State::Return,
                _ => State::Line(Vec::new()),
            };
            let State::Line(line) = &mut self.state else {
                if end.is_some() {
                    self.state = behind;
                }
                continue;
            };
            if line.len() + part.len() > self.max_length {
                self.state = if end.is_some() { behind } else { State::PassingOver };
                return Some(Err(Fault::TooLong { limit: self.max_length }));
            }
            line.extend_from_slice(&part);
            if end.is_some() {
                let line = std::mem::take(line);
                self.state = behind;
                return Some(text(line));
            }
        }
        None
    }

    /// What stands behind the last line break, at the end.
    fn rest(&mut self) -> Option<Result<String, Fault>> {
        match &mut self.state {
            State::Line(line) if !line.is_empty() => Some(text(std::mem::take(line))),
            _ => None,
        }
    }
}

fn text(line: Vec<u8>) -> Result<String, Fault> {
    String::from_utf8(line).map_err(|_| Fault::NotUtf8)
}
