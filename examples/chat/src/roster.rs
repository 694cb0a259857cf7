//! Who is in which room.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use ws_channel::server::Peer;

use crate::names::{Nick, Room};
use crate::protocol::{Event, LogState, Refusal, Refused, TEXT_LENGTH, close};

/// Who is in which room.
///
/// What changes a room and what tells of it happen under one lock: everybody in a room sees
/// joining and leaving in the same order, from the list in their welcome onwards.
#[derive(Debug, Default)]
pub struct Roster {
    rooms: Mutex<HashMap<Room, Members>>,
}

/// By the keys of their nicknames.
type Members = HashMap<String, Member>;

#[derive(Debug)]
struct Member {
    nick: Nick,
    token: String,
    peer: Peer,
}

/// A seat in a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seat {
    /// The room.
    pub room: Room,
    /// Who sits there.
    pub nick: Nick,
}

impl Roster {
    /// Gives a peer a seat: it is welcomed, subscribed to the room, and the others are told.
    ///
    /// Somebody of the same nickname and token was an earlier connection of the same client: it is
    /// closed, and nobody else notices.
    ///
    /// # Errors
    ///
    /// The nickname is taken.
    pub fn join(
        &self,
        peer: &Peer,
        seat: &Seat,
        token: String,
        log: LogState,
    ) -> Result<(), Refused> {
        let Seat { room, nick } = seat;
        let mut rooms = self.lock();
        let members = rooms.entry(room.clone()).or_default();
        let before = members.get(&nick.key());
        if before.is_some_and(|member| member.token != token) {
            let text = format!("somebody in {room} is called {nick} already");
            return Err(Refused::new(Refusal::NickTaken, text));
        }
        let member = Member { nick: nick.clone(), token, peer: peer.clone() };
        let replaced = members.insert(nick.key(), member);
        if let Some(old) = &replaced {
            old.peer.unsubscribe(room.as_str());
            // It begins with the call.
            drop(old.peer.close(close::REPLACED, "joined over another connection"));
        }

        let mut names: Vec<_> = members.values().map(|member| member.nick.to_string()).collect();
        names.sort_by_key(|name| name.to_lowercase());
        let welcome = Event::Welcome {
            room: room.to_string(),
            nick: nick.to_string(),
            members: names,
            log,
            text_length: TEXT_LENGTH,
        };
        // A peer that is over by now is taken off the list by its close hook.
        let _ = peer.try_send(welcome.to_json());
        peer.subscribe(room.as_str());
        if replaced.is_none() {
            let joined = Event::Joined { nick: nick.to_string() };
            // Published with the call.
            drop(peer.publish(room.as_str(), joined.to_json()));
        }
        Ok(())
    }

    /// Takes a peer's seat back, and tells the others, unless the client has joined anew.
    pub fn leave(&self, peer: &Peer, seat: &Seat) {
        let Seat { room, nick } = seat;
        let mut rooms = self.lock();
        let Some(members) = rooms.get_mut(room) else { return };
        if members.get(&nick.key()).is_none_or(|member| member.peer != *peer) {
            return;
        }
        members.remove(&nick.key());
        if members.is_empty() {
            rooms.remove(room);
        } else {
            let left = Event::Left { nick: nick.to_string() };
            drop(peer.publish(room.as_str(), left.to_json()));
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Room, Members>> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
