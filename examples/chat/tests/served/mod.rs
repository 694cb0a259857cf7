//! A server with a log of its own, and guests that speak its protocol by hand.
#![allow(dead_code, unreachable_pub, reason = "each test has its own use for it")]

use std::path::PathBuf;
use std::time::Duration;

use chat::log::Log;
use chat::protocol::{Event, PROTOCOL, Request};
use chat::server::{Summary, serve};
use futures::{SinkExt, StreamExt};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use ws_channel::{CloseEvent, Message, PlatformChannel, WebSocketChannel};

/// Far longer than anything takes: a test that waits so long has failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// A folder that is gone when it is dropped.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("chat-{:032x}", rand::random::<u128>()));
        std::fs::create_dir(&folder).unwrap();
        Self(folder)
    }

    /// The URL of a database in it.
    pub fn url(&self) -> String {
        format!("sqlite:{}", self.0.join("chat.db").display())
    }

    pub fn log(&self) -> Log {
        Log::new(&self.url()).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub struct Served {
    pub url: String,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<std::io::Result<Summary>>,
}

impl Served {
    pub async fn start(log: Log) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("ws://{}/chat", listener.local_addr().unwrap());
        let (stop, stopped) = oneshot::channel();
        let stopped = async {
            let _ = stopped.await;
        };
        Self { url, stop, serving: tokio::spawn(serve(listener, log, stopped)) }
    }

    pub async fn guest(&self) -> Guest {
        Guest(WebSocketChannel::connect(&self.url).protocols([PROTOCOL]).await.unwrap())
    }

    /// A guest that is in a room, and has had its first page.
    pub async fn member(&self, room: &str, nick: &str) -> Guest {
        let mut guest = self.guest().await;
        guest.join(room, nick, nick, None).await;
        assert!(matches!(guest.event().await, Event::Welcome { .. }));
        assert!(matches!(guest.event().await, Event::History { .. }));
        guest
    }

    pub fn tell_to_stop(self) -> JoinHandle<std::io::Result<Summary>> {
        self.stop.send(()).unwrap();
        self.serving
    }

    pub async fn stop(self) -> Summary {
        timeout(PATIENCE, self.tell_to_stop()).await.unwrap().unwrap().unwrap()
    }
}

pub struct Guest(pub PlatformChannel);

impl Guest {
    pub async fn send(&mut self, json: impl Into<Message>) {
        self.0.send(json.into()).await.unwrap();
    }

    pub async fn ask(&mut self, request: &Request) {
        self.send(serde_json::to_string(request).unwrap()).await;
    }

    pub async fn join(&mut self, room: &str, nick: &str, token: &str, after: Option<i64>) {
        let (room, nick, token) = (room.into(), nick.into(), token.into());
        self.ask(&Request::Join { room, nick, token, after }).await;
    }

    pub async fn say(&mut self, id: &str, text: &str) {
        self.ask(&Request::Say { id: id.into(), text: text.into() }).await;
    }

    /// The next event but for the state of the log.
    pub async fn event(&mut self) -> Event {
        loop {
            let message = timeout(PATIENCE, self.0.next()).await.unwrap().unwrap().unwrap();
            let event = serde_json::from_str(message.as_text().unwrap()).unwrap();
            if !matches!(event, Event::Log { .. }) {
                return event;
            }
        }
    }

    /// Events up to the first that fits.
    pub async fn until(&mut self, fits: impl Fn(&Event) -> bool) -> Vec<Event> {
        let mut events = Vec::new();
        loop {
            events.push(self.event().await);
            if events.last().is_some_and(&fits) {
                return events;
            }
        }
    }

    /// Says something and waits for what became of it: its number, or the refusal.
    pub async fn said(&mut self, id: &str, text: &str) -> Event {
        self.say(id, text).await;
        let about = |event: &Event| match event {
            Event::Ack { id: about, .. } | Event::Refused { id: Some(about), .. } => about == id,
            _ => false,
        };
        self.until(about).await.pop().unwrap()
    }

    /// How the connection ends, whatever comes before.
    pub async fn end(&mut self) -> CloseEvent {
        while let Some(Ok(_)) = timeout(PATIENCE, self.0.next()).await.unwrap() {}
        self.0.close_event().unwrap().clone()
    }
}
