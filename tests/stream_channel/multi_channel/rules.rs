//! The rules of every channel, for the default one and for a virtual one; and what the channel below does.

use std::io;
use std::task::Poll;

use futures::{FutureExt, SinkExt, StreamExt, stream};
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;
use ws_channel::stream_channel::{Closed, Duplex, Frame, MultiChannel, join};
use ws_channel::{StreamChannel, StreamChannelExt};

use super::{Multi, Virtual, pair, twins};
use crate::support::{Silent, is_closed, now, run};

macro_rules! rules {
    ($module:ident, $ends:expr) => {
        mod $module {
            #[cfg(target_family = "wasm")]
            use wasm_bindgen_test::wasm_bindgen_test as test;

            use super::*;

            fn ends() -> (impl Channel, impl Channel, impl Sized) {
                $ends(pair())
            }

            #[test]
            fn closing_the_sink_ends_the_stream_before_it_yields_more() {
                let (mut one, mut other, _rest) = ends();
                run(async {
                    other.send(1).await.unwrap();
                    other.send(2).await.unwrap();
                    assert_eq!(one.next().await, Some(Ok(1)));
                    one.close().await.unwrap();
                    assert_eq!(one.next().await, None);
                });
            }

            #[test]
            fn after_the_stream_ended_a_send_is_an_error_and_reaches_nobody() {
                let (mut one, mut other, _rest) = ends();
                run(async {
                    other.close().await.unwrap();
                    assert_eq!(one.next().await, None);
                    assert_eq!(one.send(1).await, Err(Closed::Ended));
                    assert_eq!(other.next().await, None);
                    one.close().await.unwrap();
                });
            }

            #[test]
            fn dropping_the_reading_half_has_no_effect_on_the_sink() {
                let (one, mut other, _rest) = ends();
                let (mut sink, stream) = one.into_halves();
                drop(stream);
                run(async {
                    for n in 0..5 {
                        sink.send(n).await.unwrap();
                        assert_eq!(other.next().await, Some(Ok(n)));
                    }
                });
            }

            #[test]
            fn a_sender_notices_the_end_though_nobody_reads() {
                let (one, mut other, _rest) = ends();
                let (mut sink, stream) = one.into_halves();
                drop(stream);
                run(async {
                    other.send(1).await.unwrap();
                    other.close().await.unwrap();
                    assert_eq!(sink.send(2).await, Err(Closed::Ended));
                    sink.close().await.unwrap();
                });
            }
        }
    };
}

trait Channel: StreamChannel<u32, Error = Closed> + StreamChannelExt<u32> + Unpin {}
impl<C: StreamChannel<u32, Error = Closed> + Unpin> Channel for C {}

rules!(of_the_main_stream, |(near, far): (Multi, Multi)| {
    let rest: (Virtual, Virtual) = twins(&near, &far);
    (near, far, rest)
});
rules!(of_a_virtual_channel, |(near, far): (Multi, Multi)| {
    let (one, other) = twins(&near, &far);
    (one, other, (near, far))
});

#[test]
fn when_the_one_below_ends_all_do_after_what_was_received() {
    let (near, mut far) = pair();
    let (mut one, mut other) = twins(&near, &far);
    let mut unattached = far.attach(5).unwrap();
    run(one.send(1)).unwrap();
    drop((near, one));
    assert_eq!(now(&mut far), Poll::Ready(None));
    assert_eq!(now(&mut other), Poll::Ready(Some(Ok(1))));
    assert_eq!(now(&mut other), Poll::Ready(None));
    assert_eq!(now(&mut unattached), Poll::Ready(None));
    run(async {
        assert_eq!(other.send(2).await, Err(Closed::Ended));
        other.close().await.unwrap();
        far.close().await.unwrap();
    });
}

#[test]
fn a_message_that_the_end_left_behind_is_an_error_of_its_sender_alone() {
    // It takes nothing, and ends.
    let below = join(stream::empty::<io::Result<Frame<u8>>>(), Silent::default());
    let mut main = MultiChannel::new(below);
    let (mut one, mut other) = (main.open(), main.open());
    one.start_send_unpin(1).unwrap();
    assert!(one.flush().now_or_never().is_none());
    assert!(matches!(now(&mut main), Poll::Ready(None)));
    assert!(run(other.flush()).is_ok());
    assert!(is_closed(&run(one.flush())));
    assert!(run(one.flush()).is_ok(), "once");
}

#[test]
fn when_the_one_below_has_ended_a_new_channel_has_too() {
    let (near, mut far) = pair();
    drop(near);
    assert_eq!(now(&mut far), Poll::Ready(None));
    for mut channel in [far.open(), far.attach(1).unwrap()] {
        run(async {
            assert_eq!(channel.next().await, None);
            assert_eq!(channel.send(1).await, Err(Closed::Ended));
            channel.close().await.unwrap();
        });
    }
}

type Failing = MultiChannel<Duplex<Frame<u8>, io::Error>, u8>;

fn failing() -> (Failing, Duplex<Frame<u8>, io::Error>) {
    let (near, far) = Duplex::pair(8);
    (MultiChannel::new(near), far)
}

#[test]
fn an_error_of_the_one_below_is_told_by_the_default_channel_alone() {
    let (mut near, mut far) = failing();
    let mut one = near.open();
    far.send_error(io::Error::other("bad frame")).unwrap();
    run(far.send(Frame::Message { id: 2, message: 1 })).unwrap();
    assert!(matches!(now(&mut one), Poll::Ready(Some(Ok(1)))));
    assert!(matches!(now(&mut near), Poll::Ready(Some(Err(_)))));
    assert!(now(&mut near).is_pending(), "it goes on");
}

#[test]
fn an_error_of_the_one_below_is_told_by_another_when_the_default_channel_is_closed() {
    let (near, mut far) = failing();
    let mut one = near.open();
    drop(near);
    far.send_error(io::Error::other("bad frame")).unwrap();
    assert!(matches!(now(&mut one), Poll::Ready(Some(Err(_)))));
}

#[test]
fn an_item_that_the_one_below_refuses_is_an_error_of_its_sender_and_no_other() {
    let (near, _far) = failing();
    let refusing = near_refusing(13);
    let mut main = MultiChannel::<_, u8>::new(refusing);
    let mut one = main.open();
    run(async {
        assert_eq!(one.send(13).await.unwrap_err().to_string(), "refused");
        main.send(1).await.unwrap();
        one.send(2).await.unwrap();
    });
    drop(near);
}

/// A channel whose sink refuses one message, and goes on.
fn near_refusing(unlucky: u8) -> impl StreamChannel<Frame<u8>, Error = io::Error> + Unpin {
    let (near, far) = Duplex::<Frame<u8>, io::Error>::pair(8);
    // Its other end lives as long as the test.
    Box::leak(Box::new(far));
    near.try_map_channel(Ok::<_, io::Error>, move |frame: Frame<u8>| match frame {
        Frame::Message { message, .. } if message == unlucky => Err(io::Error::other("refused")),
        frame => Ok(frame),
    })
}

#[test]
fn when_the_sink_below_fails_whoever_finds_it_is_told_and_the_others_can_send_no_more() {
    let (mut near, far) = failing();
    let mut one = near.open();
    drop(far);
    let told = run(near.send(1)).unwrap_err();
    assert_eq!(told.kind(), io::ErrorKind::BrokenPipe);
    assert!(is_closed(&run(one.send(2))));
    assert!(matches!(now(&mut one), Poll::Ready(None)));
    run(one.close()).unwrap();
}
