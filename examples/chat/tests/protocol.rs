//! The documents of `chat.v1` as they are on the wire: what is here may not change within the version.

use chat::protocol::{Event, LogState, Refusal, Request, Said};

fn requests() -> Vec<(Request, &'static str)> {
    let (room, nick, token) = ("tea".to_owned(), "Ann".to_owned(), "t".to_owned());
    let join = |after| Request::Join {
        room: room.clone(),
        nick: nick.clone(),
        token: token.clone(),
        after,
    };
    vec![
        (join(None), r#"{"kind":"join","room":"tea","nick":"Ann","token":"t"}"#),
        (join(Some(7)), r#"{"kind":"join","room":"tea","nick":"Ann","token":"t","after":7}"#),
        (
            Request::Say { id: "1".into(), text: "hi".into() },
            r#"{"kind":"say","id":"1","text":"hi"}"#,
        ),
        (Request::Typing { on: true }, r#"{"kind":"typing","on":true}"#),
        (Request::History { before: Some(9), after: None }, r#"{"kind":"history","before":9}"#),
        (Request::Ping { n: 3 }, r#"{"kind":"ping","n":3}"#),
    ]
}

fn events() -> Vec<(Event, &'static str)> {
    let said = Said { seq: 4, id: "1".into(), nick: "Ann".into(), text: "hi".into(), at: 5 };
    let (room, nick) = ("tea".to_owned(), "Ann".to_owned());
    let members = vec![nick.clone()];
    vec![
        (
            Event::Welcome { room, nick: nick.clone(), members, log: LogState::Ok, text_length: 9 },
            r#"{"kind":"welcome","room":"tea","nick":"Ann","members":["Ann"],"log":"ok","text_length":9}"#,
        ),
        (
            Event::History {
                before: None,
                after: Some(3),
                messages: vec![said.clone()],
                more: false,
            },
            r#"{"kind":"history","after":3,"messages":[{"seq":4,"id":"1","nick":"Ann","text":"hi","at":5}],"more":false}"#,
        ),
        (
            Event::Message(said),
            r#"{"kind":"message","seq":4,"id":"1","nick":"Ann","text":"hi","at":5}"#,
        ),
        (Event::Ack { id: "1".into(), seq: 4 }, r#"{"kind":"ack","id":"1","seq":4}"#),
        (
            Event::Refused {
                id: Some("1".into()),
                code: Refusal::TooFast,
                text: "wait".into(),
                retry: Some(250),
            },
            r#"{"kind":"refused","id":"1","code":"too_fast","text":"wait","retry":250}"#,
        ),
        (Event::Joined { nick: nick.clone() }, r#"{"kind":"joined","nick":"Ann"}"#),
        (Event::Left { nick: nick.clone() }, r#"{"kind":"left","nick":"Ann"}"#),
        (Event::Typing { nick, on: false }, r#"{"kind":"typing","nick":"Ann","on":false}"#),
        (Event::Log { state: LogState::Down }, r#"{"kind":"log","state":"down"}"#),
        (Event::Pong { n: 3 }, r#"{"kind":"pong","n":3}"#),
    ]
}

#[test]
fn requests_are_read_and_written_as_agreed() {
    for (request, json) in requests() {
        assert_eq!(serde_json::to_string(&request).unwrap(), json);
        assert_eq!(Request::from_json(json), Ok(request));
    }
}

#[test]
fn events_are_read_and_written_as_agreed() {
    for (event, json) in events() {
        assert_eq!(event.to_json(), json);
        assert_eq!(serde_json::from_str::<Event>(json).unwrap(), event);
    }
}

#[test]
fn what_a_later_version_adds_is_passed_over() {
    let json = r#"{"kind":"say","id":"1","text":"hi","colour":"red"}"#;
    assert_eq!(Request::from_json(json), Ok(Request::Say { id: "1".into(), text: "hi".into() }));
    let json = r#"{"kind":"pong","n":3,"load":0.5}"#;
    assert_eq!(serde_json::from_str::<Event>(json).unwrap(), Event::Pong { n: 3 });
}
