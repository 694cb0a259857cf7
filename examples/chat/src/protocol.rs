//! What goes over the wire: JSON documents, one a message of text, each with a `kind`.
//!
//! The version is the WebSocket's subprotocol, [`PROTOCOL`]. Within a version fields and kinds of
//! events may be added, and both ends pass over what they do not know in what they are told.

use serde::{Deserialize, Serialize};

use crate::names::{Nick, Room, is_id};

/// The subprotocol, with the version of all that is said in it.
pub const PROTOCOL: &str = "chat.v1";

/// The most characters of a message.
pub const TEXT_LENGTH: usize = 2000;

/// The most messages in a page of history.
pub const PAGE: usize = 50;

/// Close codes of this protocol, among those that RFC 6455 §7.4.2 leaves to applications.
pub mod close {
    /// The client does not speak [`PROTOCOL`](super::PROTOCOL).
    pub const OTHER_PROTOCOL: u16 = 4000;
    /// The same client has joined over another connection.
    pub const REPLACED: u16 = 4001;
    /// The client did not join in time.
    pub const IDLE: u16 = 4002;
}

/// What a client asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Request {
    /// To be in a room, once a connection.
    Join {
        /// The room.
        room: String,
        /// Who.
        nick: String,
        /// A secret of this client: with it, it takes its place over from a connection of its own
        /// that the server does not yet know to be lost.
        token: String,
        /// The last message that the client has: it gets those after it. Absent, it gets the
        /// latest page.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<i64>,
    },
    /// To log a message and send it to all in the room.
    Say {
        /// What the client calls it; sent again under the same name, it is not logged again.
        id: String,
        /// The message.
        text: String,
    },
    /// To tell the others that one types, or no more.
    Typing {
        /// Whether one does.
        on: bool,
    },
    /// A page of what was said before a message, or after one, or last.
    History {
        /// Before this message.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        before: Option<i64>,
        /// After this message.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<i64>,
    },
    /// To be answered, for the latency: a page has no other way.
    Ping {
        /// Any number, which comes back.
        n: u64,
    },
}

/// What a client is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    /// It is in the room. A page of history follows, and from here on what is said and done.
    Welcome {
        /// The room, as it is spelled.
        room: String,
        /// Who the client is, as it is spelled.
        nick: String,
        /// Who is there, the client included, in alphabetical order.
        members: Vec<String>,
        /// Whether messages can be logged.
        log: LogState,
        /// The most characters of a message.
        text_length: usize,
    },
    /// A page of what was said, the oldest first.
    History {
        /// It is the page before this message.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        before: Option<i64>,
        /// It is the page after this message; with neither, the latest.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<i64>,
        /// The messages.
        messages: Vec<Said>,
        /// Whether there are more beyond: newer ones of a page after a message, else older ones.
        more: bool,
    },
    /// Somebody said something, perhaps the client itself. It is logged.
    Message(Said),
    /// The client's own message is logged, now or before.
    Ack {
        /// What the client called it.
        id: String,
        /// Its number in the room.
        seq: i64,
    },
    /// What the client asked was not done.
    Refused {
        /// Which message it is about, if about one that can be told.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<String>,
        /// Why, for programs.
        code: Refusal,
        /// Why, for people.
        text: String,
        /// After how many milliseconds to ask the same again; absent if that would not help.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry: Option<u64>,
    },
    /// Somebody came.
    Joined {
        /// Who.
        nick: String,
    },
    /// Somebody went.
    Left {
        /// Who.
        nick: String,
    },
    /// Somebody else types, or no more.
    Typing {
        /// Who.
        nick: String,
        /// Whether they do.
        on: bool,
    },
    /// Whether messages can be logged has changed.
    Log {
        /// How it is now.
        state: LogState,
    },
    /// The answer to a ping.
    Pong {
        /// The ping's number.
        n: u64,
    },
}

/// A message that is logged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// Its number in the room: 1, 2, 3 … without a gap.
    pub seq: i64,
    /// What its sender called it.
    pub id: String,
    /// Who said it.
    pub nick: String,
    /// What was said.
    pub text: String,
    /// When it was logged, in milliseconds since 1970, UTC.
    pub at: i64,
}

/// Whether messages can be logged; only those that are get published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogState {
    /// Yes.
    Ok,
    /// It takes long.
    Slow,
    /// No: messages are refused until it is back.
    Down,
}

/// Why something was not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// Not a JSON document in a message of text.
    BadJson,
    /// No `kind`, or none that is known.
    UnknownKind,
    /// The fields do not fit the `kind`.
    BadRequest,
    /// Before joining a room.
    NotJoined,
    /// A second room on one connection.
    AlreadyJoined,
    /// A room cannot be called so.
    BadRoom,
    /// Nobody can be called so.
    BadNick,
    /// Somebody in the room is called so.
    NickTaken,
    /// A message without text, or with control characters.
    BadText,
    /// A message of too many characters.
    TooLong,
    /// Too much in too little time.
    TooFast,
    /// The log is slow or lost.
    Unavailable,
    /// The server shuts down.
    Closing,
}

/// Why a message was refused, in all its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Why, for programs.
    pub code: Refusal,
    /// Why, for people.
    pub text: String,
}

impl Refused {
    /// A refusal that asking again would not change.
    pub fn new(code: Refusal, text: impl Into<String>) -> Self {
        Self { code, text: text.into() }
    }

    /// As it is told.
    pub fn event(self, id: Option<String>, retry: Option<u64>) -> Event {
        Event::Refused { id, code: self.code, text: self.text, retry }
    }
}

impl Event {
    /// As it goes over the wire.
    pub fn to_json(&self) -> String {
        // Of text, numbers and lists: nothing in it can fail.
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl Request {
    /// Reads what a client sent.
    ///
    /// # Errors
    ///
    /// What is wrong with it, to be told to the client.
    pub fn from_json(json: &str) -> Result<Self, Refused> {
        let value: serde_json::Value = serde_json::from_str(json)
            .map_err(|error| Refused::new(Refusal::BadJson, format!("no JSON: {error}")))?;
        match value.get("kind").and_then(serde_json::Value::as_str) {
            Some("join" | "say" | "typing" | "history" | "ping") => {}
            Some(kind) => {
                let kind: String = kind.chars().take(40).collect();
                return Err(Refused::new(Refusal::UnknownKind, format!("no such kind: {kind:?}")));
            }
            None => return Err(Refused::new(Refusal::UnknownKind, "`kind` is missing")),
        }
        serde_json::from_value(value)
            .map_err(|error| Refused::new(Refusal::BadRequest, error.to_string()))
    }
}

/// What a message of a client says, checked.
///
/// # Errors
///
/// What is wrong with it, to be told to the client.
pub fn check_text(text: &str) -> Result<&str, Refused> {
    let text = text.trim_end();
    if text.trim().is_empty() {
        return Err(Refused::new(Refusal::BadText, "a message needs some text"));
    }
    if let Some(found) = text.chars().find(|&c| c.is_control() && !matches!(c, '\n' | '\t')) {
        let text = format!("a message may not hold the control character {found:?}");
        return Err(Refused::new(Refusal::BadText, text));
    }
    let length = text.chars().count();
    if length > TEXT_LENGTH {
        let text = format!("a message has at most {TEXT_LENGTH} characters, not {length}");
        return Err(Refused::new(Refusal::TooLong, text));
    }
    Ok(text)
}

/// Who wants to join where, checked.
///
/// # Errors
///
/// What is wrong with it, to be told to the client.
pub fn check_join(room: &str, nick: &str, token: &str) -> Result<(Room, Nick), Refused> {
    let room = Room::new(room).map_err(|e| Refused::new(Refusal::BadRoom, e.to_string()))?;
    let nick = Nick::new(nick).map_err(|e| Refused::new(Refusal::BadNick, e.to_string()))?;
    check_id("token", token)?;
    Ok((room, nick))
}

/// What a client calls something, checked.
///
/// # Errors
///
/// What is wrong with it, to be told to the client.
pub fn check_id(what: &str, id: &str) -> Result<(), Refused> {
    if is_id(id) {
        return Ok(());
    }
    let text =
        format!("`{what}` has 1 to {} printable characters of ASCII", crate::names::ID_LENGTH);
    Err(Refused::new(Refusal::BadRequest, text))
}
