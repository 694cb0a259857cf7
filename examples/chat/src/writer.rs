//! What logs messages, and then publishes them.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::{mpsc, watch};
use tokio::time::{MissedTickBehavior, interval, sleep};
use ws_channel::server::{Hub, Peer};

use crate::log::{Entry, Log, LogError, Span};
use crate::protocol::{Event, LogState, Refusal, Refused, Said};
use crate::roster::Seat;

/// The namespace of the rooms' topics.
pub const NAMESPACE: &str = "/chat";

/// How many messages may wait to be logged; more are refused.
const QUEUE: usize = 1024;

/// How many messages are logged at a time.
const BATCH: usize = 64;

/// After how long users are told that the log is slow.
const SLOW: Duration = Duration::from_millis(700);

/// How often a log that is lost is looked for.
const PROBE: Duration = Duration::from_secs(1);

/// After how many rooms their last numbers are forgotten, and read again from the log.
const ROOMS: usize = 1000;

/// The way to the task that logs messages. Cheap to clone.
///
/// One task logs for all rooms, whatever has gathered in one statement, and publishes in the order
/// of the log. Each message is answered to its sender: logged, or refused.
#[derive(Clone, Debug)]
pub struct Writer {
    /// `None` once it is closed.
    queue: Arc<Mutex<Option<mpsc::Sender<Order>>>>,
    state: watch::Receiver<LogState>,
}

/// A message to be logged.
#[derive(Clone, Debug)]
pub struct Order {
    /// Who is to be told what became of it.
    pub peer: Peer,
    /// Who says it, and where.
    pub seat: Seat,
    /// What the sender calls it.
    pub id: String,
    /// What is said.
    pub text: String,
}

impl Writer {
    /// A writer, and its task, which is to be spawned: it ends after [`close`](Self::close), when what
    /// was taken is logged or refused.
    ///
    /// The log need not be there yet: its tables are made when it is.
    pub fn new(log: Log, hub: Hub) -> (Self, impl Future<Output = ()> + Send) {
        let (queue, orders) = mpsc::channel(QUEUE);
        let (state, watched) = watch::channel(LogState::Ok);
        let task = Task { log, hub, orders, state, last: HashMap::new(), sure: false };
        let queue = Arc::new(Mutex::new(Some(queue)));
        (Self { queue, state: watched }, task.run())
    }

    /// Whether messages can be logged.
    pub fn state(&self) -> LogState {
        *self.state.borrow()
    }

    /// Queues a message. From then on the sender is told what becomes of it.
    ///
    /// # Errors
    ///
    /// Why it was not queued; it can be sent again.
    pub fn log(&self, order: Order) -> Result<(), Refused> {
        if self.state() == LogState::Down {
            return Err(unavailable());
        }
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(queue) = &*queue else {
            return Err(Refused::new(
                Refusal::Closing,
                "the server shuts down; send it again later",
            ));
        };
        queue.try_send(order).map_err(|_| unavailable())
    }

    /// Takes no more.
    pub fn close(&self) {
        drop(self.queue.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}

fn unavailable() -> Refused {
    Refused::new(Refusal::Unavailable, "not saved, since the log cannot be reached; send it again")
}

struct Task {
    log: Log,
    hub: Hub,
    orders: mpsc::Receiver<Order>,
    state: watch::Sender<LogState>,
    /// The last message of each room, which is the last that was published.
    last: HashMap<String, i64>,
    /// Whether `last` is what the log says. It is not after a failure: a statement that nobody
    /// waited for any more may yet have been carried out.
    sure: bool,
}

impl Task {
    async fn run(mut self) {
        let mut probe = interval(PROBE);
        probe.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            tokio::select! {
                taken = self.orders.recv_many(&mut batch, BATCH) => {
                    if taken == 0 {
                        break;
                    }
                    self.answer(&batch).await;
                    batch.clear();
                }
                _ = probe.tick(), if !self.sure => {
                    let recovered = self.recover().await;
                    self.judge(recovered.as_ref().err());
                }
            }
        }
    }

    /// Logs a batch and publishes it, or refuses it.
    async fn answer(&mut self, batch: &[Order]) {
        // While the log is lost, only the probe waits for it.
        let down = *self.state.borrow() == LogState::Down;
        let done = if down { Err(None) } else { self.patiently(batch).await.map_err(Some) };
        if let Err(error) = done {
            for order in batch {
                let refused = unavailable().event(Some(order.id.clone()), Some(retry()));
                let _ = order.peer.try_send(refused.to_json());
            }
            if let Some(error) = error {
                self.judge(Some(&error));
            }
        } else {
            self.judge(None);
        }
    }

    /// [`commit`](Self::commit), while users are told if it takes long.
    async fn patiently(&mut self, batch: &[Order]) -> Result<(), LogError> {
        let (state, hub) = (self.state.clone(), self.hub.clone());
        let slow = async {
            sleep(SLOW).await;
            tell(&state, &hub, LogState::Slow);
            std::future::pending::<()>().await;
        };
        tokio::select! {
            done = self.commit(batch) => done,
            () = slow => Ok(()),
        }
    }

    /// Logs what is not logged yet, and publishes it.
    async fn commit(&mut self, batch: &[Order]) -> Result<(), LogError> {
        if !self.sure {
            self.recover().await?;
        }
        match self.append(batch).await {
            // Something was logged that nobody knew of, which there is now.
            Err(LogError::Duplicate) => {
                self.sure = false;
                self.recover().await?;
                self.append(batch).await
            }
            done => done,
        }
        .inspect_err(|_| self.sure = false)
    }

    async fn append(&mut self, batch: &[Order]) -> Result<(), LogError> {
        if self.last.len() >= ROOMS {
            self.last.clear();
        }
        let ids: Vec<_> = batch.iter().map(|order| order.id.as_str()).collect();
        let found = self.log.find(&ids).await?;
        for Entry { room, said } in &found {
            if said.seq > self.last(room).await? {
                // Logged by a statement that nobody waited for: nobody has seen it yet.
                self.recover().await?;
            }
        }
        let mut logged: HashMap<_, _> = found.into_iter().map(known).collect();
        let mut entries: Vec<Entry> = Vec::with_capacity(batch.len());
        let mut last = HashMap::new();
        for Order { seat, id, text, .. } in batch {
            let (room, nick) = (seat.room.to_string(), seat.nick.to_string());
            let name = (room.clone(), nick.clone(), id.clone());
            if logged.contains_key(&name) {
                continue;
            }
            let before = match last.get(&room) {
                Some(seq) => *seq,
                None => self.last(&room).await?,
            };
            let seq = before + 1;
            last.insert(room.clone(), seq);
            logged.insert(name, seq);
            let said = Said { seq, id: id.clone(), nick, text: text.clone(), at: now() };
            entries.push(Entry { room, said });
        }
        if !entries.is_empty() {
            self.log.append(&entries).await?;
        }
        self.last.extend(last);
        for Entry { room, said } in entries {
            self.publish(&room, said);
        }
        for Order { peer, seat, id, .. } in batch {
            let name = (seat.room.to_string(), seat.nick.to_string(), id.clone());
            if let Some(&seq) = logged.get(&name) {
                let _ = peer.try_send(Event::Ack { id: id.clone(), seq }.to_json());
            }
        }
        Ok(())
    }

    /// The last number of a room.
    async fn last(&mut self, room: &str) -> Result<i64, LogError> {
        if let Some(seq) = self.last.get(room) {
            return Ok(*seq);
        }
        let seq = self.log.last(room).await?;
        self.last.insert(room.to_owned(), seq);
        Ok(seq)
    }

    /// Makes the tables if need be, and publishes what was logged without anybody knowing.
    async fn recover(&mut self) -> Result<(), LogError> {
        self.log.migrate().await?;
        self.log.touch(now()).await?;
        let rooms: Vec<_> = self.last.keys().cloned().collect();
        for room in rooms {
            loop {
                let after = self.last.get(&room).copied().unwrap_or_default();
                let page = self.log.page(&room, Span::After(after)).await?;
                for said in page.messages {
                    self.last.insert(room.clone(), said.seq);
                    self.publish(&room, said);
                }
                if !page.more {
                    break;
                }
            }
        }
        self.sure = true;
        Ok(())
    }

    fn publish(&self, room: &str, said: Said) {
        drop(self.hub.publish_to(NAMESPACE, room, Event::Message(said).to_json()));
    }

    /// Tells users how the log is, when that has changed.
    fn judge(&self, error: Option<&LogError>) {
        let state = if error.is_some() { LogState::Down } else { LogState::Ok };
        if let (Some(error), true) = (error, *self.state.borrow() != state) {
            eprintln!("messages are refused: {error}");
        }
        tell(&self.state, &self.hub, state);
    }
}

fn tell(state: &watch::Sender<LogState>, hub: &Hub, now: LogState) {
    if state.send_replace(now) != now {
        drop(hub.publish_to_all(Event::Log { state: now }.to_json()));
    }
}

fn known(entry: Entry) -> ((String, String, String), i64) {
    let Entry { room, said } = entry;
    ((room, said.nick, said.id), said.seq)
}

/// After how many milliseconds to try again.
pub fn retry() -> u64 {
    u64::try_from(PROBE.as_millis()).unwrap_or(u64::MAX)
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
