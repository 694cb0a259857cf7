//! Connects, has `rounds` messages echoed, `flight` of them under way at a time, closes; the same for each crate.

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// Milliseconds.
    #[wasm_bindgen(js_namespace = performance)]
    fn now() -> f64;
}

/// Text for `text`, else bytes. Gives the milliseconds from the first message to the last echo.
#[wasm_bindgen]
pub async fn run(
    url: String,
    rounds: u32,
    size: usize,
    text: bool,
    flight: u32,
) -> Result<f64, JsValue> {
    match client::run(&url, rounds, size, text, flight).await {
        Some((bytes, took)) if bytes == rounds as usize * size => Ok(took),
        _ => Err(JsValue::from_str("the echo failed")),
    }
}

#[cfg(feature = "ws_channel")]
mod client {
    use super::now;
    use futures_util::{SinkExt, StreamExt};
    use ws_channel::{Connect, Message};

    pub async fn run(
        url: &str,
        rounds: u32,
        size: usize,
        text: bool,
        flight: u32,
    ) -> Option<(usize, f64)> {
        let connect = Connect::new(url);
        #[cfg(feature = "web_socket_stream")]
        let connect = connect.web_socket_stream();
        let mut channel = connect.await.ok()?;
        let (mut bytes, start) = (0, now());
        for round in 0..rounds + flight - 1 {
            if round < rounds {
                let message = match text {
                    true => Message::from("x".repeat(size)),
                    false => Message::from(vec![7; size]),
                };
                channel.send(message).await.ok()?;
            }
            if round + 1 < flight {
                continue;
            }
            match channel.next().await?.ok()? {
                Message::Text(text) => bytes += text.len(),
                Message::Binary(data) => bytes += data.len(),
            }
        }
        let took = now() - start;
        channel.close(1000, "done").await.ok()?;
        Some((bytes, took))
    }
}

#[cfg(feature = "gloo-net")]
mod client {
    use super::now;
    use futures_util::{SinkExt, StreamExt, future::poll_fn};
    use gloo_net::websocket::{Message, futures::WebSocket};

    pub async fn run(
        url: &str,
        rounds: u32,
        size: usize,
        text: bool,
        flight: u32,
    ) -> Option<(usize, f64)> {
        let mut socket = WebSocket::open(url).ok()?;
        poll_fn(|cx| socket.poll_ready_unpin(cx)).await.ok()?;
        let (mut bytes, start) = (0, now());
        for round in 0..rounds + flight - 1 {
            if round < rounds {
                let message = match text {
                    true => Message::Text("x".repeat(size)),
                    false => Message::Bytes(vec![7; size]),
                };
                socket.send(message).await.ok()?;
            }
            if round + 1 < flight {
                continue;
            }
            match socket.next().await?.ok()? {
                Message::Text(text) => bytes += text.len(),
                Message::Bytes(data) => bytes += data.len(),
            }
        }
        let took = now() - start;
        socket.close(Some(1000), Some("done")).ok()?;
        Some((bytes, took))
    }
}

#[cfg(feature = "ws_stream_wasm")]
mod client {
    use super::now;
    use futures_util::{SinkExt, StreamExt};
    use ws_stream_wasm::{WsMessage, WsMeta};

    pub async fn run(
        url: &str,
        rounds: u32,
        size: usize,
        text: bool,
        flight: u32,
    ) -> Option<(usize, f64)> {
        let (meta, mut stream) = WsMeta::connect(url, None).await.ok()?;
        let (mut bytes, start) = (0, now());
        for round in 0..rounds + flight - 1 {
            if round < rounds {
                let message = match text {
                    true => WsMessage::Text("x".repeat(size)),
                    false => WsMessage::Binary(vec![7; size]),
                };
                stream.send(message).await.ok()?;
            }
            if round + 1 < flight {
                continue;
            }
            match stream.next().await? {
                WsMessage::Text(text) => bytes += text.len(),
                WsMessage::Binary(data) => bytes += data.len(),
            }
        }
        let took = now() - start;
        meta.close_reason(1000, "done").await.ok()?;
        Some((bytes, took))
    }
}

#[cfg(feature = "tokio-tungstenite-wasm")]
mod client {
    use super::now;
    use futures_util::{SinkExt, StreamExt};
    use tokio_tungstenite_wasm::{CloseCode, CloseFrame, Message};

    pub async fn run(
        url: &str,
        rounds: u32,
        size: usize,
        text: bool,
        flight: u32,
    ) -> Option<(usize, f64)> {
        let mut stream = tokio_tungstenite_wasm::connect(url).await.ok()?;
        let (mut bytes, start) = (0, now());
        for round in 0..rounds + flight - 1 {
            if round < rounds {
                let message = match text {
                    true => Message::text("x".repeat(size)),
                    false => Message::binary(vec![7; size]),
                };
                stream.send(message).await.ok()?;
            }
            if round + 1 < flight {
                continue;
            }
            match stream.next().await?.ok()? {
                Message::Text(text) => bytes += text.len(),
                Message::Binary(data) => bytes += data.len(),
                Message::Close(_) => return None,
            }
        }
        let took = now() - start;
        let frame = CloseFrame { code: CloseCode::Normal, reason: "done".into() };
        stream.send(Message::Close(Some(frame))).await.ok()?;
        Some((bytes, took))
    }
}
