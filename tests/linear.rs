//! A large message costs its length once, however little the transport takes at a time.

mod scripted;

use futures::{SinkExt, StreamExt};
use scripted::{Read, Scripted, State, Write, frame};
use ws_channel::{Handshake, Message, Options, Role, WebSocketAdapter};

const LARGE: usize = 32 << 20;
const STEP: usize = 16 << 10;

fn channel(io: Scripted, role: Role) -> WebSocketAdapter<Scripted> {
    let options = Options::new().max_message_size(LARGE);
    let handshake = Handshake::default();
    WebSocketAdapter::from_upgraded_with(io, role, handshake, &options, bytes::BytesMut::new())
}

/// tungstenite moves the rest of its buffer after each write: 32 GiB for this message.
#[tokio::test(start_paused = true)]
async fn a_send_of_32_mebibytes_in_small_writes_is_linear() {
    for role in [Role::Client, Role::Server] {
        let io = Scripted::writing(Write::Take(STEP));
        io.state().keep = false;
        let mut sender = channel(io.clone(), role);
        let message = Message::from(vec![7; LARGE]);
        // A warm-up, so that the second is what a steady state costs.
        sender.send(message.clone()).await.unwrap();
        let State { bytes_written, write_polls, .. } = *io.state();
        sender.send(message).await.unwrap();
        let bytes = io.state().bytes_written - bytes_written;
        let polls = io.state().write_polls - write_polls;
        let header = if role == Role::Client { 14 } else { 10 };
        assert_eq!(bytes, LARGE + header, "each byte is written once");
        assert!(polls <= LARGE / STEP + 4, "{polls} writes, each takes what it is offered");
    }
}

/// Reading 32 MiB in small reads: as many polls as there are pieces.
#[tokio::test(start_paused = true)]
async fn a_receive_of_32_mebibytes_in_small_reads_is_linear() {
    for role in [Role::Client, Role::Server] {
        let bytes = frame(0x82, &vec![7; LARGE], role == Role::Server);
        let pieces = bytes.chunks(STEP).map(|piece| Read::Bytes(piece.to_vec()));
        let io = Scripted::new(pieces);
        let mut receiver = channel(io.clone(), role);
        let message = receiver.next().await.unwrap().unwrap();
        assert!(message.as_bytes().iter().all(|byte| *byte == 7));
        assert_eq!(message.len(), LARGE);
        let polls = io.state().read_polls;
        assert!(polls <= 2 * LARGE / STEP, "{polls} reads");
    }
}
