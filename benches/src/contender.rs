//! What a contender has to be able to do, and nothing of how it is measured.
//!
//! A contender is one file in `contenders/`: a type that implements [`Contender`], and the two or
//! three types of its ends. [`Contender`] says how the ends of a connection come to be; an [`End`]
//! is what a workload drives. Everything is dispatched statically: a workload is compiled once for
//! each contender.

use std::error::Error;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use tokio::io::{AsyncRead, AsyncWrite};

use crate::frames;

/// Why an end could not go on; the end of the stream counts too.
pub type Failure = Box<dyn Error + Send + Sync>;

/// The two kinds of message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Text,
    Binary,
}

/// Which end of a connection: a client masks what it sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Client,
    Server,
}

/// A byte stream that a contender is put upon, after the handshake.
pub trait Transport: AsyncRead + AsyncWrite + Unpin + Send + 'static {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send + 'static> Transport for T {}

/// The half of an end that sends.
pub trait Sender: Send {
    /// A message in the form that the crate sends, made once and sent many times.
    type Item: Clone + Send + Sync + 'static;

    fn item(kind: Kind, payload: &[u8]) -> Self::Item;

    /// Queues a message; may write, if the crate finds that enough is queued. Crates that can't
    /// queue write it.
    fn feed(&mut self, item: &Self::Item) -> impl Future<Output = Result<(), Failure>> + Send;

    fn flush(&mut self) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Queues a message and flushes it.
    fn send(&mut self, item: &Self::Item) -> impl Future<Output = Result<(), Failure>> + Send {
        async move {
            self.feed(item).await?;
            self.flush().await
        }
    }
}

/// A sender that can queue a message of type `M` just received, without a copy where the crate
/// allows it.
pub trait Forward<M>: Sender {
    fn forward(&mut self, message: M) -> impl Future<Output = Result<(), Failure>> + Send;
}

/// The half of an end that receives.
pub trait Receiver: Send {
    /// A received message that owns its payload.
    type Message: Send;

    /// Whether a pending [`next`](Self::next) can be dropped without losing bytes, so that one can
    /// look ahead.
    const LOOKS_AHEAD: bool = true;

    /// Whether asking for a message flushes what is queued, so that batches are read whole before
    /// they are answered.
    const READING_FLUSHES: bool = false;

    fn next(&mut self) -> impl Future<Output = Result<Self::Message, Failure>> + Send;

    fn look(message: &Self::Message) -> (Kind, &[u8]);

    /// Receives one message and shows it, in the form that is the crate's usual one.
    fn recv<R: Send>(
        &mut self,
        see: impl FnOnce(Kind, &[u8]) -> R + Send,
    ) -> impl Future<Output = Result<R, Failure>> + Send {
        async move {
            let message = self.next().await?;
            let (kind, payload) = Self::look(&message);
            Ok(see(kind, payload))
        }
    }

    /// Receives one message and shows it where it lies in the read buffer. Only called if
    /// [`Contender::LENDS`].
    fn recv_lent<R: Send>(
        &mut self,
        see: impl FnOnce(Kind, &[u8]) -> R + Send,
    ) -> impl Future<Output = Result<R, Failure>> + Send {
        self.recv(see)
    }
}

/// The messages that a batch holds at most, where batches are read before they are answered.
const BATCH: usize = 64;

/// One end of a connection.
pub trait End: Sender + Receiver + Forward<<Self as Receiver>::Message> {
    /// Answers each of `count` messages with itself, flushed at once.
    fn echo(&mut self, count: u64) -> impl Future<Output = Result<(), Failure>> + Send {
        async move {
            for _ in 0..count {
                let message = self.next().await?;
                self.forward(message).await?;
                self.flush().await?;
            }
            Ok(())
        }
    }

    /// Answers each of `count` messages with itself, flushed when no further message is there, if
    /// the crate allows it.
    fn bounce(&mut self, count: u64) -> impl Future<Output = Result<(), Failure>> + Send {
        async move {
            if !Self::LOOKS_AHEAD {
                return self.echo(count).await;
            }
            let mut batch = Vec::new();
            let mut left = count;
            while left > 0 {
                let mut message = Some(self.next().await?);
                while let Some(m) = message.take() {
                    left -= 1;
                    if Self::READING_FLUSHES {
                        batch.push(m);
                    } else {
                        self.forward(m).await?;
                    }
                    if left > 0 && batch.len() < BATCH {
                        message = at_once(self.next()).await.transpose()?;
                    }
                }
                for m in batch.drain(..) {
                    self.forward(m).await?;
                }
                self.flush().await?;
            }
            Ok(())
        }
    }
}

/// What `future` gives if it is asked once, and `None` if it would have to wait.
async fn at_once<F: Future>(future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    poll_fn(|cx| {
        Poll::Ready(match future.as_mut().poll(cx) {
            Poll::Ready(output) => Some(output),
            Poll::Pending => None,
        })
    })
    .await
}

/// A crate, in one configuration.
pub trait Contender: 'static {
    /// The row's name in the tables.
    const NAME: &'static str;

    /// Whether [`Receiver::recv_lent`] is something else than [`Receiver::recv`].
    const LENDS: bool = false;

    type Client<S: Transport>: End;
    type Server<S: Transport>: End;
    type SplitClient<S: Transport>: End;
    type SplitServer<S: Transport>: End;

    fn client<S: Transport>(io: S) -> impl Future<Output = Self::Client<S>> + Send;
    fn server<S: Transport>(io: S) -> impl Future<Output = Self::Server<S>> + Send;

    /// The same connection as two halves, in the way that the crate documents.
    fn split_client<S: Transport>(client: Self::Client<S>) -> Self::SplitClient<S>;
    fn split_server<S: Transport>(server: Self::Server<S>) -> Self::SplitServer<S>;

    /// Appends what the end in `role` would put on the wire for one message, masked with `key`
    /// where masking is due.
    fn frame(role: Role, kind: Kind, payload: &[u8], key: [u8; 4], out: &mut Vec<u8>) {
        frames::encode(role, kind, payload, key, out);
    }
}
