//! yawc, with the pool that its documentation recommends where no window is kept.

use std::sync::OnceLock;

use yawc::{CompressionLevel, DeflateOptions, DeflatePool, Options, Role, WebSocket};

use super::{Squeezer, Terms};
use crate::contender::Transport;
use crate::contenders::yawc::Frames;
use crate::sink_stream::Over;

pub struct Yawc;

/// One a level: a state of another level is thrown away.
static POOLS: [OnceLock<DeflatePool>; 10] = [const { OnceLock::new() }; 10];

fn end<S: Transport>(io: S, role: Role, terms: Terms) -> Over<WebSocket<S>, Frames> {
    let pool = POOLS[usize::from(terms.level)].get_or_init(|| DeflatePool::new(8));
    let deflate = DeflateOptions {
        level: CompressionLevel::new(terms.level.into()),
        server_no_context_takeover: !terms.takeover,
        client_no_context_takeover: !terms.takeover,
        pool: Some(pool.clone()),
        ..DeflateOptions::default()
    };
    let mut options = Options::default().with_utf8();
    options.compression = Some(deflate);
    Over::new(
        WebSocket::from_stream_with_extensions(io, role, Some(terms.header()), options)
            .expect("the extension is known"),
    )
}

impl Squeezer for Yawc {
    const NAME: &'static str = "yawc";

    type Client<S: Transport> = Over<WebSocket<S>, Frames>;
    type Server<S: Transport> = Over<WebSocket<S>, Frames>;

    fn client<S: Transport>(io: S, terms: Terms) -> Self::Client<S> {
        end(io, Role::Client, terms)
    }

    fn server<S: Transport>(io: S, terms: Terms) -> Self::Server<S> {
        end(io, Role::Server, terms)
    }
}
