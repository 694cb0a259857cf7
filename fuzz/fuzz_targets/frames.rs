//! A frame stream in pieces into a connection of either role, with compression agreed on or not.
//!
//! The first byte chooses the role, the limit and the extension, the second how the rest is cut.
//! However it is cut, the same must come of it: messages, error, event, and what is written.

#![no_main]

#[path = "../src/outcome.rs"]
mod outcome;
#[path = "../src/pieces.rs"]
mod pieces;

use libfuzzer_sys::fuzz_target;
use outcome::however_cut;
use ws_channel::Role;

const EXTENSIONS: [&str; 4] = [
    "",
    "permessage-deflate",
    "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
    "permessage-deflate; server_max_window_bits=9; client_max_window_bits=9",
];

fuzz_target!(|data: &[u8]| {
    let &[choice, seed, ref bytes @ ..] = data else { return };
    let role = if choice & 1 == 0 { Role::Server } else { Role::Client };
    let limit = [0, 10, 300, 70_000][usize::from(choice >> 1 & 3)];
    however_cut(bytes, role, EXTENSIONS[usize::from(choice >> 3 & 3)], limit, seed);
});
