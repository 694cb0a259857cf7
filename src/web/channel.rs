//! The channel over a socket of the page.

use std::fmt;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::stream::FusedStream;
use futures::{Sink, Stream};
use web_sys::WebSocket;

use super::alarm::Alarm;
use super::inbox::{Inbox, Limits};
use super::link::Link;
use super::pace::Pace;
use super::socket::Socket;
use crate::channel::{WebSocketChannel, inherent_close_and_split};
use crate::platform::{self, Instant};
use crate::protocol::{CloseEvent, CloseFrame, InvalidCloseFrame, Message, ReadyState};
use crate::{Error, Handshake};

/// A channel over the page's own socket: what connecting gives in a browser.
///
/// Works in pages and in workers, and stays in the one it was made in, as all that the browser
/// gives; [`into_send`](Self::into_send) makes a handle that is `Send`.
///
/// It has the promises of every [`WebSocketChannel`]. What a browser does differently:
///
/// - It sends 1000 and 3000–4999 as close codes, no others.
/// - A fault of the peer is told as a lost connection with 1006, since the browser does not say
///   more.
/// - Messages arrive whether or not they are received. They wait in a queue, whose bound is
///   [`Connect::receive_buffer_size`](crate::Connect::receive_buffer_size); over a
///   `WebSocketStream` the peer is held back instead.
/// - [`buffered_amount`](WebSocketChannel::buffered_amount) is the browser's, and sending waits
///   while it is too high. It is looked at again when a message comes and by a timer, or for 2 ms in
///   each task of the page where that was quicker before. Browsers slow timers down to once a second
///   in pages that are not seen; a worker is better for bulk data.
/// - The browser answers pings, and lets nobody send one.
/// - A page that is left may be kept, to be shown again when the user comes back. Its connections are
///   closed meanwhile: the server sees 1001, and once the page is shown its channels end as lost,
///   with 1006.
///
/// Dropping the channel closes the socket with an empty Close frame, since a page has no other way,
/// and detaches from it.
///
/// # An existing socket
///
/// [`From<web_sys::WebSocket>`](#impl-From<WebSocket>-for-BrowserChannel) wraps one that is there,
/// in any state, with the default limits.
///
/// # Cancellation safety
///
/// Every future of a channel can be dropped at any await, and the channel stays usable.
///
/// # Examples
///
/// ```no_run
/// use futures::SinkExt;
/// use ws_channel::{BrowserChannel, WebSocketChannel};
///
/// async fn greet(socket: web_sys::WebSocket) -> Result<(), ws_channel::Error> {
///     let mut channel = BrowserChannel::from(socket);
///     channel.ready().await?;
///     channel.send("hello".into()).await
/// }
/// ```
#[doc(alias = "HtmlWebSocketChannel")]
pub struct BrowserChannel(Box<Parts<dyn Link>>);

/// Behind one pointer, so that a program that moves a channel about carries less code.
struct Parts<L: ?Sized> {
    inbox: Rc<Inbox>,
    settings: Settings,
    pace: Pace,
    /// Until when connecting may take, and later the closing handshake.
    deadline: Option<Instant>,
    alarm: Alarm,
    link: L,
}

/// How a channel behaves.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settings {
    pub(super) write_buffer_size: usize,
    pub(super) close_timeout: Duration,
}

impl BrowserChannel {
    pub(super) fn new(link: impl Link + 'static, inbox: Rc<Inbox>, settings: Settings) -> Self {
        let (alarm, pace) = (Alarm::new(Rc::clone(&inbox)), Pace::new());
        Self(Box::new(Parts { inbox, settings, pace, deadline: None, alarm, link }))
    }

    /// Sets how many bytes may wait to be sent before sending waits. Default: 128 KiB.
    pub fn with_write_buffer_size(mut self, bytes: usize) -> Self {
        self.0.settings.write_buffer_size = bytes;
        self
    }

    /// Sets how long closing may take. Default: 5 s.
    pub fn with_close_timeout(mut self, timeout: Duration) -> Self {
        self.0.settings.close_timeout = timeout;
        self
    }

    /// The page's socket; `None` if the channel is over a `WebSocketStream`.
    ///
    /// Its `binaryType` has to stay `arraybuffer`: a `Blob` ends the channel with an error. What a
    /// program sends over it itself is noticed late: the browser is asked how much waits only after
    /// each `write_buffer_size` bytes of the channel's own.
    #[doc(alias = "innerWebSocket")]
    pub fn get_ref(&self) -> Option<&WebSocket> {
        self.0.link.socket()
    }

    /// The page's socket, detached from and as it is; `None` (and closed) if the channel is over a
    /// `WebSocketStream`.
    ///
    /// Messages that were not received yet are lost.
    pub fn into_inner(self) -> Option<WebSocket> {
        self.0.inbox.give_back();
        self.0.link.socket().cloned()
    }

    inherent_close_and_split!();

    pub(super) fn write_buffer_size(&self) -> usize {
        self.0.settings.write_buffer_size
    }

    pub(super) fn inbox(&self) -> &Inbox {
        &self.0.inbox
    }

    fn closed(&self) -> Error {
        Error::closed(self.0.inbox.event())
    }

    /// Waits for the end; once this side has begun it, no longer than the close timeout.
    fn poll_end(&mut self) -> Poll<()> {
        if self.0.inbox.event().is_none() {
            if !self.0.inbox.is_closing() {
                return Poll::Pending;
            }
            if !self.is_late(self.0.settings.close_timeout) {
                return Poll::Pending;
            }
            self.0.inbox.give_up();
        }
        self.0.alarm.silence();
        Poll::Ready(())
    }

    /// Whether the deadline has passed, which is set now unless it is already.
    fn is_late(&mut self, timeout: Duration) -> bool {
        let later = || platform::later(platform::now(), timeout);
        let deadline = *self.0.deadline.get_or_insert_with(later);
        self.0.alarm.has_come(deadline)
    }

    /// Waits until the socket is open, or has failed; `false` if that took longer than the timeout.
    pub(super) fn poll_open(&mut self, cx: &mut Context<'_>, timeout: Duration) -> Poll<bool> {
        if self.0.inbox.is_opened() || self.0.inbox.event().is_some() {
            self.0.deadline = None;
            self.0.alarm.silence();
            return Poll::Ready(true);
        }
        if self.is_late(timeout) {
            return Poll::Ready(false);
        }
        self.0.inbox.wait_to_write(cx);
        Poll::Pending
    }
}

/// Wraps a socket in any state, and sets its `binaryType` to `arraybuffer`.
///
/// While it connects the channel is in [`ReadyState::Connecting`] until the browser gives up,
/// and an attempt that fails is told by the stream. A socket that is closing or closed gives a
/// channel that is, too: [`ready`](WebSocketChannel::ready) and sending are
/// [`Error::Closed`]; how it ended before is not known, so that is 1006. Messages that arrived
/// before are not seen.
impl From<WebSocket> for BrowserChannel {
    fn from(socket: WebSocket) -> Self {
        let options = crate::Options::new();
        let settings = Settings {
            write_buffer_size: options.write_buffer_size,
            close_timeout: options.close_timeout,
        };
        Socket::wrap(socket, Limits::default(), settings)
    }
}

impl Stream for BrowserChannel {
    type Item = Result<Message, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if let Some(message) = this.0.inbox.pop() {
            return Poll::Ready(Some(Ok(message)));
        }
        if this.poll_end().is_ready() {
            return Poll::Ready(this.0.inbox.take_error().map(Err));
        }
        this.0.inbox.wait_to_read(cx);
        this.0.link.read();
        Poll::Pending
    }
}

impl FusedStream for BrowserChannel {
    fn is_terminated(&self) -> bool {
        self.0.inbox.is_drained()
    }
}

impl Sink<Message> for BrowserChannel {
    type Error = Error;

    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let this = self.get_mut();
        let state = this.ready_state();
        let Parts { inbox, settings, pace, alarm, link, .. } = &mut *this.0;
        let room = match state {
            ReadyState::Connecting => Poll::Pending,
            ReadyState::Open => pace.poll(alarm, settings.write_buffer_size, || link.buffered()),
            ReadyState::Closing | ReadyState::Closed => return Poll::Ready(Err(this.closed())),
        };
        if room.is_pending() {
            inbox.wait_to_write(cx);
        }
        room.map(Ok)
    }

    fn start_send(self: Pin<&mut Self>, message: Message) -> Result<(), Error> {
        let Parts { inbox, pace, link, .. } = &mut *self.get_mut().0;
        // The page's own state was asked for when this channel was ready.
        if inbox.is_closing() || inbox.event().is_some() {
            return Err(Error::closed(inbox.event()));
        }
        pace.sent(message.len());
        link.send(&message)
    }

    /// The page has taken what was sent.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        if !self.0.inbox.is_closing() {
            self.as_mut().start_close(None)?;
        }
        self.0.inbox.discard();
        if self.poll_end().is_pending() {
            self.0.inbox.wait_to_write(cx);
            return Poll::Pending;
        }
        Poll::Ready(Ok(()))
    }
}

impl WebSocketChannel for BrowserChannel {
    fn handshake(&self) -> &Handshake {
        self.0.inbox.handshake()
    }

    fn ready_state(&self) -> ReadyState {
        if self.0.inbox.event().is_some() {
            ReadyState::Closed
        } else if self.0.inbox.is_closing() {
            ReadyState::Closing
        } else {
            self.0.link.state()
        }
    }

    fn buffered_amount(&self) -> usize {
        self.0.link.buffered()
    }

    fn close_event(&self) -> Option<&CloseEvent> {
        self.0.inbox.event()
    }

    fn start_close(mut self: Pin<&mut Self>, frame: Option<CloseFrame>) -> Result<(), Error> {
        if let Some(frame) = &frame {
            sendable(frame)?;
        }
        let state = self.ready_state();
        self.0.inbox.start_close(state);
        if matches!(state, ReadyState::Connecting | ReadyState::Open) {
            // From now on, not from the next poll.
            let timeout = self.0.settings.close_timeout;
            self.0.deadline = None;
            self.is_late(timeout);
            self.0.link.close(frame.as_ref());
        }
        Ok(())
    }
}

impl fmt::Debug for BrowserChannel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BrowserChannel")
            .field("handshake", self.handshake())
            .field("ready_state", &self.ready_state())
            .finish_non_exhaustive()
    }
}

/// WHATWG, `close()`: a page may send 1000 and 3000–4999.
pub(super) fn sendable(frame: &CloseFrame) -> Result<(), InvalidCloseFrame> {
    match frame.code().as_u16() {
        1000 | 3000..=4999 => Ok(()),
        _ => Err(InvalidCloseFrame::NotByThisEndpoint { code: frame.code(), by: "page" }),
    }
}
