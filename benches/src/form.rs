//! The two forms in which a connection is used: as one value, or as two halves.

use std::future::Future;
use std::marker::PhantomData;

use crate::contender::{Contender, End, Failure, Forward, Kind, Receiver, Sender, Transport};

/// How a workload gets at the ends of a connection.
pub trait Form: 'static {
    type Of: Contender;
    type Client<S: Transport>: End + 'static;
    type Server<S: Transport>: End + 'static;

    fn client<S: Transport>(io: S) -> impl Future<Output = Self::Client<S>> + Send;
    fn server<S: Transport>(io: S) -> impl Future<Output = Self::Server<S>> + Send;
}

/// Each end is one value.
pub struct Whole<C>(PhantomData<C>);

impl<C: Contender> Form for Whole<C> {
    type Of = C;
    type Client<S: Transport> = C::Client<S>;
    type Server<S: Transport> = C::Server<S>;

    fn client<S: Transport>(io: S) -> impl Future<Output = Self::Client<S>> + Send {
        C::client(io)
    }

    fn server<S: Transport>(io: S) -> impl Future<Output = Self::Server<S>> + Send {
        C::server(io)
    }
}

/// Each end is two halves, driven by one task.
pub struct Split<C>(PhantomData<C>);

impl<C: Contender> Form for Split<C> {
    type Of = C;
    type Client<S: Transport> = C::SplitClient<S>;
    type Server<S: Transport> = C::SplitServer<S>;

    async fn client<S: Transport>(io: S) -> Self::Client<S> {
        C::split_client(C::client(io).await)
    }

    async fn server<S: Transport>(io: S) -> Self::Server<S> {
        C::split_server(C::server(io).await)
    }
}

/// Two halves that make an end together. A contender says `impl End for Halves<…> {}`.
pub struct Halves<T, R> {
    pub sender: T,
    pub receiver: R,
}

impl<T: Sender, R: Send> Sender for Halves<T, R> {
    type Item = T::Item;

    fn item(kind: Kind, payload: &[u8]) -> Self::Item {
        T::item(kind, payload)
    }

    fn feed(&mut self, item: &Self::Item) -> impl Future<Output = Result<(), Failure>> + Send {
        self.sender.feed(item)
    }

    fn flush(&mut self) -> impl Future<Output = Result<(), Failure>> + Send {
        self.sender.flush()
    }

    fn send(&mut self, item: &Self::Item) -> impl Future<Output = Result<(), Failure>> + Send {
        self.sender.send(item)
    }
}

impl<M, T: Forward<M>, R: Send> Forward<M> for Halves<T, R> {
    fn forward(&mut self, message: M) -> impl Future<Output = Result<(), Failure>> + Send {
        self.sender.forward(message)
    }
}

impl<T: Send, R: Receiver> Receiver for Halves<T, R> {
    type Message = R::Message;

    const LOOKS_AHEAD: bool = R::LOOKS_AHEAD;
    const READING_FLUSHES: bool = R::READING_FLUSHES;

    fn next(&mut self) -> impl Future<Output = Result<Self::Message, Failure>> + Send {
        self.receiver.next()
    }

    fn look(message: &Self::Message) -> (Kind, &[u8]) {
        R::look(message)
    }

    fn recv<S: Send>(
        &mut self,
        see: impl FnOnce(Kind, &[u8]) -> S + Send,
    ) -> impl Future<Output = Result<S, Failure>> + Send {
        self.receiver.recv(see)
    }
}
