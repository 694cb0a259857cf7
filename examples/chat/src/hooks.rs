//! What the server does at each step of a connection.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::http::{Response, StatusCode};
use ws_channel::server::{self, Acceptance, HookResult, Hooks, Peer, PeerError, PeerRequest};
use ws_channel::{CloseEvent, Message, status};

use crate::log::{Log, Span};
use crate::pace::Pace;
use crate::protocol::{
    Event, PROTOCOL, Refusal, Refused, Request, check_id, check_join, check_text, close,
};
use crate::roster::{Roster, Seat};
use crate::writer::{NAMESPACE, Order, Writer, retry};

/// How many messages may be said at once, and how often one more.
const SAYING: (u32, Duration) = (10, Duration::from_millis(250));

/// The same for all other requests.
const ASKING: (u32, Duration) = (30, Duration::from_millis(100));

/// How many refusals for haste a client may earn before it is closed: no program of good will
/// gets there.
const HASTE: (u32, Duration) = (100, Duration::from_secs(1));

/// How long a connection may be without having joined.
const PATIENCE: Duration = Duration::from_secs(30);

/// The hooks of the chat.
#[derive(Debug)]
pub struct Chat {
    log: Log,
    writer: Writer,
    roster: Arc<Roster>,
}

/// What is known of a connection.
#[derive(Debug)]
struct Session {
    seat: Mutex<Option<Seat>>,
    paces: Mutex<Paces>,
}

#[derive(Debug)]
struct Paces {
    saying: Pace,
    asking: Pace,
    haste: Pace,
}

impl Chat {
    /// The hooks of a server with this log.
    pub fn new(log: Log, writer: Writer) -> Self {
        Self { log, writer, roster: Arc::default() }
    }

    async fn answer(&self, peer: &Peer, session: &Session, request: Request) -> Option<Event> {
        match request {
            Request::Ping { n } => Some(Event::Pong { n }),
            Request::Join { room, nick, token, after } => {
                match self.join(peer, session, &room, &nick, token) {
                    Ok(seat) => self.history(&seat, None, after).await,
                    Err(refused) => Some(refused.event(None, None)),
                }
            }
            Request::Say { id, text } => {
                let refused = self.say(peer, session, &id, &text).err()?;
                let again = match refused.code {
                    Refusal::Unavailable | Refusal::Closing => Some(retry()),
                    _ => None,
                };
                Some(refused.event(Some(id), again))
            }
            Request::Typing { on } => {
                let Some(seat) = session.seat() else { return Some(not_joined(None)) };
                let event = Event::Typing { nick: seat.nick.to_string(), on };
                drop(peer.publish(seat.room.as_str(), event.to_json()));
                None
            }
            Request::History { before, after } => match session.seat() {
                Some(seat) => self.history(&seat, before, after).await,
                None => Some(not_joined(None)),
            },
        }
    }

    fn join(
        &self,
        peer: &Peer,
        session: &Session,
        room: &str,
        nick: &str,
        token: String,
    ) -> Result<Seat, Refused> {
        let (room, nick) = check_join(room, nick, &token)?;
        if session.seat().is_some() {
            let text = "this connection is in a room; open another for another room";
            return Err(Refused::new(Refusal::AlreadyJoined, text));
        }
        let seat = Seat { room, nick };
        self.roster.join(peer, &seat, token, self.writer.state())?;
        *session.seat.lock().unwrap_or_else(PoisonError::into_inner) = Some(seat.clone());
        Ok(seat)
    }

    fn say(&self, peer: &Peer, session: &Session, id: &str, text: &str) -> Result<(), Refused> {
        let Some(seat) = session.seat() else { return Err(not_joined_yet()) };
        check_id("id", id)?;
        let text = check_text(text)?.to_owned();
        self.writer.log(Order { peer: peer.clone(), seat, id: id.to_owned(), text })
    }

    async fn history(&self, seat: &Seat, before: Option<i64>, after: Option<i64>) -> Option<Event> {
        let span = match (before, after) {
            (None, None) => Span::Latest,
            (Some(seq), None) => Span::Before(seq),
            (None, Some(seq)) => Span::After(seq),
            (Some(_), Some(_)) => {
                let text = "a page is before a message or after one, not both";
                let refused = Refused::new(Refusal::BadRequest, text);
                return Some(refused.event(None, None));
            }
        };
        if let Ok(page) = self.log.page(seat.room.as_str(), span).await {
            return Some(Event::History {
                before,
                after,
                messages: page.messages,
                more: page.more,
            });
        }
        let text = "what was said before cannot be read: the log cannot be reached";
        Some(Refused::new(Refusal::Unavailable, text).event(None, Some(retry())))
    }
}

impl Hooks for Chat {
    async fn upgrade(&self, request: &PeerRequest) -> Result<Acceptance, server::Refusal> {
        if !is_same_origin(request) {
            let mut response = Response::new("this chat is for its own page\n");
            *response.status_mut() = StatusCode::FORBIDDEN;
            return Err(response.into());
        }
        Ok(Acceptance::new().namespace(NAMESPACE).context(Session::new()))
    }

    async fn open(&self, peer: &Peer) -> HookResult {
        if peer.protocol() != Some(PROTOCOL) {
            // A page sees nothing of a refused upgrade, but the code of a close.
            let reason = format!("this server speaks {PROTOCOL}; load the page again");
            drop(peer.close(close::OTHER_PROTOCOL, reason));
            return Ok(());
        }
        let peer = peer.clone();
        tokio::spawn(async move {
            let ended = tokio::time::timeout(PATIENCE, peer.closed()).await.is_ok();
            if !ended && peer.context().is_none_or(|session: &Session| session.seat().is_none()) {
                drop(peer.close(close::IDLE, "did not join a room"));
            }
        });
        Ok(())
    }

    async fn message(&self, peer: &Peer, message: Message) -> HookResult {
        let session: &Session = peer.context().ok_or("no session")?;
        let request = match message.as_text() {
            Some(json) => Request::from_json(json),
            None => Err(Refused::new(Refusal::BadJson, "no JSON: a binary message")),
        };
        // What cannot be read takes time, too, and counts.
        if let Some(event) = session.too_fast(request.as_ref().ok()) {
            tell(peer, &event).await;
            if session.is_hasty() {
                drop(peer.close(status::POLICY_VIOLATION, "far too fast"));
            }
            return Ok(());
        }
        let event = match request {
            Ok(request) => self.answer(peer, session, request).await,
            Err(refused) => Some(refused.event(None, None)),
        };
        if let Some(event) = event {
            tell(peer, &event).await;
        }
        Ok(())
    }

    async fn error(&self, peer: &Peer, error: PeerError) -> HookResult {
        // A lost connection is part of life.
        if !matches!(error, PeerError::Connection(_)) {
            eprintln!("peer {peer}: {error:?}");
        }
        Ok(())
    }

    async fn close(&self, peer: &Peer, _: CloseEvent) -> HookResult {
        if let Some(seat) = peer.context().and_then(Session::seat) {
            self.roster.leave(peer, &seat);
        }
        Ok(())
    }
}

impl Session {
    fn new() -> Self {
        let paces = Paces {
            saying: Pace::new(SAYING.0, SAYING.1),
            asking: Pace::new(ASKING.0, ASKING.1),
            haste: Pace::new(HASTE.0, HASTE.1),
        };
        Self { seat: Mutex::default(), paces: Mutex::new(paces) }
    }

    fn seat(&self) -> Option<Seat> {
        self.seat.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The refusal of a request that came too soon after the others.
    fn too_fast(&self, request: Option<&Request>) -> Option<Event> {
        let mut paces = self.paces.lock().unwrap_or_else(PoisonError::into_inner);
        let (pace, id) = match request {
            Some(Request::Say { id, .. }) => (&mut paces.saying, Some(id.clone())),
            _ => (&mut paces.asking, None),
        };
        let wait = pace.take().err()?;
        let text = "that was too fast; wait a moment";
        let wait = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX).saturating_add(1);
        Some(Refused::new(Refusal::TooFast, text).event(id, Some(wait)))
    }

    fn is_hasty(&self) -> bool {
        self.paces.lock().unwrap_or_else(PoisonError::into_inner).haste.take().is_err()
    }
}

async fn tell(peer: &Peer, event: &Event) {
    // Somebody who is gone need not be told.
    let _ = peer.send(event.to_json()).await;
}

fn not_joined_yet() -> Refused {
    Refused::new(Refusal::NotJoined, "join a room first")
}

fn not_joined(id: Option<String>) -> Event {
    not_joined_yet().event(id, None)
}

/// Whether a request comes from the page that this server serves, or from no page at all.
///
/// Browsers let any page connect to any server, and say in `Origin` which it is.
fn is_same_origin(request: &PeerRequest) -> bool {
    let Some(origin) = request.header("origin") else { return true };
    let Some(host) = request.header("host") else { return false };
    let authority = origin.to_str().ok().and_then(|origin| origin.split_once("://"));
    authority.is_some_and(|(_, authority)| authority.as_bytes() == host.as_bytes())
}
