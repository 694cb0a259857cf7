//! Bad requests: each is answered to its sender, with why, and nobody else is harmed.

mod served;

use bytes::Bytes;
use chat::protocol::{Event, Refusal, TEXT_LENGTH};
use served::{Folder, Served};
use ws_channel::{WebSocketChannel, status};

/// The code of a refusal, and whether to try again.
fn refusal(event: &Event) -> Option<(Refusal, bool)> {
    match event {
        Event::Refused { code, text, retry, .. } => {
            assert!(!text.is_empty());
            Some((*code, retry.is_some()))
        }
        _ => None,
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_answered_and_the_connection_stays() {
    let folder = Folder::new();
    let served = Served::start(folder.log()).await;
    let mut ann = served.member("tea", "Ann").await;
    for (json, code) in [
        ("{", Refusal::BadJson),
        ("", Refusal::BadJson),
        ("[]", Refusal::UnknownKind),
        (r#"{"kind":7}"#, Refusal::UnknownKind),
        (r#"{"kind":"shout","text":"x"}"#, Refusal::UnknownKind),
        (r#"{"kind":"say","text":"x"}"#, Refusal::BadRequest),
        (r#"{"kind":"say","id":"1","text":2}"#, Refusal::BadRequest),
        (r#"{"kind":"say","id":"a b","text":"x"}"#, Refusal::BadRequest),
        (r#"{"kind":"history","before":1,"after":2}"#, Refusal::BadRequest),
        (r#"{"kind":"join","room":"milk","nick":"Ann","token":"t"}"#, Refusal::AlreadyJoined),
    ] {
        ann.send(json).await;
        assert_eq!(refusal(&ann.event().await), Some((code, false)), "{json}");
    }
    ann.send(Bytes::from_static(b"\x00")).await;
    assert_eq!(refusal(&ann.event().await), Some((Refusal::BadJson, false)));
    let nested = "[".repeat(10_000);
    ann.send(nested).await;
    assert_eq!(refusal(&ann.event().await), Some((Refusal::BadJson, false)));
    assert!(matches!(ann.said("1", "still here").await, Event::Ack { seq: 1, .. }));
}

#[tokio::test]
async fn names_are_checked_and_given_once() {
    let folder = Folder::new();
    let served = Served::start(folder.log()).await;
    let mut ann = served.member("tea", "Ann").await;
    for (room, nick, code) in [
        ("", "Ben", Refusal::BadRoom),
        ("tea room", "Ben", Refusal::BadRoom),
        ("tea", "", Refusal::BadNick),
        ("tea", "<b>", Refusal::BadNick),
        ("tea", "aNN", Refusal::NickTaken),
        ("TEA", "ann", Refusal::NickTaken),
    ] {
        let mut guest = served.guest().await;
        guest.join(room, nick, "another", None).await;
        assert_eq!(refusal(&guest.event().await), Some((code, false)), "{room} {nick}");
    }
    // In another room there is no such person.
    served.member("milk", "Ann").await;
    let mut ben = served.member("tea", "Ben").await;
    // Of all those, Ann saw only Ben.
    assert_eq!(ann.event().await, Event::Joined { nick: "Ben".into() });
    ben.0.close(status::NORMAL_CLOSURE, "").await.unwrap();
    assert_eq!(ann.event().await, Event::Left { nick: "Ben".into() });
}

#[tokio::test]
async fn nothing_is_to_be_had_before_joining() {
    let folder = Folder::new();
    let served = Served::start(folder.log()).await;
    let mut guest = served.guest().await;
    for json in [
        r#"{"kind":"say","id":"1","text":"x"}"#,
        r#"{"kind":"history"}"#,
        r#"{"kind":"typing","on":true}"#,
    ] {
        guest.send(json).await;
        assert_eq!(refusal(&guest.event().await), Some((Refusal::NotJoined, false)), "{json}");
    }
}

#[tokio::test]
async fn a_text_has_something_in_it_and_an_end() {
    let folder = Folder::new();
    let served = Served::start(folder.log()).await;
    let mut ann = served.member("tea", "Ann").await;
    let most = "é".repeat(TEXT_LENGTH);
    for (text, code) in [
        ("", Refusal::BadText),
        (" \n\t", Refusal::BadText),
        ("a\u{1b}[2Jb", Refusal::BadText),
        (&format!("{most}é"), Refusal::TooLong),
    ] {
        assert_eq!(refusal(&ann.said("1", text).await), Some((code, false)));
    }
    assert!(matches!(ann.said("1", &format!("{most}\n")).await, Event::Ack { seq: 1, .. }));
    // Above that the message itself is too big: it is not even read.
    let mut ben = served.member("tea", "Ben").await;
    ben.say("1", &"x".repeat(40_000)).await;
    assert_eq!(ben.end().await.code, status::MESSAGE_TOO_BIG);
    let events = ann.until(|event| matches!(event, Event::Left { .. })).await;
    assert!(
        !events.iter().any(|event| matches!(event, Event::Message(said) if said.nick == "Ben"))
    );
}

#[tokio::test]
async fn who_is_too_fast_is_told_how_long_to_wait_and_the_others_notice_nothing() {
    let folder = Folder::new();
    let served = Served::start(folder.log()).await;
    let mut ann = served.member("tea", "Ann").await;
    let mut ben = served.member("tea", "Ben").await;
    for number in 0..20 {
        ben.say(&number.to_string(), "again").await;
    }
    let (mut logged, mut hasty) = (0, 0);
    while logged + hasty < 20 {
        match ben.event().await {
            Event::Ack { .. } => logged += 1,
            Event::Refused { id: Some(_), code: Refusal::TooFast, retry: Some(wait), .. } => {
                assert!((1..=251).contains(&wait), "{wait}");
                hasty += 1;
            }
            _ => {}
        }
    }
    assert!(logged >= 10 && hasty > 0, "{logged} logged, {hasty} refused");
    assert!(matches!(ann.said("1", "calm").await, Event::Ack { .. }));
}

#[tokio::test]
async fn who_never_stops_is_closed() {
    let folder = Folder::new();
    let served = Served::start(folder.log()).await;
    let mut ann = served.member("tea", "Ann").await;
    let mut ben = served.member("tea", "Ben").await;
    for number in 0..500 {
        let json = format!(r#"{{"kind":"say","id":"{number}","text":"flood"}}"#);
        if futures::SinkExt::send(&mut ben.0, json.into()).await.is_err() {
            break; // The closing has come already.
        }
    }
    assert_eq!(ben.end().await.code, status::POLICY_VIOLATION);
    ann.until(|event| matches!(event, Event::Left { nick } if nick == "Ben")).await;
    assert!(matches!(ann.said("1", "calm").await, Event::Ack { .. }));
}

#[tokio::test]
async fn who_speaks_another_version_is_told_so() {
    let folder = Folder::new();
    let served = Served::start(folder.log()).await;
    let channel = WebSocketChannel::connect(&served.url).protocols(["chat.v9"]).await.unwrap();
    let ended = served::Guest(channel).end().await;
    assert_eq!(ended.code.as_u16(), chat::protocol::close::OTHER_PROTOCOL);
    assert!(ended.reason.contains("chat.v1"), "{}", ended.reason);
}

#[tokio::test]
async fn a_page_of_another_origin_may_not_connect() {
    let folder = Folder::new();
    let served = Served::start(folder.log()).await;
    let host = served.url.trim_start_matches("ws://").trim_end_matches("/chat").to_owned();
    for (origin, status) in [
        (format!("http://{host}"), None),
        (format!("http://{host}.elsewhere"), Some(403)),
        ("https://elsewhere".into(), Some(403)),
        ("null".into(), Some(403)),
    ] {
        let attempt = WebSocketChannel::connect(&served.url).header("origin", &origin).await;
        let refused = match attempt {
            Ok(_) => None,
            Err(ws_channel::Error::Connect(error)) => error.status().map(|status| status.as_u16()),
            Err(error) => panic!("{error}"),
        };
        assert_eq!(refused, status, "{origin}");
    }
}
