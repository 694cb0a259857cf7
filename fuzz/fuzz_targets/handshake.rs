//! The head of a request into a server, of a response into a client, in pieces.
//!
//! The first byte chooses the role, the second how the rest is cut. However it is cut, the outcome
//! is the same. In a response, the first `{accept}` stands for the right key, which nobody can know before
//! the request.

#![no_main]

#[path = "../src/pieces.rs"]
mod pieces;

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::StreamExt;
use futures::executor::block_on;
use libfuzzer_sys::fuzz_target;
use pieces::Pieces;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use ws_channel::{Options, WebSocketAdapter, WebSocketChannel, accept_key};

/// A server that answers with what it was given.
struct Answer {
    response: Vec<u8>,
    cut: fn(&[u8], u8) -> Pieces,
    seed: u8,
    request: Vec<u8>,
    /// What was put in place of `{accept}`.
    accept: String,
    pieces: Option<Pieces>,
}

impl AsyncRead for Answer {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.pieces.is_none() {
            let request = String::from_utf8_lossy(&self.request).into_owned();
            let key = request
                .lines()
                .filter_map(|line| line.split_once(": "))
                .find(|(name, _)| name.eq_ignore_ascii_case("sec-websocket-key"))
                .map_or("", |(_, key)| key);
            let accept = accept_key(key);
            let (front, behind) = match self.response.windows(10).position(|at| at == b": {accept}")
            {
                Some(at) => (&self.response[..at + 2], &self.response[at + 10..]),
                None => (&self.response[..], &[][..]),
            };
            let accept: &[u8] =
                if front.len() < self.response.len() { accept.as_ref() } else { &[] };
            let response = [front, accept, behind].concat();
            self.accept = String::from_utf8_lossy(accept).into_owned();
            self.pieces = Some((self.cut)(&response, self.seed));
        }
        match &mut self.pieces {
            Some(pieces) => Pin::new(pieces).poll_read(cx, buffer),
            None => Poll::Ready(Ok(())),
        }
    }
}

impl AsyncWrite for Answer {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.request.extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// What comes of a channel: what was negotiated, and what came behind the handshake.
async fn read<C: WebSocketChannel + Unpin>(channel: &mut C) -> String {
    let mut seen = format!("{:?} {:?}", channel.url(), channel.protocol());
    while let Some(message) = channel.next().await {
        seen += &format!(" {message:?}");
    }
    seen
}

fn serve(bytes: &[u8], cut: fn(&[u8], u8) -> Pieces, seed: u8) -> String {
    let mut io = cut(bytes, seed);
    let outcome = block_on(async {
        match WebSocketAdapter::accept(&mut io).protocols(["chat", "v2"]).await {
            Ok(mut channel) => Ok(read(&mut channel).await),
            Err(error) => Err(format!("{error:?}")),
        }
    });
    let written = String::from_utf8_lossy(&io.written);
    if !written.is_empty() {
        assert!(written.starts_with("HTTP/1.1 "), "{written}");
        assert_eq!(written.starts_with("HTTP/1.1 101 "), outcome.is_ok(), "{written}");
    }
    format!("{outcome:?} {written}")
}

fn ask(bytes: &[u8], cut: fn(&[u8], u8) -> Pieces, seed: u8) -> String {
    let response = bytes.to_vec();
    let mut io =
        Answer { response, cut, seed, request: Vec::new(), accept: String::new(), pieces: None };
    let outcome = block_on(async {
        let options = Options::new().max_message_size(1000);
        let asked = WebSocketAdapter::client(&mut io, "ws://example.com/chat")
            .protocols(["chat", "v2"])
            .options(options);
        match asked.await {
            Ok(mut channel) => read(&mut channel).await,
            Err(error) => format!("{error:?}"),
        }
    });
    // An error shows the answer, whose key is another each time.
    if io.accept.is_empty() { outcome } else { outcome.replace(&io.accept, "{accept}") }
}

fuzz_target!(|data: &[u8]| {
    let &[choice, seed, ref bytes @ ..] = data else { return };
    let run = if choice & 1 == 0 { serve } else { ask };
    let whole = run(bytes, |bytes, _| Pieces::whole(bytes), seed);
    assert_eq!(whole, run(bytes, Pieces::cut, seed));
    assert_eq!(whole, run(bytes, |bytes, _| Pieces::single(bytes), seed));
});
