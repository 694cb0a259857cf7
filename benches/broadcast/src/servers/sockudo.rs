//! sockudo-ws' pub/sub, as in its own example.

use std::sync::Arc;

use sockudo_ws::handshake::server_handshake;
use sockudo_ws::pubsub::PubSub;
use sockudo_ws::{Config, Message, WebSocketStream};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use crate::servers::{Order, accept};

pub async fn serve(listener: TcpListener) -> std::io::Result<()> {
    let all = Arc::new(PubSub::new());
    loop {
        tokio::spawn(talk(accept(&listener).await, Arc::clone(&all)));
    }
}

async fn talk(mut stream: TcpStream, all: Arc<PubSub>) {
    if server_handshake(&mut stream).await.is_err() {
        return;
    }
    let (mut reader, mut writer) = WebSocketStream::server(stream, Config::default()).split();
    let (sender, mut published) = mpsc::unbounded_channel();
    let id = all.create_subscriber(sender);
    all.subscribe(id, "all");
    loop {
        tokio::select! {
            message = reader.next() => match message {
                Some(Ok(Message::Text(text))) => {
                    let order = std::str::from_utf8(&text).ok().and_then(Order::parse);
                    let Some(order) = order else { continue };
                    for _ in 0..order.count {
                        all.publish("all", Message::Binary(order.payload.clone()));
                    }
                }
                Some(Ok(_)) => {}
                _ => break,
            },
            Some(message) = published.recv() => {
                if writer.send(message).await.is_err() {
                    break;
                }
            }
        }
    }
    all.remove_subscriber(id);
}
