//! A channel between a page and its workers.

mod accept;
mod error;
mod frame;
mod inbox;

use std::fmt;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use futures::{Sink, Stream};
use js_sys::Array;
use wasm_bindgen::prelude::*;
use web_sys::{EventTarget, MessageChannel, MessagePort};

use self::frame::Frame;
use self::inbox::Inbox;
use super::js;
use super::listener::Listener;

pub use self::accept::AcceptingPort;
pub use self::error::PortError;

/// A channel to another thread of the browser: between a page and a worker, two workers, or two
/// frames, over a `MessagePort`.
///
/// An item is any value that the browser clones for another thread; the mapping channels, as
/// [`try_map_channel`](crate::StreamChannelExt::try_map_channel), make them text or whatever else.
/// It keeps the [rules](crate::stream_channel#rules) of channels. Natively,
/// [`duplex`](crate::stream_channel::duplex) is the channel between threads.
///
/// - Each end holds up to `capacity` items (at least one) that came and were not read yet; a sender
///   waits while the other end is full, and until it is there.
/// - Closing or dropping one end ends the other, after what was sent before.
/// - A value that cannot be cloned is an error of the send, [`PortError::Refused`], and the channel
///   goes on. An item that cannot be made at this end is an item [`PortError::Unreadable`].
/// - An end that is gone without a word, as that of a worker that was terminated, is
///   [`PortError::Lost`] where the browser has the `close` event of ports. Where it has not, nothing
///   tells: then whoever ends a worker should drop the channel, too.
///
/// # Connecting
///
/// [`new`](Self::new) makes a channel of a port whose other end becomes one as well. Where there is
/// no port yet, one thread [offers](Self::offer) one through what it has, a `Worker` or a worker's
/// own scope, and the other [accepts](Self::accept). The one that exists first accepts: what is
/// posted to a worker before it listens is lost.
///
/// # On the wire
///
/// So that a script can be the other end: an item is a list of one, `[item]`; a number is how many
/// items more may be sent; `null` is the end. The first message of either end is the number.
/// Anything else is an error, [`PortError::Unexpected`], and the end. An offer is a message that is
/// a `MessagePort`.
///
/// # Cancellation safety
///
/// An item is sent whole or not at all; nothing is lost when a `next` is dropped.
///
/// # Examples
///
/// In the page:
///
/// ```no_run
/// use futures::{SinkExt, StreamExt};
/// use ws_channel::{PortChannel, PortError};
///
/// # async fn page(worker: web_sys::Worker) -> Result<(), PortError> {
/// let mut channel = PortChannel::accept(&worker, 16).await?;
/// channel.send("how many?".into()).await?;
/// let answer = channel.next().await;
/// # Ok(()) }
/// ```
///
/// In the worker:
///
/// ```no_run
/// use futures::{SinkExt, StreamExt};
/// use wasm_bindgen::JsCast;
/// use ws_channel::{PortChannel, PortError};
///
/// # async fn worker() -> Result<(), PortError> {
/// let scope: web_sys::EventTarget = js_sys::global().unchecked_into();
/// let mut channel = PortChannel::offer(&scope, 16)?;
/// while let Some(question) = channel.next().await {
///     println!("{:?}", question?);
///     channel.send(2.into()).await?;
/// }
/// # Ok(()) }
/// ```
#[doc(alias = "IsolateChannel")]
#[must_use = "channels do nothing unless polled"]
pub struct PortChannel {
    port: Port,
    inbox: Rc<Inbox>,
    _listeners: [Listener; 3],
}

#[wasm_bindgen]
extern "C" {
    /// Whatever posts messages to another thread.
    type Poster;

    #[wasm_bindgen(method, structural, catch, js_name = postMessage)]
    fn post(this: &Poster, message: &JsValue, transfer: &Array) -> Result<(), JsValue>;
}

impl PortChannel {
    /// A channel over `port`, whose other end has to become one, too. Each end has a capacity of its
    /// own.
    pub fn new(port: MessagePort, capacity: usize) -> Self {
        let capacity = u32::try_from(capacity.max(1)).unwrap_or(u32::MAX);
        let (port, inbox) = (Port(port), Rc::new(Inbox::new(capacity)));
        let message = port.told(&inbox, |inbox, event| inbox.receive(&js::data(event)));
        let unreadable = port.told(&inbox, |inbox, _| inbox.receive_unreadable());
        let gone = port.told(&inbox, |inbox, _| inbox.lose());
        let listeners = [
            Listener::attach(&port.0, "message", message),
            Listener::attach(&port.0, "messageerror", unreadable),
            Listener::attach(&port.0, "close", gone),
        ];
        port.0.start();
        port.post(Frame::Room(capacity));
        Self { port, inbox, _listeners: listeners }
    }

    /// Offers a channel to the thread behind `to`, which [accepts](Self::accept) it: a `Worker`, a
    /// worker's scope, or another `MessagePort`.
    ///
    /// The channel can be used at once; what is sent waits for the other end.
    ///
    /// # Errors
    ///
    /// [`PortError::Refused`] if the browser does not post it.
    #[doc(alias = "connectSend")]
    pub fn offer(to: &EventTarget, capacity: usize) -> Result<Self, PortError> {
        let refused = |thrown: JsValue| PortError::refused(&thrown);
        let ends = MessageChannel::new().map_err(refused)?;
        let theirs = ends.port2();
        to.unchecked_ref::<Poster>().post(&theirs, &Array::of1(&theirs)).map_err(refused)?;
        Ok(Self::new(ends.port1(), capacity))
    }

    /// Waits for the channel that the thread behind `from` [offers](Self::offer).
    ///
    /// It listens from now on, and takes the first message that comes for the offer. There is no
    /// deadline. For a channel that can be used meanwhile, hand it to a
    /// [`Deferred`](crate::stream_channel::Deferred).
    #[doc(alias = "connectReceive")]
    pub fn accept(from: &EventTarget, capacity: usize) -> AcceptingPort {
        AcceptingPort::new(from, capacity)
    }

    /// Sends an item, and moves the objects in `transfer` to the other thread instead of cloning
    /// them: buffers, ports, streams that are part of it.
    ///
    /// It does not wait for room; `poll_ready` does, as before `start_send`.
    ///
    /// # Errors
    ///
    /// Those of sending, and [`PortError::NoRoom`].
    pub fn start_send_transferring(
        &mut self,
        item: JsValue,
        transfer: &Array,
    ) -> Result<(), PortError> {
        self.send(item, |port, message| port.post_message_with_transferable(message, transfer))
    }

    /// The port. What is posted to it is for the other end to understand.
    pub const fn get_ref(&self) -> &MessagePort {
        &self.port.0
    }

    fn send(
        &self,
        item: JsValue,
        post: impl FnOnce(&MessagePort, &JsValue) -> Result<(), JsValue>,
    ) -> Result<(), PortError> {
        self.inbox.room()?;
        post(&self.port.0, &Frame::Item(item).into())
            .map_err(|thrown| PortError::refused(&thrown))?;
        self.inbox.sent();
        Ok(())
    }

    fn close(&self) {
        let was_over = self.inbox.is_over();
        self.inbox.close();
        if !was_over {
            self.port.hang_up();
        }
    }
}

impl Stream for PortChannel {
    type Item = Result<JsValue, PortError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let item = ready!(self.inbox.poll_pop(cx));
        if let Some(room) = self.inbox.grant() {
            self.port.post(Frame::Room(room));
        }
        Poll::Ready(item)
    }
}

impl Sink<JsValue> for PortChannel {
    type Error = PortError;

    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), PortError>> {
        self.inbox.poll_room(cx)
    }

    fn start_send(self: Pin<&mut Self>, item: JsValue) -> Result<(), PortError> {
        self.send(item, MessagePort::post_message)
    }

    /// What was sent is on its way at once.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), PortError>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), PortError>> {
        self.close();
        Poll::Ready(Ok(()))
    }
}

impl Drop for PortChannel {
    fn drop(&mut self) {
        self.close();
    }
}

impl fmt::Debug for PortChannel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PortChannel")
            .field("unread", &self.inbox.len())
            .field("is_over", &self.inbox.is_over())
            .finish_non_exhaustive()
    }
}

/// This end's port.
#[derive(Clone)]
struct Port(MessagePort);

impl Port {
    /// A callback that takes in an event, and then closes the port if that was the end.
    fn told(
        &self,
        inbox: &Rc<Inbox>,
        take: impl Fn(&Inbox, &JsValue) + 'static,
    ) -> Closure<dyn Fn(JsValue)> {
        let (port, inbox) = (self.clone(), Rc::clone(inbox));
        Closure::new(move |event: JsValue| {
            take(&inbox, &event);
            if inbox.is_over() {
                port.hang_up();
            }
        })
    }

    fn post(&self, frame: Frame) {
        // Numbers and `null` can always be cloned.
        let _ = self.0.post_message(&frame.into());
    }

    /// Tells the other end that it is over. What was sent before still arrives there.
    fn hang_up(&self) {
        self.post(Frame::End);
        self.0.close();
    }
}
