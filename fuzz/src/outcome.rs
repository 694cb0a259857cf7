//! What comes of bytes that a peer sent.

use futures::StreamExt;
use futures::executor::block_on;
use ws_channel::{Handshake, Message, Options, Role, WebSocketAdapter, WebSocketChannel};

use crate::pieces::Pieces;

/// All that somebody can see of a connection.
#[derive(Debug, PartialEq)]
pub struct Outcome {
    pub messages: Vec<Message>,
    pub error: Option<String>,
    pub event: String,
    /// How many bytes were written, and which, by a server: a client's are masked at random.
    pub written: (usize, Option<Vec<u8>>),
}

/// Receives everything that `io` brings, lent or owned.
pub fn run(io: Pieces, role: Role, extensions: &str, limit: usize, lent: bool) -> Outcome {
    let options = Options::new().max_message_size(limit);
    let handshake = Handshake::default().with_extensions(extensions).expect("they are known");
    let mut channel =
        WebSocketAdapter::from_upgraded_with(io, role, handshake, &options, b"".as_slice());
    let mut messages = Vec::new();
    let mut error = None;
    block_on(async {
        loop {
            let found = if lent {
                channel.recv_ref().await.map(|found| found.map(|message| message.to_message()))
            } else {
                channel.next().await
            };
            match found {
                Some(Ok(message)) => {
                    assert!(error.is_none(), "a message behind an error");
                    assert!(message.len() <= limit, "a message beyond the limit");
                    if let Some(text) = message.as_text() {
                        assert!(std::str::from_utf8(text.as_bytes()).is_ok(), "not UTF-8");
                    }
                    messages.push(message);
                }
                Some(Err(found)) => {
                    assert!(error.is_none(), "a second error");
                    error = Some(format!("{found:?}"));
                }
                None => break,
            }
        }
    });
    let event = format!("{:?}", channel.close_event().expect("it is over"));
    let written = std::mem::take(&mut channel.get_mut().written);
    let length = written.len();
    let written = (length, (role == Role::Server).then_some(written));
    Outcome { messages, error, event, written }
}

/// Checks that the same comes of `bytes` however they are cut, and returns it.
pub fn however_cut(bytes: &[u8], role: Role, extensions: &str, limit: usize, seed: u8) -> Outcome {
    let run = |io, lent| run(io, role, extensions, limit, lent);
    let whole = run(Pieces::whole(bytes), false);
    assert_eq!(whole, run(Pieces::cut(bytes, seed), false));
    // One byte at a time is slow, and long inputs say nothing more.
    if bytes.len() < 1000 {
        assert_eq!(whole, run(Pieces::single(bytes), true));
    }
    whole
}
