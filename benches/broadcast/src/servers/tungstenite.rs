//! A map of queues, one for each connection, as in tokio-tungstenite's example of a server.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::{StreamExt, future, pin_mut};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{self, UnboundedSender};
use tokio_stream::wrappers::UnboundedReceiverStream;
use tokio_tungstenite::tungstenite::Message;

use crate::servers::{Order, accept};

type All = Arc<Mutex<HashMap<usize, UnboundedSender<Message>>>>;

pub async fn serve(listener: TcpListener) -> std::io::Result<()> {
    let all = All::default();
    for id in 0.. {
        tokio::spawn(talk(accept(&listener).await, id, Arc::clone(&all)));
    }
    Ok(())
}

async fn talk(stream: TcpStream, id: usize, all: All) {
    let Ok(socket) = tokio_tungstenite::accept_async(stream).await else { return };
    let (sink, mut stream) = socket.split();
    let (sender, published) = mpsc::unbounded_channel();
    all.lock().unwrap_or_else(PoisonError::into_inner).insert(id, sender);
    let receive = async {
        while let Some(Ok(message)) = stream.next().await {
            let Some(order) = message.to_text().ok().and_then(Order::parse) else { continue };
            for _ in 0..order.count {
                for sender in all.lock().unwrap_or_else(PoisonError::into_inner).values() {
                    let _ = sender.send(Message::Binary(order.payload.clone()));
                }
            }
        }
    };
    let send = UnboundedReceiverStream::new(published).map(Ok).forward(sink);
    pin_mut!(receive, send);
    future::select(receive, send).await;
    all.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
}
