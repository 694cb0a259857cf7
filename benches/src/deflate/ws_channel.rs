//! This crate: its states come from its pool where no window is kept.

use ws_channel::{Deflate, Handshake, Options, Role, WebSocketAdapter};

use super::{Squeezer, Terms};
use crate::contender::Transport;
use crate::contenders::OURS;
use crate::contenders::ws_channel::Messages;
use crate::sink_stream::Over;

pub struct WsChannel;

fn end<S: Transport>(io: S, role: Role, terms: Terms) -> Over<WebSocketAdapter<S>, Messages> {
    let handshake =
        Handshake::default().with_extensions(terms.header()).expect("the extension is known");
    // What the ends keep is as in the header.
    let deflate = Deflate::new().level(terms.level).server_context_takeover();
    let options = Options::new().deflate(deflate.client_context_takeover());
    Over::new(WebSocketAdapter::from_upgraded_with(
        io,
        role,
        handshake,
        &options,
        bytes::BytesMut::new(),
    ))
}

impl Squeezer for WsChannel {
    const NAME: &'static str = OURS;

    type Client<S: Transport> = Over<WebSocketAdapter<S>, Messages>;
    type Server<S: Transport> = Over<WebSocketAdapter<S>, Messages>;

    fn client<S: Transport>(io: S, terms: Terms) -> Self::Client<S> {
        end(io, Role::Client, terms)
    }

    fn server<S: Transport>(io: S, terms: Terms) -> Self::Server<S> {
        end(io, Role::Server, terms)
    }
}
