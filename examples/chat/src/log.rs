//! What was said, in SQL: `SQLite` in a file, or `MySQL` and `MariaDB`.

use std::time::Duration;

use sqlx::any::{AnyPoolOptions, AnyRow};
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::pool::PoolConnection;
use sqlx::{Any, AnyConnection, AnyPool, Executor, QueryBuilder, Row};
use tokio::time::error::Elapsed;
use tokio::time::{Instant, timeout_at};

use crate::protocol::{PAGE, Said};

/// How long anything may take, getting a connection included.
pub const DEADLINE: Duration = Duration::from_secs(3);

/// How long `SQLite` waits for whoever holds the file's lock: shorter, so that it answers in time.
const BUSY: Duration = Duration::from_millis(1500);

/// The log of all rooms. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Log {
    pool: AnyPool,
}

/// A message to be logged, or one that is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The room.
    pub room: String,
    /// The message.
    pub said: Said,
}

/// Which page of a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    /// The last one.
    Latest,
    /// The one before the message of this number.
    Before(i64),
    /// The one after the message of this number.
    After(i64),
}

/// A page of a room, the oldest message first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The messages.
    pub messages: Vec<Said>,
    /// Whether there are more beyond: newer ones of a page after a message, else older ones.
    pub more: bool,
}

/// Why the log could not do it.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The URL is not one of a database that is known here.
    #[error("a database's URL begins with sqlite: or mysql:")]
    Url,
    /// It took too long; whether it was done after all, nobody knows.
    #[error("the database did not answer in {} s", DEADLINE.as_secs())]
    Late,
    /// Another message has this number, or this name of its sender.
    #[error("this is logged already")]
    Duplicate,
    /// The database refused, or is not to be reached.
    #[error("the database failed: {0}")]
    Failed(#[source] sqlx::Error),
    /// The tables cannot be made, or are those of another version.
    #[error("the tables could not be brought up to date: {0}")]
    Migration(#[source] sqlx::migrate::MigrateError),
}

impl Log {
    /// A log in the database of this URL, `sqlite:PATH` or `mysql://…`. Nothing is connected yet.
    ///
    /// # Errors
    ///
    /// [`LogError::Url`] if that is no such URL.
    pub fn new(url: &str) -> Result<Self, LogError> {
        if !["sqlite:", "mysql:", "mariadb:"].iter().any(|scheme| url.starts_with(scheme)) {
            return Err(LogError::Url);
        }
        sqlx::any::install_default_drivers();
        let mut url = url.to_owned();
        if url.starts_with("sqlite:") && !url.contains("mode=") {
            // A file that is not there is made.
            url.push_str(if url.contains('?') { "&mode=rwc" } else { "?mode=rwc" });
        }
        let options = AnyPoolOptions::new()
            .max_connections(4)
            .acquire_timeout(DEADLINE)
            .after_connect(|connection, _| Box::pin(set_up(connection)));
        let pool = options.connect_lazy(&url).map_err(LogError::Failed)?;
        Ok(Self { pool })
    }

    /// Brings the tables up to date.
    ///
    /// # Errors
    ///
    /// As [`append`](Self::append), and [`LogError::Migration`].
    pub async fn migrate(&self) -> Result<(), LogError> {
        let mut turn = self.turn().await?;
        let migrator = migrator(is_sqlite(&turn.connection));
        let done = timeout_at(turn.deadline, migrator.run_direct(&mut *turn.connection)).await;
        turn.settle(done.map(Ok))?.map_err(LogError::Migration)
    }

    /// Finds out whether the log can be written: it may be readable all the same.
    ///
    /// # Errors
    ///
    /// That it failed or took too long.
    pub async fn touch(&self, at: i64) -> Result<(), LogError> {
        let mut turn = self.turn().await?;
        let work =
            sqlx::query("UPDATE heartbeat SET at = ?").bind(at).execute(&mut *turn.connection);
        let done = timeout_at(turn.deadline, work).await;
        turn.settle(done).map(drop)
    }

    /// Logs messages: all of them, or with an error none, unless it is [`LogError::Late`].
    ///
    /// # Errors
    ///
    /// [`LogError::Duplicate`] if one of them is logged already, else that it failed or took too
    /// long.
    pub async fn append(&self, entries: &[Entry]) -> Result<(), LogError> {
        let start = "INSERT INTO messages (room, seq, id, nick, text, at) ";
        let mut query = QueryBuilder::<Any>::new(start);
        query.push_values(entries, |mut row, Entry { room, said }| {
            row.push_bind(room.as_str())
                .push_bind(said.seq)
                .push_bind(said.id.as_str())
                .push_bind(said.nick.as_str())
                .push_bind(said.text.as_str())
                .push_bind(said.at);
        });
        let mut turn = self.turn().await?;
        // Of as many forms as there are sizes of batches: not worth keeping prepared.
        let work = query.build().persistent(false).execute(&mut *turn.connection);
        let done = timeout_at(turn.deadline, work).await;
        turn.settle(done).map(drop)
    }

    /// Those of the messages that are logged already under the names that their senders gave them.
    ///
    /// # Errors
    ///
    /// That it failed or took too long.
    pub async fn find(&self, ids: &[&str]) -> Result<Vec<Entry>, LogError> {
        let start = "SELECT room, seq, id, nick, text, at FROM messages WHERE id IN (";
        let mut query = QueryBuilder::<Any>::new(start);
        let mut list = query.separated(", ");
        for id in ids {
            list.push_bind(*id);
        }
        query.push(")");
        let mut turn = self.turn().await?;
        let work = query.build().persistent(false).fetch_all(&mut *turn.connection);
        let done = timeout_at(turn.deadline, work).await;
        entries(&turn.settle(done)?)
    }

    /// The number of the last message of a room; 0 if there is none.
    ///
    /// # Errors
    ///
    /// That it failed or took too long.
    pub async fn last(&self, room: &str) -> Result<i64, LogError> {
        let mut turn = self.turn().await?;
        let query = "SELECT seq FROM messages WHERE room = ? ORDER BY seq DESC LIMIT 1";
        let work = sqlx::query(query).bind(room).fetch_optional(&mut *turn.connection);
        let done = timeout_at(turn.deadline, work).await;
        let row = turn.settle(done)?;
        row.map_or(Ok(0), |row| row.try_get(0)).map_err(LogError::Failed)
    }

    /// A page of a room.
    ///
    /// # Errors
    ///
    /// That it failed or took too long.
    pub async fn page(&self, room: &str, span: Span) -> Result<Page, LogError> {
        let (condition, order, bound) = match span {
            Span::Latest => ("<", "DESC", i64::MAX),
            Span::Before(seq) => ("<", "DESC", seq),
            Span::After(seq) => (">", "ASC", seq),
        };
        let query = format!(
            "SELECT room, seq, id, nick, text, at FROM messages \
             WHERE room = ? AND seq {condition} ? ORDER BY seq {order} LIMIT {}",
            PAGE + 1,
        );
        let mut turn = self.turn().await?;
        let work = sqlx::query(&query).bind(room).bind(bound).fetch_all(&mut *turn.connection);
        let done = timeout_at(turn.deadline, work).await;
        let entries = entries(&turn.settle(done)?)?;
        let mut messages: Vec<_> = entries.into_iter().map(|entry| entry.said).collect();
        let more = messages.len() > PAGE;
        messages.truncate(PAGE);
        if !matches!(span, Span::After(_)) {
            messages.reverse();
        }
        Ok(Page { messages, more })
    }

    /// Closes all connections.
    pub async fn close(&self) {
        // One that hangs is left to the system.
        let _ = tokio::time::timeout(DEADLINE, self.pool.close()).await;
    }

    /// A connection, and until when it may be used.
    async fn turn(&self) -> Result<Turn, LogError> {
        let deadline = Instant::now() + DEADLINE;
        let acquired = timeout_at(deadline, self.pool.acquire()).await;
        let connection = acquired.map_err(|_| LogError::Late)?.map_err(failure)?;
        Ok(Turn { connection, deadline })
    }
}

struct Turn {
    connection: PoolConnection<Any>,
    deadline: Instant,
}

impl Turn {
    /// What was done in time, or not.
    ///
    /// A connection that broke or was not done in time is closed: what it still answers, and
    /// whether it ever does, is not to be waited for by whoever would get it next.
    fn settle<T>(self, done: Result<sqlx::Result<T>, Elapsed>) -> Result<T, LogError> {
        let error = match done {
            Ok(Ok(done)) => return Ok(done),
            Ok(Err(error)) => failure(error),
            Err(_) => LogError::Late,
        };
        if !matches!(&error, LogError::Duplicate | LogError::Failed(sqlx::Error::Database(_))) {
            drop(self.connection.detach());
        }
        Err(error)
    }
}

fn failure(error: sqlx::Error) -> LogError {
    match error {
        sqlx::Error::PoolTimedOut => LogError::Late,
        sqlx::Error::Database(error) if error.is_unique_violation() => LogError::Duplicate,
        error => LogError::Failed(error),
    }
}

fn is_sqlite(connection: &AnyConnection) -> bool {
    connection.backend_name() == "SQLite"
}

async fn set_up(connection: &mut AnyConnection) -> sqlx::Result<()> {
    if is_sqlite(connection) {
        // Readers do not wait for the writer, and what is committed survives a loss of power.
        let busy = format!("PRAGMA busy_timeout = {}", BUSY.as_millis());
        connection.execute(busy.as_str()).await?;
        connection.execute("PRAGMA journal_mode = WAL").await?;
        connection.execute("PRAGMA synchronous = FULL").await?;
    }
    Ok(())
}

fn migrator(sqlite: bool) -> Migrator {
    let sql = if sqlite {
        include_str!("../migrations/sqlite/0001_messages.sql")
    } else {
        include_str!("../migrations/mysql/0001_messages.sql")
    };
    let first = Migration::new(1, "messages".into(), MigrationType::Simple, sql.into(), false);
    Migrator { migrations: vec![first].into(), ..Migrator::DEFAULT }
}

fn entries(rows: &[AnyRow]) -> Result<Vec<Entry>, LogError> {
    rows.iter().map(entry).collect::<sqlx::Result<_>>().map_err(LogError::Failed)
}

fn entry(row: &AnyRow) -> sqlx::Result<Entry> {
    let said = Said {
        seq: row.try_get("seq")?,
        id: row.try_get("id")?,
        nick: row.try_get("nick")?,
        text: row.try_get("text")?,
        at: row.try_get("at")?,
    };
    Ok(Entry { room: row.try_get("room")?, said })
}
