//! Messages through this crate's compressor, cut, and damaged, into its decompressor.
//!
//! The first byte chooses what was agreed on, the second the level, the third how the frames are cut
//! and whether one byte of them is changed. The rest is the messages, each behind its length. Without
//! damage they arrive as they were; with it, the same comes of them however they are cut.

#![no_main]

#[path = "../src/outcome.rs"]
mod outcome;
#[path = "../src/pieces.rs"]
mod pieces;

use futures::SinkExt;
use futures::executor::block_on;
use libfuzzer_sys::fuzz_target;
use outcome::however_cut;
use pieces::Pieces;
use ws_channel::{Deflate, Handshake, Message, Options, Role, WebSocketAdapter};

const EXTENSIONS: [&str; 4] = [
    "permessage-deflate",
    "permessage-deflate; server_no_context_takeover",
    "permessage-deflate; server_max_window_bits=9",
    "permessage-deflate; server_max_window_bits=10; server_no_context_takeover",
];

const LIMIT: usize = 16 << 20;

/// What a server writes for `messages`.
fn frames(messages: &[Message], extensions: &str, level: u8) -> Vec<u8> {
    let handshake = Handshake::default().with_extensions(extensions).expect("they are known");
    // It keeps its window unless what was agreed on says otherwise.
    let deflate = Deflate::new().server_context_takeover().level(level).threshold(0);
    let options = Options::new().deflate(deflate);
    let mut server = WebSocketAdapter::from_upgraded_with(
        Pieces::none(),
        Role::Server,
        handshake,
        &options,
        b"".as_slice(),
    );
    block_on(async {
        for message in messages {
            server.feed(message.clone()).await.expect("everything can be written");
        }
        server.flush().await.expect("everything can be written");
    });
    std::mem::take(&mut server.get_mut().written)
}

fn messages(mut rest: &[u8]) -> Vec<Message> {
    let mut messages = Vec::new();
    while let [length, repeat, bytes @ ..] = rest {
        let (payload, behind) = bytes.split_at(usize::from(*length).min(bytes.len()));
        // Long ones, too, which are compressed as they are written.
        messages.push(Message::from(payload.repeat(usize::from(*repeat) << (repeat >> 7))));
        rest = behind;
    }
    messages
}

fuzz_target!(|data: &[u8]| {
    let &[choice, level, seed, ref rest @ ..] = data else { return };
    let extensions = EXTENSIONS[usize::from(choice & 3)];
    let sent = messages(rest);
    let mut bytes = frames(&sent, extensions, level % 10);
    if choice & 4 == 0 {
        let outcome = however_cut(&bytes, Role::Client, extensions, LIMIT, seed);
        assert_eq!(outcome.messages, sent);
    } else if !bytes.is_empty() {
        let place = usize::from(seed) * bytes.len() / 256;
        bytes[place] ^= choice >> 3 | 1;
        however_cut(&bytes, Role::Client, extensions, LIMIT, seed);
    }
});
