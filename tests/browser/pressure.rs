//! Peers and programs that are too fast or too slow.

use futures::{FutureExt, SinkExt, StreamExt, stream};
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::WebSocket;
use ws_channel::{CloseCode, Error, Message, WebSocketChannel};

use super::{WAYS, count, flood, open, over_socket, over_stream, received, turn, until};

const MARK: usize = 128 << 10;

#[wasm_bindgen_test]
async fn sending_waits_while_the_page_holds_too_much() {
    const MESSAGE: usize = 64 << 10;
    const MESSAGES: usize = 200_000_000 / MESSAGE;
    for way in WAYS {
        let mut channel = way("/slow").await.unwrap();
        let message = Message::from(vec![1; MESSAGE]);
        let mut most = 0;
        let mut waited = 0;
        for _ in 0..MESSAGES {
            let mut sending = channel.feed(message.clone());
            if (&mut sending).now_or_never().is_none() {
                waited += 1;
                sending.await.unwrap();
            }
            most = most.max(channel.buffered_amount());
        }
        assert!((MARK..2 * MARK).contains(&most), "{most} bytes were buffered");
        assert!(waited > 10, "{waited}");
        channel.send(Message::from("")).await.unwrap();
        assert_eq!(received(&mut channel).await, (MESSAGE * MESSAGES).to_string().as_str());
    }
}

#[wasm_bindgen(inline_js = "
    export function looks(socket) {
        let looks = 0;
        Object.defineProperty(socket, 'bufferedAmount', {get() { looks += 1; return 0; }});
        return () => looks;
    }

    // The socket is full for so many looks in a row, each time that there are some; each reading of the
    // clock takes a time, in ms. Counts timeouts, which need not come, and ports that were opened and
    // are open.
    export function fill(socket, looks, step, come) {
        const {setTimeout} = globalThis;
        const {start, close} = MessagePort.prototype;
        let [wait, time, timeouts, opened, open] = [0, performance.now(), 0, 0, 0];
        performance.now = () => (time += step);
        globalThis.setTimeout = (...given) => { timeouts += 1; return come ? setTimeout(...given) : 0; };
        MessagePort.prototype.start = function () { opened += 1; open += 1; start.call(this); };
        MessagePort.prototype.close = function () { open -= 1; close.call(this); };
        const get = () => looks[wait] > 0 ? (looks[wait] -= 1, 1 << 20) : (wait += 1, 0);
        Object.defineProperty(socket, 'bufferedAmount', {get});
        return () => {
            Object.assign(MessagePort.prototype, {start, close});
            delete performance.now;
            globalThis.setTimeout = setTimeout;
            return Uint32Array.of(timeouts, opened, open);
        };
    }
")]
extern "C" {
    fn looks(socket: &WebSocket) -> js_sys::Function;
    fn fill(socket: &WebSocket, looks: Vec<u32>, step: f64, come: bool) -> js_sys::Function;
}

/// Each look is a call into the page.
#[wasm_bindgen_test]
async fn the_page_is_asked_what_waits_once_a_mark_of_bytes() {
    const MESSAGE: usize = 1 << 10;
    let mut channel = open("/").await;
    let looks = looks(channel.get_ref().expect("it is a WebSocket"));
    let looks = || looks.call0(&JsValue::NULL).unwrap();
    for marks in 1..4 {
        for _ in 0..MARK / MESSAGE {
            channel.send(vec![1; MESSAGE].into()).await.unwrap();
        }
        assert_eq!(looks(), JsValue::from(marks));
    }
}

/// Sends a mark of bytes each time that the page is full for so many looks. How many timeouts that
/// takes, and how many ports; afterwards none of them is left open.
async fn send_to_full(path: &str, looks: &[u32], step: f64, come: bool) -> (u32, u32) {
    let mut channel = open(path).await;
    let socket = channel.get_ref().expect("it is a WebSocket");
    let counts = fill(socket, looks.to_vec(), step, come);
    let sent = looks.iter().map(|_| Ok(vec![1; MARK].into()));
    let sent = channel.send_all(&mut stream::iter(sent)).await;
    drop(channel);
    // Whatever came of it, the page has its own clock again.
    let counts: js_sys::Uint32Array = counts.call0(&JsValue::NULL).unwrap().unchecked_into();
    sent.unwrap();
    assert_eq!(counts.get_index(2), 0, "ports are left");
    (counts.get_index(0), counts.get_index(1))
}

/// Browsers lengthen timeouts to times in which megabytes go out.
#[wasm_bindgen_test]
async fn after_a_wait_of_one_timeout_a_short_one_takes_none() {
    assert_eq!(send_to_full("/slow", &[1, 50], 0.0, true).await, (1, 1));
}

/// Whoever looked on in each task would take a whole core as long as the peer reads nothing.
#[wasm_bindgen_test]
async fn a_long_wait_for_room_takes_timeouts() {
    let (timeouts, _) = send_to_full("/slow", &[1, 50], 0.1, true).await;
    assert!(timeouts > 1, "{timeouts}");
}

/// Where answers come, the peer has read what they answer, and the page need not be asked all the time.
#[wasm_bindgen_test]
async fn a_message_that_comes_ends_a_wait_for_room() {
    let (_, ports) = send_to_full("/", &[0, 1, 1, 1], 0.0, false).await;
    assert_eq!(ports, 0);
}

#[wasm_bindgen_test]
async fn a_stream_that_is_not_read_holds_the_peer_back_and_loses_nothing() {
    const MESSAGES: u32 = 2_000;
    let mut channel = over_stream(&format!("/flood?{MESSAGES}")).await.unwrap();
    let mut before = 0;
    until(async || {
        turn(200).await;
        let now = count("/flooded").await;
        std::mem::replace(&mut before, now) == now && now > 0
    })
    .await;
    assert!(before < MESSAGES / 2, "{before} messages were taken");

    for number in 0..MESSAGES {
        let message = received(&mut channel).await;
        assert_eq!(message.as_bytes()[..4], number.to_be_bytes());
    }
    assert_eq!(count("/flooded").await, MESSAGES);
}

/// The page is asked for messages one by one, so a stream has no overflow: neither of many small ones
/// nor of a large one behind one that waits.
#[wasm_bindgen_test]
async fn a_stream_of_the_page_does_not_overflow() {
    let mut channel = over_stream("/").receive_buffer_size(1 << 10).await.unwrap();
    let sizes = [1, 1, 100_000].into_iter().chain([100; 50]);
    for size in sizes.clone() {
        channel.send(vec![1; size].into()).await.unwrap();
    }
    for size in sizes {
        assert_eq!(received(&mut channel).await.len(), size);
        turn(5).await;
    }
}

#[wasm_bindgen_test]
async fn a_queue_that_overflows_ends_the_channel_with_what_came_before() {
    let mut channel =
        over_socket("/flood?2000").receive_buffer_size(1 << 20).overflow_code(4321).await.unwrap();
    until(async || channel.close_event().is_some()).await;
    let (number, error) = flood(&mut channel).await;
    assert!(matches!(error, Error::ReceiveOverflow { .. }), "{error:?}");
    assert_eq!(number, 15, "1 MiB less 64 bytes a message");
    let event = channel.close_event().expect("it is over");
    assert_eq!(
        (event.code, event.was_clean),
        (CloseCode::new(4321), true),
        "the server has seen it"
    );
    assert!(channel.next().await.is_none());
}
