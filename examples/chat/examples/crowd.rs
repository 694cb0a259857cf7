//! Many users at once, and an account of what became of all that they said.
//!
//! `crowd URL [USERS] [ROOMS] [SECONDS]`, such as `crowd ws://127.0.0.1:8080/chat 500 20 60`. One user in ten loses
//! the connection now and then. It ends with status 1 if a message was lost, or came twice, or out of order.

use std::collections::{HashMap, HashSet};
use std::process::ExitCode;
use std::time::Duration;

use chat::client::{Client, Happening};
use chat::protocol::Said;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout};

/// How long what was said last may take to reach everybody.
const GRACE: Duration = Duration::from_secs(20);

/// The pause between two messages of one user, in milliseconds.
const PAUSE: std::ops::Range<u64> = 500..2500;

/// What one user knows in the end.
struct Report {
    room: usize,
    /// The names of what it said, and the numbers under which that is logged.
    logged: HashMap<String, i64>,
    said: HashSet<String>,
    /// What it was sent, in that order.
    received: Vec<Said>,
    breaks: usize,
}

#[tokio::main]
async fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let url = arguments.next().unwrap_or_else(|| "ws://127.0.0.1:8080/chat".into());
    let mut number = |unless: u64| arguments.next().map_or(Ok(unless), |text| text.parse());
    let (Ok(users), Ok(rooms), Ok(seconds)) = (number(500), number(20), number(60)) else {
        eprintln!("usage: crowd URL [USERS] [ROOMS] [SECONDS]");
        return ExitCode::FAILURE;
    };
    // Rooms of this run alone.
    let run: u32 = rand::random();
    let end = Instant::now() + Duration::from_secs(seconds);
    let mut users: JoinSet<Report> = (0..users)
        .map(|user| {
            let room = usize::try_from(user % rooms.max(1)).unwrap_or_default();
            let name = format!("crowd-{run:08x}-{room}");
            user_of(url.clone(), room, name, format!("user-{user}"), user % 10 == 0, end)
        })
        .collect();
    let mut reports = Vec::new();
    while let Some(report) = users.join_next().await {
        match report {
            Ok(report) => reports.push(report),
            Err(error) => eprintln!("a user failed: {error}"),
        }
    }
    account(&reports)
}

/// Says something now and then until the end, and then waits until nothing comes any more.
async fn user_of(
    url: String,
    room: usize,
    name: String,
    nick: String,
    restless: bool,
    end: Instant,
) -> Report {
    let (client, mut happenings) = Client::start(url, name, nick);
    let (logged, said) = (HashMap::new(), HashSet::new());
    let mut report = Report { room, logged, said, received: Vec::new(), breaks: 0 };
    // All are in before the first one speaks.
    let mut next = Instant::now() + Duration::from_secs(3);
    while Instant::now() < end {
        tokio::select! {
            happening = happenings.recv() => {
                let Some(happening) = happening else { return report };
                report.note(happening);
            }
            () = sleep_until(next) => {
                let text = format!("message {} of {}", report.said.len() + 1, room);
                report.said.insert(client.say(text));
                next += Duration::from_millis(rand::random_range(PAUSE));
                if restless && rand::random_bool(0.3) {
                    client.break_connection();
                    report.breaks += 1;
                }
            }
        }
    }
    // Until all of its own is logged, and the room has been quiet for a while.
    let rest = async {
        while let Ok(Some(happening)) = timeout(GRACE / 4, happenings.recv()).await {
            report.note(happening);
        }
    };
    let _ = timeout(GRACE, rest).await;
    drop(client);
    // So that what is left is only the leaving of the others.
    sleep(Duration::from_millis(10)).await;
    report
}

impl Report {
    fn note(&mut self, happening: Happening) {
        match happening {
            Happening::Said(said) => self.received.push(said),
            Happening::Logged(id, seq) => {
                self.logged.insert(id, seq);
            }
            Happening::Ended(why) => eprintln!("a user was turned out: {why}"),
            _ => {}
        }
    }
}

fn account(reports: &[Report]) -> ExitCode {
    let mut faults = 0;
    let mut fault = |text: String| {
        faults += 1;
        if faults <= 20 {
            eprintln!("{text}");
        }
    };
    let (mut said, mut logged, mut received, mut breaks) = (0, 0, 0, 0);
    let mut rooms: HashMap<usize, Vec<&Report>> = HashMap::new();
    for report in reports {
        rooms.entry(report.room).or_default().push(report);
    }
    let mut last = 0;
    for (room, users) in &rooms {
        // What the senders know to be logged is the whole room: 1, 2, 3 …
        let by_number: HashMap<i64, &String> =
            users.iter().flat_map(|user| user.logged.iter().map(|(id, seq)| (*seq, id))).collect();
        let acknowledged: usize = users.iter().map(|user| user.logged.len()).sum();
        if by_number.len() != acknowledged {
            fault(format!("room {room}: two messages have one number"));
        }
        let most = by_number.keys().copied().max().unwrap_or(0);
        last += most;
        if usize::try_from(most).ok() != Some(acknowledged) {
            fault(format!("room {room}: {acknowledged} were acknowledged, {most} numbers given"));
        }
        for user in users {
            said += user.said.len();
            logged += user.logged.len();
            received += user.received.len();
            breaks += user.breaks;
            if user.said.len() != user.logged.len() {
                fault(format!(
                    "room {room}: {} said, {} acknowledged",
                    user.said.len(),
                    user.logged.len()
                ));
            }
            let numbers = user.received.iter().map(|said| said.seq);
            if !numbers.eq(1..=most) {
                fault(format!(
                    "room {room}: {} received of {most}, or not in order",
                    user.received.len()
                ));
            }
            for message in &user.received {
                if by_number.get(&message.seq).is_none_or(|id| **id != message.id) {
                    fault(format!("room {room}: {} is not what was said", message.seq));
                }
            }
        }
    }
    println!(
        "{} users in {} rooms: {said} said, {logged} acknowledged, {last} numbers given, {received} received, \
         {breaks} connections broken, {faults} faults",
        reports.len(),
        rooms.len(),
    );
    if faults == 0 && said > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
