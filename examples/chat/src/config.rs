//! What the program is asked to do.

use crate::names::{InvalidName, Nick, Room};

/// How to call it.
pub const USAGE: &str = "\
chat                        serves http://127.0.0.1:8080
chat --listen ADDRESS       serves another address, such as 0.0.0.0:9000
chat --join NAME ROOM       chats in this terminal
     --server URL           with another server than ws://127.0.0.1:8080/chat

DATABASE_URL says where messages are logged: sqlite:FILE (sqlite:chat.db unless set), or
mysql://USER:PASSWORD@HOST:PORT/DATABASE for MySQL and MariaDB.";

/// Where the server listens unless told.
const ADDRESS: &str = "127.0.0.1:8080";

/// Where messages are logged unless told.
const DATABASE: &str = "sqlite:chat.db";

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Task {
    /// Print how to call it.
    Help,
    /// Serve the page.
    Serve {
        /// Where to listen.
        address: String,
        /// The URL of the database.
        database: String,
    },
    /// Chat in the terminal.
    Join {
        /// The server.
        url: String,
        /// Who.
        nick: Nick,
        /// Where.
        room: Room,
    },
}

/// What is wrong with the arguments.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// There is no such argument.
    #[error("what is {0:?}?")]
    Unknown(String),
    /// Something is to follow.
    #[error("{0} is to be followed by {1}")]
    Missing(&'static str, &'static str),
    /// Nobody and nothing can be called so.
    #[error(transparent)]
    Name(#[from] InvalidName),
}

/// Reads the arguments, without the program's name, and the value of `DATABASE_URL`.
///
/// # Errors
///
/// What is wrong with them.
pub fn parse(
    arguments: impl IntoIterator<Item = String>,
    database: Option<String>,
) -> Result<Task, ConfigError> {
    let mut arguments = arguments.into_iter();
    let mut address = ADDRESS.to_owned();
    let mut server = None;
    let mut join = None;
    while let Some(argument) = arguments.next() {
        let mut follows = |what| arguments.next().ok_or(what);
        match argument.as_str() {
            "--help" | "-h" => return Ok(Task::Help),
            "--listen" => {
                let missing = |what| ConfigError::Missing("--listen", what);
                address = follows("an address").map_err(missing)?;
            }
            "--server" => {
                let missing = |what| ConfigError::Missing("--server", what);
                server = Some(follows("a URL").map_err(missing)?);
            }
            "--join" => {
                let missing = |what| ConfigError::Missing("--join", what);
                let nick = follows("a name and a room").map_err(missing)?;
                let room = follows("a room, too").map_err(missing)?;
                join = Some((Nick::new(&nick)?, Room::new(&room)?));
            }
            _ => return Err(ConfigError::Unknown(argument)),
        }
    }
    let Some((nick, room)) = join else {
        let database = database.unwrap_or_else(|| DATABASE.to_owned());
        return Ok(Task::Serve { address, database });
    };
    let url = server.unwrap_or_else(|| format!("ws://{address}/chat"));
    Ok(Task::Join { url, nick, room })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(line: &str) -> Result<Task, ConfigError> {
        parse(line.split_whitespace().map(String::from), None)
    }

    #[test]
    fn without_arguments_it_serves() {
        let (address, database) = (ADDRESS.into(), DATABASE.into());
        assert_eq!(of(""), Ok(Task::Serve { address, database }));
        let (address, database) = ("[::]:1".into(), "mysql://h/d".into());
        let arguments = ["--listen".to_owned(), "[::]:1".to_owned()];
        let served = parse(arguments, Some("mysql://h/d".into()));
        assert_eq!(served, Ok(Task::Serve { address, database }));
    }

    #[test]
    fn it_joins_the_server_that_it_would_serve_unless_told() {
        let joined = |url: &str| Task::Join {
            url: url.into(),
            nick: Nick::new("Ann").unwrap(),
            room: Room::new("tea").unwrap(),
        };
        assert_eq!(of("--join Ann tea"), Ok(joined("ws://127.0.0.1:8080/chat")));
        assert_eq!(of("--join Ann tea --server ws://h/chat"), Ok(joined("ws://h/chat")));
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (line, text) in [
            ("--shout", "what is \"--shout\"?"),
            ("--join Ann", "--join is to be followed by a room, too"),
            ("--join a<b tea", "a nickname has letters, digits, '-', '_' and '.', not '<'"),
            ("--listen", "--listen is to be followed by an address"),
        ] {
            assert_eq!(of(line).unwrap_err().to_string(), text);
        }
    }
}
