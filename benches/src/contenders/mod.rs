//! Who takes part: a file each. A new one is a module, and a line in [`ALL`].

use crate::entry::Entry;

mod fastwebsockets;
mod floor;
pub mod sockudo_ws;
mod tokio_websockets;
mod tungstenite;
pub mod ws_channel;
mod wtx;
pub mod yawc;

/// The row that is no WebSocket, only what is left without one.
pub const FLOOR: &str = "floor (raw)";

/// The row that is not a peer of the others, but what they are the peers of.
pub const OURS: &str = "ws_channel";

/// In the order of the rows.
pub const ALL: &[Entry] = &[
    Entry::of::<floor::Floor>(),
    Entry::of::<tungstenite::Default>(),
    Entry::of::<tungstenite::FourKib>(),
    Entry::of::<tokio_websockets::TokioWebsockets>(),
    Entry::of::<fastwebsockets::Fastwebsockets>(),
    Entry::of::<yawc::Yawc>(),
    Entry::of::<sockudo_ws::SockudoWs>(),
    Entry::of::<wtx::Wtx>(),
    Entry::of::<ws_channel::WsChannel>(),
];
