//! soketto, which has level 1 only and keeps no window.
//!
//! Its text is not checked, and its messages are appended to a buffer of the caller's.

use bytes::Bytes;
use soketto::connection::Builder;
use soketto::extension::Extension;
use soketto::extension::Param;
use soketto::extension::deflate::Deflate;
use soketto::{Data, Mode};
use tokio_util::compat::{Compat, TokioAsyncReadCompatExt};

use super::{Squeezer, Terms};
use crate::contender::{Failure, Kind, Receiver, Sender, Transport};

pub struct Soketto;

pub struct Connection<S> {
    sender: soketto::Sender<Compat<S>>,
    receiver: soketto::Receiver<Compat<S>>,
    buffer: Vec<u8>,
}

impl<S: Transport> Connection<S> {
    fn new(io: S, mode: Mode) -> Self {
        let mut deflate = Deflate::new(mode);
        deflate
            .configure(&[
                Param::new("server_no_context_takeover"),
                Param::new("client_no_context_takeover"),
            ])
            .expect("the parameters are known");
        let mut builder = Builder::new(io.compat(), mode);
        builder.add_extensions([Box::new(deflate) as Box<dyn Extension + Send>]);
        let (sender, receiver) = builder.finish();
        Self { sender, receiver, buffer: Vec::new() }
    }
}

impl Squeezer for Soketto {
    const NAME: &'static str = "soketto";

    type Client<S: Transport> = Connection<S>;
    type Server<S: Transport> = Connection<S>;

    fn takes(terms: Terms) -> bool {
        !terms.takeover && terms.level == 1
    }

    fn client<S: Transport>(io: S, _: Terms) -> Self::Client<S> {
        Connection::new(io, Mode::Client)
    }

    fn server<S: Transport>(io: S, _: Terms) -> Self::Server<S> {
        Connection::new(io, Mode::Server)
    }
}

impl<S: Transport> Sender for Connection<S> {
    type Item = (Kind, Bytes);

    fn item(kind: Kind, payload: &[u8]) -> Self::Item {
        (kind, Bytes::copy_from_slice(payload))
    }

    async fn feed(&mut self, (kind, payload): &Self::Item) -> Result<(), Failure> {
        match kind {
            Kind::Text => self.sender.send_text(std::str::from_utf8(payload)?).await?,
            Kind::Binary => self.sender.send_binary(payload).await?,
        }
        Ok(())
    }

    async fn flush(&mut self) -> Result<(), Failure> {
        Ok(self.sender.flush().await?)
    }
}

impl<S: Transport> Receiver for Connection<S> {
    type Message = (Kind, Vec<u8>);

    const LOOKS_AHEAD: bool = false;

    async fn next(&mut self) -> Result<Self::Message, Failure> {
        self.recv(|kind, payload| (kind, payload.to_vec())).await
    }

    fn look((kind, payload): &Self::Message) -> (Kind, &[u8]) {
        (*kind, payload)
    }

    async fn recv<R: Send>(
        &mut self,
        see: impl FnOnce(Kind, &[u8]) -> R + Send,
    ) -> Result<R, Failure> {
        self.buffer.clear();
        let kind = match self.receiver.receive_data(&mut self.buffer).await? {
            Data::Text(_) => Kind::Text,
            Data::Binary(_) => Kind::Binary,
        };
        Ok(see(kind, &self.buffer))
    }
}
