//! Connects, has `rounds` messages echoed one after the other, closes; the same for each crate.

use wasm_bindgen::prelude::*;

/// Text for `text`, else bytes. Gives the bytes that came back.
#[wasm_bindgen]
pub async fn run(url: String, rounds: u32, size: usize, text: bool) -> Result<u32, JsValue> {
    match client::run(&url, rounds, size, text).await {
        Some(bytes) => Ok(bytes),
        None => Err(JsValue::from_str("the echo failed")),
    }
}

#[cfg(feature = "ws_channel")]
mod client {
    use futures_util::{SinkExt, StreamExt};
    use ws_channel::{Connect, Message};

    pub async fn run(url: &str, rounds: u32, size: usize, text: bool) -> Option<u32> {
        let connect = Connect::new(url);
        #[cfg(feature = "web_socket_stream")]
        let connect = connect.web_socket_stream();
        let mut channel = connect.await.ok()?;
        let mut bytes = 0;
        for _ in 0..rounds {
            let message = match text {
                true => Message::from("x".repeat(size)),
                false => Message::from(vec![7; size]),
            };
            channel.send(message).await.ok()?;
            match channel.next().await?.ok()? {
                Message::Text(text) => bytes += text.len() as u32,
                Message::Binary(data) => bytes += data.len() as u32,
            }
        }
        channel.close(1000, "done").await.ok()?;
        Some(bytes)
    }
}

#[cfg(feature = "gloo-net")]
mod client {
    use futures_util::{SinkExt, StreamExt};
    use gloo_net::websocket::{Message, futures::WebSocket};

    pub async fn run(url: &str, rounds: u32, size: usize, text: bool) -> Option<u32> {
        let mut socket = WebSocket::open(url).ok()?;
        let mut bytes = 0;
        for _ in 0..rounds {
            let message = match text {
                true => Message::Text("x".repeat(size)),
                false => Message::Bytes(vec![7; size]),
            };
            socket.send(message).await.ok()?;
            match socket.next().await?.ok()? {
                Message::Text(text) => bytes += text.len() as u32,
                Message::Bytes(data) => bytes += data.len() as u32,
            }
        }
        socket.close(Some(1000), Some("done")).ok()?;
        Some(bytes)
    }
}

#[cfg(feature = "ws_stream_wasm")]
mod client {
    use futures_util::{SinkExt, StreamExt};
    use ws_stream_wasm::{WsMessage, WsMeta};

    pub async fn run(url: &str, rounds: u32, size: usize, text: bool) -> Option<u32> {
        let (meta, mut stream) = WsMeta::connect(url, None).await.ok()?;
        let mut bytes = 0;
        for _ in 0..rounds {
            let message = match text {
                true => WsMessage::Text("x".repeat(size)),
                false => WsMessage::Binary(vec![7; size]),
            };
            stream.send(message).await.ok()?;
            match stream.next().await? {
                WsMessage::Text(text) => bytes += text.len() as u32,
                WsMessage::Binary(data) => bytes += data.len() as u32,
            }
        }
        meta.close_reason(1000, "done").await.ok()?;
        Some(bytes)
    }
}

#[cfg(feature = "tokio-tungstenite-wasm")]
mod client {
    use futures_util::{SinkExt, StreamExt};
    use tokio_tungstenite_wasm::{CloseCode, CloseFrame, Message};

    pub async fn run(url: &str, rounds: u32, size: usize, text: bool) -> Option<u32> {
        let mut stream = tokio_tungstenite_wasm::connect(url).await.ok()?;
        let mut bytes = 0;
        for _ in 0..rounds {
            let message = match text {
                true => Message::text("x".repeat(size)),
                false => Message::binary(vec![7; size]),
            };
            stream.send(message).await.ok()?;
            match stream.next().await?.ok()? {
                Message::Text(text) => bytes += text.len() as u32,
                Message::Binary(data) => bytes += data.len() as u32,
                Message::Close(_) => return None,
            }
        }
        let frame = CloseFrame { code: CloseCode::Normal, reason: "done".into() };
        stream.send(Message::Close(Some(frame))).await.ok()?;
        Some(bytes)
    }
}
