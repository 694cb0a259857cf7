//! What a case asks of its server, and how it asks.

use std::time::Duration;

use ws_channel::Error;

/// What a server does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behaviour {
    /// Sends 10 000 messages, come what may.
    WritesAndWrites,
    /// Reports the Close frame that comes, and answers 4123.
    ReportsTheClose,
    /// Closes with 4123, and reports the answer.
    Closes,
    /// Closes with 1014 "upstream is gone".
    ClosesForAnother,
    /// Sends three pings and then a message, and reports the pongs.
    Pings,
    /// Sends a Close frame whose reason is not UTF-8, and reports the answer.
    ClosesBadly,
    /// Sends back what comes.
    Echoes,
    /// Answers 200.
    DoesNotUpgrade,
    /// Answers 404.
    IsNotThere,
    /// Does not answer.
    IsSilent,
    /// Ends the transport after the upgrade.
    Disconnects,
    /// Sends what is not WebSocket after the upgrade.
    BreaksTheProtocol,
    /// Reports the subprotocols that were asked for, and picks none.
    PicksNoProtocol,
    /// Reports the subprotocols that were asked for, and picks `text.example.com`.
    PicksText,
    /// As `PicksText`, but picks `chat.example.com`.
    PicksChat,
    /// Reports the `User-Agent`.
    ReportsTheAgent,
    /// Greets, answers "ping" with "pong", and closes with 3678 "raisin".
    Talks,
}

impl Behaviour {
    const ALL: [Self; 17] = [
        Self::WritesAndWrites,
        Self::ReportsTheClose,
        Self::Closes,
        Self::ClosesForAnother,
        Self::Pings,
        Self::ClosesBadly,
        Self::Echoes,
        Self::DoesNotUpgrade,
        Self::IsNotThere,
        Self::IsSilent,
        Self::Disconnects,
        Self::BreaksTheProtocol,
        Self::PicksNoProtocol,
        Self::PicksText,
        Self::PicksChat,
        Self::ReportsTheAgent,
        Self::Talks,
    ];

    /// The path under which a server behaves so.
    pub fn path(self) -> String {
        format!("/{self:?}")
    }

    /// The behaviour of a path.
    pub fn of(path: &str) -> Self {
        let behaviour = Self::ALL.into_iter().find(|behaviour| behaviour.path() == path);
        behaviour.unwrap_or_else(|| panic!("no server behaves as {path}"))
    }
}

/// A connection to be made.
#[derive(Clone, Debug)]
pub struct Attempt {
    pub behaviour: Behaviour,
    /// Another URL than the server's.
    pub url: Option<&'static str>,
    pub protocols: &'static [&'static str],
    pub header: Option<(&'static str, &'static str)>,
    pub timeout: Option<Duration>,
}

impl From<Behaviour> for Attempt {
    fn from(behaviour: Behaviour) -> Self {
        Self { behaviour, url: None, protocols: &[], header: None, timeout: None }
    }
}

/// Why no connection came about, as far as every platform can tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    /// The status of the server's answer, where it is shown.
    pub status: Option<u16>,
    pub is_timeout: bool,
}

impl Failed {
    /// What an attempt fails with.
    pub fn with(error: &Error) -> Self {
        match error {
            Error::Connect(connect) => Self {
                status: connect.status().map(|status| status.as_u16()),
                is_timeout: error.is_timeout(),
            },
            other => panic!("an attempt fails with Error::Connect, not {other:?}"),
        }
    }
}
