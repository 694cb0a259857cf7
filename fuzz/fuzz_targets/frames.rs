//! A frame stream in pieces into a connection of either role.
//!
//! The first byte chooses the role and the limit, the second how the rest is cut. However it is
//! cut, the same must come of it: messages, error, event, and what is written.

#![no_main]

#[path = "../src/pieces.rs"]
mod pieces;

use futures::StreamExt;
use futures::executor::block_on;
use libfuzzer_sys::fuzz_target;
use pieces::Pieces;
use ws_channel::{Handshake, Message, Options, Role, WebSocketAdapter, WebSocketChannel};

/// All that somebody can see of a connection.
#[derive(Debug, PartialEq)]
struct Outcome {
    messages: Vec<Message>,
    error: Option<String>,
    event: String,
    /// How many bytes were written, and which, by a server: a client's are masked at random.
    written: (usize, Option<Vec<u8>>),
}

fn run(io: Pieces, role: Role, limit: usize, lent: bool) -> Outcome {
    let options = Options::new().max_message_size(limit);
    let handshake = Handshake::default();
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

fuzz_target!(|data: &[u8]| {
    let &[choice, seed, ref bytes @ ..] = data else { return };
    let role = if choice & 1 == 0 { Role::Server } else { Role::Client };
    let limit = [0, 10, 300, 70_000][usize::from(choice >> 1 & 3)];
    let whole = run(Pieces::whole(bytes), role, limit, false);
    assert_eq!(whole, run(Pieces::cut(bytes, seed), role, limit, false));
    // One byte at a time is slow, and long inputs say nothing more.
    if bytes.len() < 1000 {
        assert_eq!(whole, run(Pieces::single(bytes), role, limit, true));
    }
});
