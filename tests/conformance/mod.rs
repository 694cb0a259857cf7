//! One suite that judges every implementation of a channel.
//!
//! An implementation says how it connects; each case is then one of its tests:
//!
//! ```ignore
//! conformance! { #[tokio::test] Platform }
//! ```
//!
//! The cases know of their servers only the [`Behaviour`] and what they report, so that a server
//! may be a task beside the case or a process beside a browser. `README.md` lists which original
//! test is where.

#![allow(dead_code, unreachable_pub, reason = "a module of several tests")]
#![allow(unused_imports, unused_macros, reason = "and of their server")]

pub mod attempt;
pub mod connecting;
pub mod conversation;
pub mod local_close;
pub mod lost;
pub mod payload;
pub mod remote_close;

use std::future::Future;
use std::panic::AssertUnwindSafe;

use futures::{FutureExt, StreamExt};
use ws_channel::{CloseEvent, Message, ReadyState, WebSocketChannel};

pub use attempt::{Attempt, Behaviour, Failed};

/// A way to get channels, to be judged.
pub trait Implementation: Sized {
    type Channel: WebSocketChannel + Unpin;

    /// The cases that cannot be passed, each with the reason. A limit that is none fails.
    const LIMITS: &'static [(&'static str, &'static str)] = &[];

    /// The cases that are not tried, since they could end every other, each with the reason.
    const DANGERS: &'static [(&'static str, &'static str)] = &[];

    /// Prepares one case: its servers, where they are the test's own.
    fn start() -> impl Future<Output = Self>;

    /// Connects to a server that behaves as the attempt asks.
    fn connect(&self, attempt: Attempt) -> impl Future<Output = Result<Self::Channel, Failed>>;

    /// What the servers report next.
    fn report(&self) -> impl Future<Output = String>;

    /// Whether a case fails.
    fn fails(case: impl Future<Output = ()>) -> impl Future<Output = bool> {
        async { AssertUnwindSafe(case).catch_unwind().await.is_err() }
    }

    /// Connects to a server that is there.
    fn to(&self, behaviour: Behaviour) -> impl Future<Output = Self::Channel> {
        async move { self.connect(behaviour.into()).await.expect("the server accepts") }
    }
}

/// Runs a case and compares with what is expected of the implementation.
pub async fn judge<I: Implementation>(name: &str, case: impl Future<Output = ()>) {
    if I::DANGERS.iter().any(|(danger, _)| *danger == name) {
        return;
    }
    let Some((_, reason)) = I::LIMITS.iter().find(|(limit, _)| *limit == name) else {
        return case.await;
    };
    assert!(I::fails(case).await, "{name} passes, though {reason}");
}

/// How a connection ended, of which nothing more may come.
///
/// Every end is checked for what holds of all: the event is there, and stays.
pub async fn ended<C: WebSocketChannel + Unpin>(channel: &mut C) -> CloseEvent {
    for _ in 0..3 {
        assert!(channel.next().await.is_none(), "nothing comes after the end");
    }
    assert_eq!(channel.ready_state(), ReadyState::Closed);
    channel.close_event().expect("the end has an event").clone()
}

/// How a connection broke: an error, once, and then the end.
pub async fn broken<C: WebSocketChannel + Unpin>(channel: &mut C) -> CloseEvent {
    let item = channel.next().await;
    assert!(matches!(item, Some(Err(_))), "{item:?} is not an error");
    let event = ended(channel).await;
    assert!(!event.was_clean);
    event
}

/// The next message, which has to come.
pub async fn received<C: WebSocketChannel + Unpin>(channel: &mut C) -> Message {
    channel.next().await.expect("the channel is open").expect("a message comes")
}

/// Makes every case a test of an implementation.
macro_rules! conformance {
    (#[$test:meta] $implementation:ident) => {
        conformance! { @ #[$test] $implementation;
            local_close {
                what_the_peer_writes_after_a_close_is_ignored
                code_1004_is_refused
                code_2999_is_refused
                code_5000_is_refused
                a_reason_of_124_bytes_is_refused
                a_close_without_a_status_is_seen_as_1005
                code_1000_reaches_the_peer
                code_3000_reaches_the_peer
                code_4999_reaches_the_peer
                code_and_reason_reach_the_peer
                a_second_close_resolves_to_the_same_event
                bytes_after_a_close_are_refused
                text_after_a_close_is_refused
                the_event_of_a_local_close_is_the_answer_of_the_peer
            }
            remote_close {
                code_and_reason_of_the_peer_are_told
                bytes_after_a_received_close_are_refused
                text_after_a_received_close_is_refused
                a_close_after_a_received_close_resolves_to_its_event
                a_reason_that_is_not_utf8_breaks_the_connection
                a_program_that_never_receives_learns_of_the_close
                code_1014_of_the_peer_is_told
            }
            connecting {
                a_scheme_that_is_not_for_websockets_is_an_error
                an_answer_that_is_no_upgrade_is_an_error
                an_error_carries_the_status_of_the_answer
                a_name_that_does_not_exist_is_an_error
                without_subprotocols_none_is_asked_for
                one_subprotocol_is_asked_for_and_agreed_on
                of_several_subprotocols_the_server_picks_one
                a_subprotocol_that_was_not_offered_is_an_error
                a_header_is_sent
                a_server_that_does_not_answer_costs_no_more_than_the_timeout
                a_timeout_that_does_not_pass_is_not_felt
            }
            lost {
                a_transport_that_ends_is_an_error_and_1006
                data_that_are_no_frames_break_the_connection
                data_that_are_no_frames_break_the_connection_under_a_write
            }
            payload {
                an_empty_text_is_a_message
                an_empty_binary_is_a_message
                text_is_echoed
                binary_is_echoed
                a_large_text_is_one_message
                a_large_binary_is_one_message
                text_beyond_ascii_is_echoed
                order_and_types_are_kept
            }
            conversation {
                both_sides_talk_and_the_server_closes
                a_message_can_be_sent_at_once
                a_channel_can_be_closed_at_once
                every_ping_is_answered
            }
        }
    };
    (@ #[$test:meta] $implementation:ident; $($module:ident { $($case:ident)+ })+) => {
        $(mod $module {
            use super::conformance::{Implementation, judge, $module as cases};
            use super::$implementation as Judged;

            $(#[$test]
            async fn $case() {
                let run = Judged::start().await;
                judge::<Judged>(stringify!($case), cases::$case(&run)).await;
            })+
        })+

        #[$test]
        async fn every_limit_is_one_of_a_case() {
            let cases = [$($(stringify!($case)),+),+];
            let limits = <$implementation as conformance::Implementation>::LIMITS;
            let dangers = <$implementation as conformance::Implementation>::DANGERS;
            for (limit, _) in limits.iter().chain(dangers) {
                assert!(cases.contains(limit), "{limit}");
            }
        }
    };
}
pub(crate) use conformance;
