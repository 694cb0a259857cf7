//! What a server tells `tracing`: which spans, which events, at which level, and no secrets.
#![cfg(all(feature = "tracing", not(target_family = "wasm")))]

mod served;

use std::fmt::{Debug, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::{SinkExt, StreamExt};
use served::Served;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};
use ws_channel::server::{
    Acceptance, BoxError, HookResult, Server, ServerOptions, SlowPeer, hooks,
};

/// Notes spans and events as lines, each event with the innermost span that it is in.
#[derive(Clone, Default)]
struct Notes(Arc<Inner>);

#[derive(Default)]
struct Inner {
    ids: AtomicU64,
    spans: Mutex<Vec<(u64, String)>>,
    inside: Mutex<Vec<u64>>,
    lines: Mutex<Vec<String>>,
}

/// The fields of a span or an event.
struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, " {field}={value:?}").unwrap();
    }
}

impl Subscriber for Notes {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("ws_channel") || metadata.target() == "program"
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        let id = self.0.ids.fetch_add(1, Ordering::Relaxed) + 1;
        let mut fields = Fields(attributes.metadata().name().to_owned());
        attributes.record(&mut fields);
        self.0.spans.lock().unwrap().push((id, fields.0));
        Id::from_u64(id)
    }

    fn record(&self, _span: &Id, _values: &Record<'_>) {}

    fn record_follows_from(&self, _span: &Id, _follows: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields(event.metadata().level().to_string());
        event.record(&mut fields);
        if let Some(inside) = self.0.inside.lock().unwrap().last() {
            let spans = self.0.spans.lock().unwrap();
            let (_, span) = spans.iter().find(|(id, _)| id == inside).unwrap();
            write!(fields.0, " <{span}>").unwrap();
        }
        self.0.lines.lock().unwrap().push(fields.0);
    }

    fn enter(&self, span: &Id) {
        self.0.inside.lock().unwrap().push(span.into_u64());
    }

    fn exit(&self, span: &Id) {
        assert_eq!(self.0.inside.lock().unwrap().pop(), Some(span.into_u64()));
    }
}

impl Notes {
    /// What was noted since this was asked last, once all is at rest.
    async fn lines(&self) -> Vec<String> {
        tokio::time::sleep(Duration::from_secs(1)).await;
        std::mem::take(&mut *self.0.lines.lock().unwrap())
    }
}

const PEER: &str = "<peer id=1 path=\"/chat\" remote_addr=192.0.2.7:7000 protocol=\"v2\">";
const UPGRADE: &str = "<upgrade path=\"/chat\" remote_addr=192.0.2.7:7000>";

/// One test, since tracing remembers in the process who is interested in what.
#[tokio::test(start_paused = true)]
async fn a_span_is_around_the_hooks_of_each_peer_and_events_say_what_happens() {
    let notes = Notes::default();
    let _subscribed = tracing::subscriber::set_default(notes.clone());
    let hooks = hooks()
        .upgrade(async |request| match request.query() {
            Some("panic") => panic!("as ordered"),
            Some("fail") => Err(BoxError::from("no database").into()),
            Some("choose") => Ok(Acceptance::new().protocol("v3")),
            Some("refuse") => Err(http::StatusCode::FORBIDDEN.into()),
            _ => {
                tracing::info!(target: "program", "upgrading");
                Ok::<_, ws_channel::server::Refusal>(Acceptance::new())
            }
        })
        .open(async |_peer| tracing::info!(target: "program", "hello"))
        .message(async |peer, message| -> HookResult {
            match message.as_text() {
                Some("fail") => return Err("no such room".into()),
                Some("flood") => {
                    let policy = peer.hub().publish_to_all(vec![0; 1 << 17]).await;
                    assert_eq!(policy.queued, 1);
                    peer.hub().publish_to_all("too much").await;
                }
                _ => {}
            }
            Ok(())
        });
    let policy = SlowPeer::close(ws_channel::status::TRY_AGAIN_LATER);
    let options = ServerOptions::new().protocols(["v2"]).queue_size(1000).slow_publishes(policy);
    let served = Served::new(Server::with_options(hooks, options));
    let client =
        |query: &str| served.client(&format!("/chat?token=secret{query}")).protocols(["v2"]);

    let mut first = client("").header("cookie", "secret").await.unwrap();
    let lines = notes.lines().await;
    assert_eq!(
        lines,
        [
            format!("INFO message=upgrading {UPGRADE}"),
            format!("DEBUG message=open {PEER}"),
            format!("INFO message=hello {PEER}")
        ]
    );

    first.send("fail".into()).await.unwrap();
    assert!(first.next().await.is_none());
    let lines = notes.lines().await;
    let why = "error=the hook `message` failed: no such room";
    assert_eq!(lines[0], format!("ERROR message=a hook failed {why} {PEER}"));
    assert!(lines[1].starts_with("DEBUG message=closed code=1011 reason=\"\" was_clean=true"));
    assert_eq!(lines.len(), 2, "{lines:?}");

    for (order, level, said) in [
        ("panic", "ERROR message=the upgrade failed", "panicked: as ordered"),
        ("fail", "ERROR message=the upgrade failed", "no database"),
        ("choose", "ERROR message=the upgrade failed", "\"v3\" was not offered"),
        ("refuse", "DEBUG message=refused", "reason=\"hook\""),
    ] {
        let outcome = served.client(&format!("/chat?{order}")).await;
        assert!(outcome.is_err());
        let lines = notes.lines().await;
        assert!(lines[0].starts_with(level) && lines[0].contains(said), "{lines:?}");
        let expected = if order == "refuse" { 1 } else { 2 };
        assert_eq!(lines.len(), expected, "{lines:?}");
    }

    let mut second = client("").await.unwrap();
    notes.lines().await;
    second.send("flood".into()).await.unwrap();
    let lines = notes.lines().await;
    assert!(
        lines[0].starts_with("DEBUG message=reads too slowly: it is closed peer=2"),
        "{lines:?}"
    );
    drop(second);
    let lines = notes.lines().await;
    assert!(lines[0].starts_with("DEBUG message=closed code=1006"), "{lines:?}");

    let third = client("").await.unwrap();
    notes.lines().await;
    drop(third);
    let lines = notes.lines().await;
    assert!(lines[0].starts_with("DEBUG message=the connection broke error="), "{lines:?}");
    assert!(lines[1].starts_with("DEBUG message=closed code=1006"), "{lines:?}");

    served.arrivals.send(Err(std::io::Error::from_raw_os_error(24))).unwrap();
    let lines = notes.lines().await;
    assert!(lines[0].starts_with("WARN message=accepting failed, and pauses error="), "{lines:?}");
    served.hub.shutdown().await;
    let lines = notes.lines().await;
    assert_eq!(
        lines,
        ["INFO message=shutting down peers=0", "INFO message=shut down closed=0 cut_off=0"]
    );
    let spans = notes.0.spans.lock().unwrap();
    assert!(spans.iter().all(|(_, span)| !span.contains("secret")), "{spans:?}");
}
