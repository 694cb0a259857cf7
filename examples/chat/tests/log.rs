//! The log, on `SQLite`.

mod served;

use chat::log::{Entry, LogError, Page, Span};
use chat::protocol::{PAGE, Said};
use served::Folder;
use sqlx::{Connection, Executor, SqliteConnection};

fn entry(room: &str, seq: i64, id: &str) -> Entry {
    let said =
        Said { seq, id: id.into(), nick: "Ann".into(), text: format!("{id}: é 🎈 '"), at: seq };
    Entry { room: room.into(), said }
}

#[tokio::test]
async fn what_is_logged_is_found_by_its_room_in_its_order() {
    let folder = Folder::new();
    let log = folder.log();
    log.migrate().await.unwrap();
    assert_eq!(log.last("tea").await.unwrap(), 0);
    log.append(&[entry("tea", 1, "a"), entry("milk", 1, "b"), entry("tea", 2, "c")]).await.unwrap();
    assert_eq!(log.last("tea").await.unwrap(), 2);
    let page = log.page("tea", Span::Latest).await.unwrap();
    let messages = vec![entry("tea", 1, "a").said, entry("tea", 2, "c").said];
    assert_eq!(page, Page { messages, more: false });
    assert_eq!(log.find(&["c", "x"]).await.unwrap(), [entry("tea", 2, "c")]);
}

#[tokio::test]
async fn pages_meet_without_a_gap_in_both_directions() {
    let folder = Folder::new();
    let log = folder.log();
    log.migrate().await.unwrap();
    let most = i64::try_from(2 * PAGE + 7).unwrap();
    let entries: Vec<_> = (1..=most).map(|seq| entry("tea", seq, &seq.to_string())).collect();
    log.append(&entries).await.unwrap();

    let mut back = Vec::new();
    let mut span = Span::Latest;
    loop {
        let page = log.page("tea", span).await.unwrap();
        span = Span::Before(page.messages[0].seq);
        back.splice(0..0, page.messages.into_iter().map(|said| said.seq));
        if !page.more {
            break;
        }
    }
    assert!(back.into_iter().eq(1..=most));

    let mut forth = Vec::new();
    loop {
        let page = log.page("tea", Span::After(forth.last().copied().unwrap_or(0))).await.unwrap();
        forth.extend(page.messages.into_iter().map(|said| said.seq));
        if !page.more {
            break;
        }
    }
    assert!(forth.into_iter().eq(1..=most));
}

#[tokio::test]
async fn a_batch_with_a_duplicate_is_not_logged_at_all() {
    let folder = Folder::new();
    let log = folder.log();
    log.migrate().await.unwrap();
    log.append(&[entry("tea", 1, "a")]).await.unwrap();
    for again in [entry("tea", 1, "of that number"), entry("tea", 3, "a")] {
        let done = log.append(&[entry("tea", 2, "b"), again]).await;
        assert!(matches!(done, Err(LogError::Duplicate)), "{done:?}");
        assert_eq!(log.last("tea").await.unwrap(), 1);
    }
    // The same name in another room is another message.
    log.append(&[entry("milk", 1, "a")]).await.unwrap();
}

#[tokio::test]
async fn tables_that_are_there_stay_as_they_are() {
    let folder = Folder::new();
    let log = folder.log();
    log.migrate().await.unwrap();
    log.append(&[entry("tea", 1, "a")]).await.unwrap();
    log.close().await;
    let log = folder.log();
    log.migrate().await.unwrap();
    assert_eq!(log.last("tea").await.unwrap(), 1);
}

#[tokio::test]
async fn a_log_that_can_be_read_but_not_written_is_found_out() {
    let folder = Folder::new();
    let log = folder.log();
    log.migrate().await.unwrap();
    log.touch(1).await.unwrap();
    let mut other = SqliteConnection::connect(&folder.url()).await.unwrap();
    other.execute("BEGIN EXCLUSIVE").await.unwrap();
    assert_eq!(log.last("tea").await.unwrap(), 0);
    assert!(matches!(log.touch(2).await, Err(LogError::Failed(_))));
    other.execute("ROLLBACK").await.unwrap();
    log.touch(3).await.unwrap();
}

#[tokio::test]
async fn a_database_that_cannot_be_had_is_an_error_and_not_a_wait() {
    let log = chat::log::Log::new("sqlite:/no/such/folder/chat.db").unwrap();
    assert!(matches!(log.migrate().await, Err(LogError::Failed(_))));
    assert!(chat::log::Log::new("oracle://h/d").is_err());
}
