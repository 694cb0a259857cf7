//! A page that connects, chats with an echo server, and shows state, latency and close code.

mod page;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use futures_util::{SinkExt, StreamExt};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;
use ws_channel::{BrowserChannel, Error, WebSocketChannel, WebSocketSink, WebSocketStream};

/// The half that sends, while there is one.
type Sink = Rc<RefCell<Option<WebSocketSink<BrowserChannel>>>>;

#[wasm_bindgen(start)]
pub fn start() {
    let sink = Sink::default();
    let sent = Rc::new(Cell::new(0.0));

    page::on_submit("connect", {
        let (sink, sent) = (Rc::clone(&sink), Rc::clone(&sent));
        move || spawn_local(talk(Rc::clone(&sink), Rc::clone(&sent)))
    });
    page::on_submit("send", {
        let sink = Rc::clone(&sink);
        move || {
            sent.set(page::now());
            with(&sink, async |sink| sink.send(page::value("text").into()).await);
        }
    });
    page::on_submit("close", move || {
        let code: u16 = page::value("code").parse().unwrap_or(1000);
        with(&sink, async move |sink| sink.close(code, "as you wish").await.map(drop));
    });
}

/// Does something with the half that sends, and logs what goes wrong.
fn with(
    place: &Sink,
    act: impl AsyncFnOnce(&mut WebSocketSink<BrowserChannel>) -> Result<(), Error> + 'static,
) {
    let place = Rc::clone(place);
    spawn_local(async move {
        let taken = place.take();
        let Some(mut sink) = taken else { return page::log("not connected") };
        if let Err(error) = act(&mut sink).await {
            page::log(&format!("error: {error}"));
        }
        place.replace(Some(sink));
    });
}

/// Connects, and logs what comes until the end.
async fn talk(place: Sink, sent: Rc<Cell<f64>>) {
    page::show("state", "connecting");
    let channel: BrowserChannel = match WebSocketChannel::connect(page::value("url")).await {
        Ok(channel) => channel,
        Err(error) => {
            page::show("state", "failed");
            return page::log(&format!("error: {error}"));
        }
    };
    page::show("state", "open");
    page::log(&format!("connected to {}", channel.url()));
    let (sink, mut stream) = channel.split();
    place.replace(Some(sink));
    listen(&mut stream, &sent).await;
    place.take();
    if let Some(event) = stream.close_event() {
        page::show("state", "closed");
        page::log(&format!("closed: {event}"));
    }
}

async fn listen(stream: &mut WebSocketStream<BrowserChannel>, sent: &Cell<f64>) {
    while let Some(message) = stream.next().await {
        match message {
            Ok(message) => {
                page::show("latency", &format!("{:.1}", page::now() - sent.get()));
                page::log(message.as_text().unwrap_or("some bytes"));
            }
            Err(error) => page::log(&format!("error: {error}")),
        }
    }
}
