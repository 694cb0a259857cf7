//! What an attempt to connect comes to.

use std::time::Duration;

use ws_channel::WebSocketChannel;

use super::{Attempt, Behaviour, Failed, Implementation};

async fn fails<I: Implementation>(run: &I, attempt: impl Into<Attempt>) -> Failed {
    match run.connect(attempt.into()).await {
        Ok(channel) => panic!("connected to {:?}", channel.url()),
        Err(failed) => failed,
    }
}

/// "connect uri / no protocol", with a URL of https. That is mapped to wss here, as browsers do; so
/// the URL is one of ftp.
pub async fn a_scheme_that_is_not_for_websockets_is_an_error<I: Implementation>(run: &I) {
    let url = Some("ftp://www.example.com/");
    fails(run, Attempt { url, ..Behaviour::Echoes.into() }).await;
}

/// "close before upgrade"
pub async fn an_answer_that_is_no_upgrade_is_an_error<I: Implementation>(run: &I) {
    fails(run, Behaviour::DoesNotUpgrade).await;
}

/// ".connect wraps a connection error", with a server that answers 404. A browser does not show
/// the status.
pub async fn an_error_carries_the_status_of_the_answer<I: Implementation>(run: &I) {
    assert_eq!(fails(run, Behaviour::IsNotThere).await.status, Some(404));
}

/// "failed connect": the error is in the awaited result, and nowhere else.
pub async fn a_name_that_does_not_exist_is_an_error<I: Implementation>(run: &I) {
    let url = Some("ws://notahost.invalid/");
    fails(run, Attempt { url, ..Behaviour::Echoes.into() }).await;
}

/// "protocols / no protocol"
pub async fn without_subprotocols_none_is_asked_for<I: Implementation>(run: &I) {
    let channel = run.to(Behaviour::PicksNoProtocol).await;
    assert_eq!(run.report().await, "");
    assert_eq!(channel.protocol(), None);
}

/// "protocols / single"
pub async fn one_subprotocol_is_asked_for_and_agreed_on<I: Implementation>(run: &I) {
    let protocols = &["chat.example.com"];
    let attempt = Attempt { protocols, ..Behaviour::PicksChat.into() };
    let channel = run.connect(attempt).await.unwrap();
    assert_eq!(run.report().await, "chat.example.com");
    assert_eq!(channel.protocol(), Some("chat.example.com"));
}

/// "protocols / multiple", ".protocols pass"
pub async fn of_several_subprotocols_the_server_picks_one<I: Implementation>(run: &I) {
    let protocols = &["chat.example.com", "text.example.com"];
    let attempt = Attempt { protocols, ..Behaviour::PicksText.into() };
    let channel = run.connect(attempt).await.unwrap();
    assert_eq!(run.report().await, "chat.example.com, text.example.com");
    assert_eq!(channel.protocol(), Some("text.example.com"));
}

/// "protocols / protocol mismatch", ".protocols fail"
pub async fn a_subprotocol_that_was_not_offered_is_an_error<I: Implementation>(run: &I) {
    let protocols = &["chat.example.com"];
    fails(run, Attempt { protocols, ..Behaviour::PicksText.into() }).await;
}

/// ".custom client is passed through", "custom headers". A browser sends no header of a page.
pub async fn a_header_is_sent<I: Implementation>(run: &I) {
    let header = Some(("User-Agent", "custom"));
    let _channel =
        run.connect(Attempt { header, ..Behaviour::ReportsTheAgent.into() }).await.unwrap();
    assert_eq!(run.report().await, "custom");
}

/// ".respects timeout parameter"
pub async fn a_server_that_does_not_answer_costs_no_more_than_the_timeout<I: Implementation>(
    run: &I,
) {
    let timeout = Some(Duration::from_millis(50));
    let failed = fails(run, Attempt { timeout, ..Behaviour::IsSilent.into() }).await;
    assert!(failed.is_timeout);
}

/// ".connects with a timeout parameter specified"
pub async fn a_timeout_that_does_not_pass_is_not_felt<I: Implementation>(run: &I) {
    let timeout = Some(Duration::from_secs(60));
    let _channel = run.connect(Attempt { timeout, ..Behaviour::Echoes.into() }).await.unwrap();
}
