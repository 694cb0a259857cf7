//! A client that keeps its place in a room.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use futures::{SinkExt, StreamExt};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until};
use ws_channel::stream_channel::{JsonChannel, JsonError};
use ws_channel::{Error, PlatformChannel, WebSocketChannel, status};

use crate::follower::{Follower, Step};
use crate::protocol::{Event, LogState, PROTOCOL, Refusal, Request, Said, close};

/// The first pause before connecting again, and the longest; it doubles in between.
const PAUSES: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(5));

/// A client that keeps its place in a room: over lost connections and restarts of the server, until
/// it is told to leave. Cheap to clone; when all clones are dropped it leaves.
///
/// What it is to say is sent one at a time, and again after a reconnect unless it is known to be
/// logged. The server logs it once all the same.
#[derive(Clone, Debug)]
pub struct Client {
    commands: mpsc::UnboundedSender<Command>,
}

#[derive(Debug)]
enum Command {
    Say { id: String, text: String },
    Break,
}

/// What a client has to tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happening {
    /// It is in the room, with these.
    Online(Vec<String>, LogState),
    /// It is not, and tries again after a pause.
    Offline(String, Duration),
    /// Somebody said something.
    Said(Said),
    /// What it said is logged: what it called it, and its number.
    Logged(String, i64),
    /// What it said is not logged, and why; it is said again by itself if that is true.
    Refused(String, String, bool),
    /// Somebody came or went: who, and whether they are there now.
    Presence(String, bool),
    /// The log has changed.
    Log(LogState),
    /// It is over, and why.
    Ended(String),
}

/// How a connection went.
enum End {
    /// It was lost.
    Lost(String),
    /// There is no point in another.
    Final(String),
}

impl Client {
    /// Starts a client, which connects by itself.
    pub fn start(url: String, room: String, nick: String) -> (Self, mpsc::Receiver<Happening>) {
        let (commands, orders) = mpsc::unbounded_channel();
        let (happenings, told) = mpsc::channel(256);
        let task = Task {
            url,
            room,
            nick,
            token: name(),
            orders,
            happenings,
            follower: Follower::default(),
            outbox: VecDeque::new(),
            joined: false,
            send_at: None,
            ask_at: None,
        };
        tokio::spawn(task.run());
        (Self { commands }, told)
    }

    /// Says something; what it is called is returned, and told when it is logged or refused.
    pub fn say(&self, text: impl Into<String>) -> String {
        let id = name();
        // After the end nobody is told any more.
        let _ = self.commands.send(Command::Say { id: id.clone(), text: text.into() });
        id
    }

    /// Drops the connection without a word, as a network does.
    pub fn break_connection(&self) {
        let _ = self.commands.send(Command::Break);
    }
}

/// A name that nobody else gives.
fn name() -> String {
    format!("{:032x}", rand::random::<u128>())
}

struct Task {
    url: String,
    room: String,
    nick: String,
    token: String,
    orders: mpsc::UnboundedReceiver<Command>,
    happenings: mpsc::Sender<Happening>,
    follower: Follower,
    /// What is not known to be logged; the first one is under way, or waits for `send_at`.
    outbox: VecDeque<(String, String)>,
    joined: bool,
    send_at: Option<Instant>,
    ask_at: Option<Instant>,
}

type Channel = JsonChannel<PlatformChannel, Event, Request>;

impl Task {
    async fn run(mut self) {
        let mut pause = PAUSES.0;
        loop {
            let end = self.connect_and_talk().await;
            if self.joined {
                pause = PAUSES.0;
            }
            let why = match end {
                Some(End::Lost(why)) => why,
                Some(End::Final(why)) => return self.tell(Happening::Ended(why)).await,
                None => return self.tell(Happening::Ended("left".into())).await,
            };
            // Those who lost the server at the same moment do not come back at the same moment.
            let wait = pause.mul_f64(rand::random_range(0.5..1.5));
            pause = PAUSES.1.min(pause * 2);
            self.tell(Happening::Offline(why, wait)).await;
            if self.collect_while(sleep(wait)).await.is_none() {
                return self.tell(Happening::Ended("left".into())).await;
            }
        }
    }

    /// `None` if it is to leave.
    async fn connect_and_talk(&mut self) -> Option<End> {
        (self.joined, self.send_at, self.ask_at) = (false, None, None);
        let connecting = WebSocketChannel::connect(&self.url).protocols([PROTOCOL]).into_future();
        let mut channel = match self.collect_while(connecting).await? {
            Ok(channel) => Channel::new(channel),
            Err(error) => return Some(End::Lost(error.to_string())),
        };
        self.follower.reconnected();
        match self.talk(&mut channel).await {
            Ok(end) => end,
            Err(error) => Some(End::Lost(error.to_string())),
        }
    }

    /// Notes what it is to say while it waits; `None` if it is to leave.
    async fn collect_while<F: Future>(&mut self, future: F) -> Option<F::Output> {
        let mut future = pin!(future);
        loop {
            tokio::select! {
                done = &mut future => return Some(done),
                order = self.orders.recv() => if let Command::Say { id, text } = order? {
                    self.outbox.push_back((id, text));
                },
            }
        }
    }

    async fn talk(&mut self, channel: &mut Channel) -> Result<Option<End>, JsonError<Error>> {
        let (room, nick, token) = (self.room.clone(), self.nick.clone(), self.token.clone());
        let after = self.follower.last();
        channel.send(Request::Join { room, nick, token, after }).await?;
        loop {
            let (send_at, ask_at) = (self.send_at, self.ask_at);
            tokio::select! {
                event = channel.next() => match event {
                    None => return Ok(Some(ended(channel))),
                    // Of a newer server.
                    Some(Err(JsonError::Decode { .. })) => {}
                    Some(event) => if let Some(end) = self.heed(channel, event?).await? {
                        return Ok(Some(end));
                    },
                },
                order = self.orders.recv() => match order {
                    None => {
                        channel.close(status::NORMAL_CLOSURE, "left").await?;
                        return Ok(None);
                    }
                    Some(Command::Break) => return Ok(Some(End::Lost("broken off".into()))),
                    Some(Command::Say { id, text }) => {
                        self.outbox.push_back((id, text));
                        if self.joined && self.outbox.len() == 1 {
                            self.send_first(channel).await?;
                        }
                    }
                },
                () = at(send_at), if send_at.is_some() => self.send_first(channel).await?,
                () = at(ask_at), if ask_at.is_some() => self.ask(channel).await?,
            }
        }
    }

    async fn heed(
        &mut self,
        channel: &mut Channel,
        event: Event,
    ) -> Result<Option<End>, JsonError<Error>> {
        match event {
            Event::Welcome { members, log, .. } => {
                self.joined = true;
                self.tell(Happening::Online(members, log)).await;
                self.send_first(channel).await?;
            }
            Event::History { after, messages, more, .. } => {
                let step = self.follower.page(after, messages, more);
                self.show(channel, step).await?;
            }
            Event::Message(said) => {
                let step = self.follower.message(said);
                self.show(channel, step).await?;
            }
            Event::Ack { id, seq } => {
                if self.take_first(&id) {
                    self.tell(Happening::Logged(id, seq)).await;
                    self.send_first(channel).await?;
                }
            }
            Event::Refused { id: Some(id), text, retry, .. } => {
                if let Some(wait) = retry {
                    self.send_at = Some(Instant::now() + Duration::from_millis(wait));
                    self.tell(Happening::Refused(id, text, true)).await;
                } else if self.take_first(&id) {
                    self.tell(Happening::Refused(id, text, false)).await;
                    self.send_first(channel).await?;
                }
            }
            Event::Refused { text, .. } if !self.joined => return Ok(Some(End::Final(text))),
            Event::Refused { code: Refusal::Unavailable | Refusal::TooFast, retry, .. } => {
                self.ask_at = Some(Instant::now() + Duration::from_millis(retry.unwrap_or(1000)));
            }
            Event::Joined { nick } => self.tell(Happening::Presence(nick, true)).await,
            Event::Left { nick } => self.tell(Happening::Presence(nick, false)).await,
            Event::Log { state } => {
                self.tell(Happening::Log(state)).await;
                if state == LogState::Ok {
                    // What waits need not wait any longer.
                    self.send_at = self.send_at.map(|_| Instant::now());
                    self.ask_at = self.ask_at.map(|_| Instant::now());
                }
            }
            Event::Refused { .. } | Event::Typing { .. } | Event::Pong { .. } => {}
        }
        Ok(None)
    }

    async fn show(&mut self, channel: &mut Channel, step: Step) -> Result<(), JsonError<Error>> {
        for said in step.show {
            self.tell(Happening::Said(said)).await;
        }
        if step.ask_after.is_some() { self.ask(channel).await } else { Ok(()) }
    }

    async fn ask(&mut self, channel: &mut Channel) -> Result<(), JsonError<Error>> {
        self.ask_at = None;
        channel.send(Request::History { before: None, after: self.follower.last() }).await
    }

    async fn send_first(&mut self, channel: &mut Channel) -> Result<(), JsonError<Error>> {
        self.send_at = None;
        let Some((id, text)) = self.outbox.front().cloned() else { return Ok(()) };
        channel.send(Request::Say { id, text }).await
    }

    fn take_first(&mut self, id: &str) -> bool {
        let is_first = self.outbox.front().is_some_and(|(first, _)| first == id);
        if is_first {
            self.outbox.pop_front();
        }
        is_first
    }

    async fn tell(&self, happening: Happening) {
        // Nobody listens any more when the program is about to leave.
        let _ = self.happenings.send(happening).await;
    }
}

async fn at(instant: Option<Instant>) {
    if let Some(instant) = instant {
        sleep_until(instant).await;
    }
}

/// Whether there is a point in connecting again.
fn ended(channel: &Channel) -> End {
    let Some(event) = channel.close_event() else { return End::Lost("lost".into()) };
    match event.code.as_u16() {
        close::OTHER_PROTOCOL | close::REPLACED | close::IDLE => {
            End::Final(event.reason.to_string())
        }
        _ => End::Lost(event.to_string()),
    }
}
