//! Before anything is measured, every contender has to carry every byte: mixed messages both ways,
//! through a pipe that holds 61 bytes, so that no header and no payload arrives in one piece.

use futures_util::future::join;

use crate::contender::{Contender, End, Kind, Receiver, Role, Sender};
use crate::form::{Form, Split, Whole};
use crate::payload::Content;
use crate::transport::Tape;

const PIPE: usize = 61;

const SIZES: [usize; 8] = [0, 1, 125, 126, 127, 65_535, 65_536, 200_000];

/// Checks `C` as a whole and as halves.
///
/// # Panics
///
/// If a message is lost or is not what was sent.
pub fn both_forms<C: Contender>() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime can be made");
    runtime.block_on(async {
        all_ways::<Whole<C>>().await;
        all_ways::<Split<C>>().await;
        frames::<C>().await;
    });
}

/// The messages, of all contents by turns.
fn messages() -> Vec<(Kind, Vec<u8>)> {
    [Content::Binary, Content::Mixed, Content::Ascii]
        .into_iter()
        .flat_map(|content| SIZES.map(|size| (content.kind(), content.make(size))))
        .collect()
}

async fn all_ways<F: Form>() {
    let messages = messages();

    let (near, far) = tokio::io::duplex(PIPE);
    let (mut client, mut server) = (F::client(near).await, F::server(far).await);
    join(give(&mut client, &messages), take(&mut server, &messages)).await;
    join(give(&mut server, &messages), take(&mut client, &messages)).await;

    let count = messages.len() as u64;
    let (answered, ()) = join(server.echo(count), round_trips(&mut client, &messages)).await;
    answered.expect("every message can be answered");
    let (answered, ()) = join(server.bounce(count), round_trips(&mut client, &messages)).await;
    answered.expect("every message can be answered in batches");
}

/// Checks that the frames made by hand are the contender's, and that a message can be lent.
async fn frames<C: Contender>() {
    for (kind, payload) in messages() {
        let mut tape = Vec::new();
        C::frame(Role::Client, kind, &payload, [0x37, 0xfa, 0x21, 0x3d], &mut tape);
        let mut server = C::server(Tape::new(tape)).await;
        for _ in 0..2 {
            let same = server
                .recv_lent(|k, p| k == kind && p == payload)
                .await
                .expect("the frame is whole");
            assert!(same, "{}: a lent message of {} bytes differs", C::NAME, payload.len());
        }
    }
}

async fn give<T: Sender>(sender: &mut T, messages: &[(Kind, Vec<u8>)]) {
    for (kind, payload) in messages {
        sender.feed(&T::item(*kind, payload)).await.expect("the receiver is there");
    }
    sender.flush().await.expect("the receiver is there");
}

async fn take<R: Receiver>(receiver: &mut R, messages: &[(Kind, Vec<u8>)]) {
    for (kind, payload) in messages {
        let message = receiver.next().await.expect("the sender is there");
        assert_same(R::look(&message), (*kind, payload));
    }
}

async fn round_trips<E: End>(client: &mut E, messages: &[(Kind, Vec<u8>)]) {
    for (kind, payload) in messages {
        client.send(&E::item(*kind, payload)).await.expect("the server is there");
        client
            .recv(|k, p| assert_same((k, p), (*kind, payload)))
            .await
            .expect("the server answers");
    }
}

fn assert_same(got: (Kind, &[u8]), sent: (Kind, &[u8])) {
    assert_eq!(got.0, sent.0, "the kind of a message of {} bytes", sent.1.len());
    assert!(
        got.1 == sent.1,
        "a message of {} bytes came as {} other bytes",
        sent.1.len(),
        got.1.len()
    );
}
