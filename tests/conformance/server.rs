//! The servers of the suite, over any byte stream. They speak by hand: no channel judges itself.

#![allow(dead_code, unreachable_pub, reason = "a module of several tests")]

use std::fmt::Write as _;
use std::future::pending;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc::UnboundedSender;
use ws_channel::{Role, accept_key};

use crate::conformance::Behaviour;
use crate::wire::{CLOSE, Frame, PING, PONG, Peer, TEXT};

/// Serves one connection, as its request's path asks.
pub async fn serve<S: AsyncRead + AsyncWrite + Unpin>(mut io: S, reports: UnboundedSender<String>) {
    let Some(request) = Request::read(&mut io).await else { return };
    let report = |text: String| {
        // Whoever has seen enough is gone.
        let _ = reports.send(text);
    };
    let behaviour = Behaviour::of(&request.path);
    let picked = match behaviour {
        Behaviour::DoesNotUpgrade => return answer(io, "200 OK").await,
        Behaviour::IsNotThere => return answer(io, "404 Not Found").await,
        Behaviour::IsSilent => return pending().await,
        Behaviour::PicksText => Some("text.example.com"),
        Behaviour::PicksChat => Some("chat.example.com"),
        _ => None,
    };
    let mut response = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {}\r\n",
        accept_key(&request.header("sec-websocket-key"))
    );
    if let Some(protocol) = picked {
        write!(response, "Sec-WebSocket-Protocol: {protocol}\r\n").expect("a string takes it");
    }
    response += "\r\n";
    if io.write_all(response.as_bytes()).await.is_err() {
        return;
    }
    let mut peer = Peer::new(io, Role::Server);
    match behaviour {
        Behaviour::WritesAndWrites => {
            let message = peer.frame(TEXT, b"Hello World!");
            for _ in 0..10_000 {
                if peer.io.write_all(&message).await.is_err() {
                    return;
                }
            }
            answer_close(&mut peer).await;
        }
        Behaviour::ReportsTheClose => {
            let frame = last(&mut peer).await;
            peer.close(4123, "server closed the connection").await;
            report(described(frame.as_ref()));
        }
        Behaviour::Closes => {
            peer.close(4123, "server closed the connection").await;
            report(described(last(&mut peer).await.as_ref()));
        }
        Behaviour::ClosesForAnother => {
            peer.close(1014, "upstream is gone").await;
            last(&mut peer).await;
        }
        Behaviour::Pings => {
            let frames = [(PING, "1"), (PING, "2"), (PING, "3"), (TEXT, "pinged")];
            let bytes = frames.map(|(first, payload)| peer.frame(first, payload.as_bytes()));
            peer.write(&bytes.concat()).await;
            let mut pongs = String::new();
            while let Some(frame) = peer.next().await.filter(|frame| frame.first == PONG) {
                pongs += std::str::from_utf8(&frame.payload).expect("the payload comes back");
            }
            report(pongs);
        }
        Behaviour::ClosesBadly => {
            peer.write(b"\x88\x03\x10\x1b\xff").await;
            report(described(last(&mut peer).await.as_ref()));
        }
        Behaviour::BreaksTheProtocol => {
            peer.write(b"marry had a little lamb whose fleece was white as snow").await;
            report(described(last(&mut peer).await.as_ref()));
        }
        Behaviour::Disconnects => {}
        Behaviour::PicksNoProtocol | Behaviour::PicksText | Behaviour::PicksChat => {
            report(request.header("sec-websocket-protocol"));
            answer_close(&mut peer).await;
        }
        Behaviour::ReportsTheAgent => {
            report(request.header("user-agent"));
            answer_close(&mut peer).await;
        }
        Behaviour::Talks => {
            peer.send(TEXT, b"hello!").await;
            assert_eq!(peer.expect().await.payload, b"ping");
            peer.send(TEXT, b"pong").await;
            peer.close(3678, "raisin").await;
            report(described(last(&mut peer).await.as_ref()));
        }
        _ => answer_close(&mut peer).await,
    }
}

/// Echoes until the client closes, and answers that.
async fn answer_close<S: AsyncRead + AsyncWrite + Unpin>(peer: &mut Peer<S>) {
    while let Some(Frame { first, payload }) = peer.next().await {
        // Pieces of messages, too: browsers cut long ones.
        if matches!(first & 0x0f, 0..=2) || first == CLOSE {
            let frame = peer.frame(first, &payload);
            if peer.io.write_all(&frame).await.is_err() || first == CLOSE {
                return;
            }
        }
    }
}

/// The client's Close frame.
async fn last<S: AsyncRead + AsyncWrite + Unpin>(peer: &mut Peer<S>) -> Option<Frame> {
    loop {
        match peer.next().await {
            Some(frame) if frame.first != CLOSE => {}
            last => return last,
        }
    }
}

fn described(close: Option<&Frame>) -> String {
    close.map_or_else(String::new, |frame| {
        let (code, reason) = frame.close();
        format!("{code} {reason}")
    })
}

async fn answer<S: AsyncWrite + Unpin>(mut io: S, status: &str) {
    let response = format!("HTTP/1.1 {status}\r\nContent-Length: 2\r\n\r\nno");
    // The client may have seen enough.
    let _ = io.write_all(response.as_bytes()).await;
    let _ = io.shutdown().await;
}

/// The head of a request.
struct Request {
    path: String,
    head: String,
}

impl Request {
    async fn read<S: AsyncRead + Unpin>(io: &mut S) -> Option<Self> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(io.read_u8().await.ok()?);
        }
        let head = String::from_utf8(head).expect("a head is ASCII");
        let path = head.split(' ').nth(1).expect("a request has a path").to_owned();
        Some(Self { path, head })
    }

    /// The values of a header, joined; empty if there is none.
    fn header(&self, name: &str) -> String {
        let fields = self.head.lines().filter_map(|line| line.split_once(':'));
        let values = fields.filter(|(field, _)| field.eq_ignore_ascii_case(name));
        values.map(|(_, value)| value.trim()).collect::<Vec<_>>().join(", ")
    }
}
