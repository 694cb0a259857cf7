//! sockudo-ws' compressed stream.

use sockudo_ws::{CompressedWebSocketStream, Config, DeflateConfig};

use super::{Squeezer, Terms};
use crate::contender::Transport;
use crate::contenders::sockudo_ws::Messages;
use crate::sink_stream::Over;

pub struct SockudoWs;

fn config(terms: Terms) -> DeflateConfig {
    DeflateConfig {
        server_no_context_takeover: !terms.takeover,
        client_no_context_takeover: !terms.takeover,
        compression_level: terms.level.into(),
        ..DeflateConfig::default()
    }
}

impl Squeezer for SockudoWs {
    const NAME: &'static str = "sockudo-ws";

    type Client<S: Transport> = Over<CompressedWebSocketStream<S>, Messages>;
    type Server<S: Transport> = Over<CompressedWebSocketStream<S>, Messages>;

    fn client<S: Transport>(io: S, terms: Terms) -> Self::Client<S> {
        Over::new(CompressedWebSocketStream::client(io, Config::default(), config(terms)))
    }

    fn server<S: Transport>(io: S, terms: Terms) -> Self::Server<S> {
        Over::new(CompressedWebSocketStream::server(io, Config::default(), config(terms)))
    }
}
