//! Nothing is lost, and nothing comes twice.

mod served;

use chat::client::{Client, Happening};
use chat::log::{Entry, Span};
use chat::protocol::{Event, LogState, Refusal, Said, close};
use served::{Folder, Served};
use ws_channel::status;

fn texts(events: &[Event]) -> Vec<&str> {
    let mut texts = Vec::new();
    for event in events {
        if let Event::Message(said) = event {
            texts.push(said.text.as_str());
        }
    }
    texts
}

#[tokio::test]
async fn what_is_sent_again_is_logged_and_published_once() {
    let folder = Folder::new();
    let log = folder.log();
    let served = Served::start(log.clone()).await;
    let mut ann = served.member("tea", "Ann").await;
    let mut ben = served.member("tea", "Ben").await;
    // Twice in one batch, and again later.
    ben.say("1", "one").await;
    ben.say("1", "one").await;
    ben.until(|event| matches!(event, Event::Ack { seq: 1, .. })).await;
    ben.until(|event| matches!(event, Event::Ack { seq: 1, .. })).await;
    assert!(matches!(ben.said("1", "one").await, Event::Ack { seq: 1, .. }));
    assert!(matches!(ben.said("2", "two").await, Event::Ack { seq: 2, .. }));
    let events = ann.until(|event| matches!(event, Event::Message(said) if said.seq == 2)).await;
    assert_eq!(texts(&events), ["one", "two"]);
    // Under the name that Ben gave his, Ann's is another.
    assert!(matches!(ann.said("1", "three").await, Event::Ack { seq: 3, .. }));
    assert_eq!(log.page("tea", Span::Latest).await.unwrap().messages.len(), 3);
}

#[tokio::test]
async fn what_a_late_statement_logs_is_published_before_what_follows() {
    let folder = Folder::new();
    let log = folder.log();
    let served = Served::start(log.clone()).await;
    let mut ann = served.member("tea", "Ann").await;
    let mut ben = served.member("tea", "Ben").await;
    assert!(matches!(ann.said("1", "one").await, Event::Ack { seq: 1, .. }));
    // As if the server had given these up, and told Ann so.
    let late = |seq: i64| Entry {
        room: "tea".into(),
        said: Said {
            seq,
            id: seq.to_string(),
            nick: "Ann".into(),
            text: format!("late {seq}"),
            at: 0,
        },
    };
    log.append(&[late(2)]).await.unwrap();
    assert!(matches!(ann.said("2", "late 2").await, Event::Ack { seq: 2, .. }));
    log.append(&[late(3), late(4)]).await.unwrap();
    assert!(matches!(ann.said("5", "five").await, Event::Ack { seq: 5, .. }));
    let events = ben.until(|event| matches!(event, Event::Message(said) if said.seq == 5)).await;
    assert_eq!(texts(&events), ["one", "late 2", "late 3", "late 4", "five"]);
}

#[tokio::test]
async fn a_client_takes_its_place_over_from_its_lost_connection() {
    let folder = Folder::new();
    let served = Served::start(folder.log()).await;
    let mut ann = served.member("tea", "Ann").await;
    let mut lost = served.member("tea", "Ben").await;
    ann.until(|event| matches!(event, Event::Joined { .. })).await;
    assert!(matches!(lost.said("1", "one").await, Event::Ack { seq: 1, .. }));
    let mut ben = served.guest().await;
    // With the token that `member` gives.
    ben.join("tea", "Ben", "Ben", Some(0)).await;
    let Event::Welcome { members, .. } = ben.event().await else { panic!() };
    assert_eq!(members, ["Ann", "Ben"]);
    let Event::History { messages, .. } = ben.event().await else { panic!() };
    assert_eq!(messages.len(), 1);
    assert_eq!(lost.end().await.code.as_u16(), close::REPLACED);
    // Sent again, since the acknowledgement might have been lost with the connection.
    assert!(matches!(ben.said("1", "one").await, Event::Ack { seq: 1, .. }));
    assert!(matches!(ben.said("2", "two").await, Event::Ack { seq: 2, .. }));
    let events = ann.until(|event| matches!(event, Event::Message(said) if said.seq == 2)).await;
    assert_eq!(texts(&events), ["one", "two"]);
    // The others saw nobody come or go.
    assert!(!events.iter().any(|e| matches!(e, Event::Joined { .. } | Event::Left { .. })));
}

#[tokio::test]
async fn a_shutdown_tells_everybody_and_answers_what_was_taken() {
    let folder = Folder::new();
    let log = folder.log();
    let served = Served::start(log.clone()).await;
    let mut guests = Vec::new();
    for number in 0..8 {
        guests.push(served.member("tea", &format!("guest-{number}")).await);
    }
    for guest in &mut guests {
        for number in 0..9 {
            guest.say(&number.to_string(), "last words").await;
        }
    }
    let stopping = served.tell_to_stop();
    let mut acknowledged = 0;
    for guest in &mut guests {
        let mut message = futures::StreamExt::next(&mut guest.0).await;
        while let Some(Ok(text)) = message {
            let event: Event = serde_json::from_str(text.as_text().unwrap()).unwrap();
            match event {
                Event::Ack { .. } => acknowledged += 1,
                Event::Refused { code, retry, .. } => {
                    assert_eq!((code, retry.is_some()), (Refusal::Closing, true));
                }
                _ => {}
            }
            message = futures::StreamExt::next(&mut guest.0).await;
        }
        assert_eq!(guest.end().await.code, status::GOING_AWAY);
    }
    let summary = stopping.await.unwrap().unwrap();
    assert_eq!((summary.told, summary.cut_off), (8, 0));
    // Its own log is closed by now.
    let log = folder.log();
    let logged = log.last("tea").await.unwrap();
    assert_eq!(logged, acknowledged);
}

#[tokio::test]
async fn history_follows_a_client_that_was_away() {
    let folder = Folder::new();
    let served = Served::start(folder.log()).await;
    let mut ann = served.member("tea", "Ann").await;
    for number in 1..=5 {
        let seq = number;
        assert_eq!(
            ann.said(&number.to_string(), "x").await,
            Event::Ack { id: number.to_string(), seq }
        );
    }
    let mut ben = served.guest().await;
    ben.join("tea", "Ben", "b", Some(3)).await;
    assert!(matches!(ben.event().await, Event::Welcome { log: LogState::Ok, .. }));
    let Event::History { after, messages, more, .. } = ben.event().await else { panic!() };
    assert_eq!((after, more), (Some(3), false));
    assert_eq!(messages.iter().map(|said| said.seq).collect::<Vec<_>>(), [4, 5]);
}

#[tokio::test]
async fn the_client_comes_back_after_a_restart_and_says_what_it_still_had() {
    let folder = Folder::new();
    let served = Served::start(folder.log()).await;
    let address = served.url.trim_start_matches("ws://").trim_end_matches("/chat").to_owned();
    let (client, mut happenings) = Client::start(served.url.clone(), "tea".into(), "Ann".into());
    let mut seen = Vec::new();
    let mut until = async |fits: fn(&Happening) -> bool, seen: &mut Vec<String>| loop {
        let happening = happenings.recv().await.unwrap();
        if let Happening::Said(said) = &happening {
            seen.push(said.text.clone());
        }
        if fits(&happening) {
            break;
        }
    };
    client.say("before");
    until(|happening| matches!(happening, Happening::Logged(_, 1)), &mut seen).await;
    served.stop().await;
    until(|happening| matches!(happening, Happening::Offline(..)), &mut seen).await;
    client.say("meanwhile");
    let listener = tokio::net::TcpListener::bind(address).await.unwrap();
    let serving = tokio::spawn(chat::server::serve(listener, folder.log(), std::future::pending()));
    until(|happening| matches!(happening, Happening::Logged(_, 2)), &mut seen).await;
    client.say("after");
    until(|happening| matches!(happening, Happening::Logged(_, 3)), &mut seen).await;
    assert_eq!(seen, ["before", "meanwhile", "after"]);
    serving.abort();
}
