//! `MultiChannel`: two of them over a connected pair, or one with the wire in the test's hand.

#[cfg(feature = "json")]
mod json;
mod limits;
mod model;
mod rules;
mod tasks;
mod wire;

use std::task::Poll;

use futures::{SinkExt, StreamExt};
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;
use ws_channel::stream_channel::{
    Closed, Duplex, Frame, InvalidId, MultiChannel, VirtualChannel, duplex,
};

use crate::support::{Tasks, now, run};

type Wire = Duplex<Frame<u32>>;
type Multi = MultiChannel<Wire, u32>;
type Virtual = VirtualChannel<Wire, u32>;

fn pair() -> (Multi, Multi) {
    let (near, far) = duplex(64);
    (MultiChannel::new(near), MultiChannel::new(far))
}

/// A channel opened at the first end, and what the second attached to it.
fn twins(near: &Multi, far: &Multi) -> (Virtual, Virtual) {
    let opened = near.open();
    let attached = far.attach(opened.id()).unwrap();
    (opened, attached)
}

mod default_channel {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn it_is_connected_from_the_start() {
        let (mut near, mut far) = pair();
        run(async {
            near.send(1).await.unwrap();
            near.send(2).await.unwrap();
            assert_eq!(far.next().await, Some(Ok(1)));
            far.send(3).await.unwrap();
            assert_eq!(near.next().await, Some(Ok(3)));
            assert_eq!(far.next().await, Some(Ok(2)));
        });
    }

    #[test]
    fn closing_it_ends_the_peers() {
        let (mut near, mut far) = pair();
        run(async {
            near.send(1).await.unwrap();
            near.close().await.unwrap();
            assert_eq!(far.next().await, Some(Ok(1)));
            assert_eq!(far.next().await, None);
        });
    }

    #[test]
    fn closing_it_ends_its_own_stream() {
        let (mut near, mut far) = pair();
        run(async {
            far.send(1).await.unwrap();
            near.close().await.unwrap();
            assert_eq!(near.next().await, None);
        });
    }

    #[test]
    fn dropping_its_reading_half_does_not_close_it() {
        super::dropping_the_reading_half_does_not_close(|near, _| near, |_, far| far);
    }

    #[test]
    fn closing_the_only_channel_closes_the_one_below() {
        let (near, mut far) = duplex::<Frame<u32>>(8);
        let mut near = MultiChannel::new(near);
        run(near.close()).unwrap();
        assert_eq!(now(&mut far), Poll::Ready(Some(Ok(Frame::Close { id: 0 }))));
        assert_eq!(now(&mut far), Poll::Ready(None));
    }

    #[test]
    fn closing_it_does_not_close_the_one_below_while_another_lives() {
        let (mut near, mut far) = pair();
        let (mut one, mut other) = twins(&near, &far);
        run(async {
            near.close().await.unwrap();
            assert_eq!(far.next().await, None);
            one.send(1).await.unwrap();
            assert_eq!(other.next().await, Some(Ok(1)));
        });
    }
}

/// For channels of any kind, opened before the halves are made.
fn dropping_the_reading_half_does_not_close<A, B>(
    sender: impl FnOnce(Multi, Virtual) -> A,
    receiver: impl FnOnce(Virtual, Multi) -> B,
) where
    A: ws_channel::StreamChannel<u32, Error = Closed> + 'static,
    B: ws_channel::StreamChannel<u32, Error = Closed> + Unpin + 'static,
{
    use ws_channel::StreamChannelExt;

    let (near, far) = pair();
    let (one, other) = twins(&near, &far);
    let (mut sink, stream) = sender(near, one).into_halves();
    let mut receiver = receiver(other, far);
    drop(stream);
    run(async {
        for n in 0..5 {
            sink.send(n).await.unwrap();
            assert_eq!(receiver.next().await, Some(Ok(n)));
            receiver.send(n).await.unwrap();
        }
    });
}

/// The tests that are the same whichever end opened the channel.
macro_rules! virtual_channel {
    ($module:ident, $pair:expr) => {
        mod $module {
            #[cfg(target_family = "wasm")]
            use wasm_bindgen_test::wasm_bindgen_test as test;

            use super::*;

            /// Both ends, and what they are of; the first is the one that is tested.
            fn connected() -> (Virtual, Virtual, Multi, Multi) {
                let (near, far) = pair();
                let (one, other) = $pair(&near, &far);
                (one, other, near, far)
            }

            #[test]
            fn its_messages_reach_its_twin_alone() {
                let (mut one, mut other, mut near, mut far) = connected();
                let mut others: Vec<_> = (0..10).map(|_| twins(&near, &far)).collect();
                run(async {
                    one.send(1).await.unwrap();
                    assert_eq!(other.next().await, Some(Ok(1)));
                    other.send(2).await.unwrap();
                    assert_eq!(one.next().await, Some(Ok(2)));
                });
                assert!(now(&mut near).is_pending() && now(&mut far).is_pending());
                for (one, other) in &mut others {
                    assert!(now(one).is_pending() && now(other).is_pending());
                }
            }

            #[test]
            fn closing_it_ends_the_peers() {
                let (mut one, mut other, ..) = connected();
                let mut tasks = Tasks::default();
                tasks.spawn(async move { one.close().await.unwrap() });
                tasks.spawn(async move { assert_eq!(other.next().await, None) });
                tasks.run();
            }

            #[test]
            fn closing_it_ends_its_own_stream() {
                let (mut one, mut other, ..) = connected();
                run(other.send(1)).unwrap();
                run(one.close()).unwrap();
                assert_eq!(now(&mut one), Poll::Ready(None));
                assert_eq!(run(one.send(2)), Err(Closed::Ended));
            }

            #[test]
            fn dropping_it_ends_the_peers() {
                let (mut one, mut other, _near, _far) = connected();
                run(one.send(1)).unwrap();
                drop(one);
                assert_eq!(now(&mut other), Poll::Ready(Some(Ok(1))));
                assert_eq!(now(&mut other), Poll::Ready(None));
                assert_eq!(run(other.send(2)), Err(Closed::Ended));
            }

            #[test]
            fn dropping_its_reading_half_does_not_close_it() {
                use ws_channel::StreamChannelExt;

                let (one, mut other, _near, _far) = connected();
                let (mut sink, stream) = one.into_halves();
                drop(stream);
                run(async {
                    for n in 0..5 {
                        sink.send(n).await.unwrap();
                        assert_eq!(other.next().await, Some(Ok(n)));
                        other.send(n).await.unwrap();
                    }
                });
            }

            #[test]
            fn closing_the_last_one_closes_the_one_below() {
                let (mut one, _other, mut near, mut far) = connected();
                run(async {
                    near.close().await.unwrap();
                    one.close().await.unwrap();
                    assert_eq!(far.next().await, None);
                });
                assert_eq!(run(far.open().next()), None, "the channel below is over");
            }

            #[test]
            fn closing_it_does_not_close_the_one_below_while_another_lives() {
                let (mut one, _other, mut near, mut far) = connected();
                run(async {
                    one.close().await.unwrap();
                    near.send(1).await.unwrap();
                    assert_eq!(far.next().await, Some(Ok(1)));
                });
            }
        }
    };
}

virtual_channel!(locally_created, twins);
virtual_channel!(remotely_created, |near: &Multi, far: &Multi| {
    let (opened, attached) = twins(far, near);
    (attached, opened)
});

#[test]
fn channels_that_both_ends_opened_do_not_mix_though_their_ids_are_the_same() {
    let (near, far) = pair();
    let ((mut one, mut other), (mut back, mut forth)) = (twins(&near, &far), twins(&far, &near));
    assert_eq!((one.id(), back.id()), (1, 1));
    run(async {
        one.send(1).await.unwrap();
        back.send(2).await.unwrap();
        assert_eq!(other.next().await, Some(Ok(1)));
        assert_eq!(forth.next().await, Some(Ok(2)));
        other.send(3).await.unwrap();
        forth.send(4).await.unwrap();
        assert_eq!(one.next().await, Some(Ok(3)));
        assert_eq!(back.next().await, Some(Ok(4)));
    });
}

#[test]
fn an_id_is_attached_to_once() {
    let (near, far) = pair();
    let (one, other) = twins(&near, &far);
    let again = |id| far.attach(id).map(drop).map_err(|invalid: InvalidId| invalid.id());
    assert_eq!(again(one.id()), Err(1));
    assert_eq!(again(0), Err(0), "the default channel is there already");
    assert_eq!(again(2), Err(2), "the peer gives out no even ids");
    assert_eq!(again(u64::MAX), Err(u64::MAX));
    drop(other);
    assert_eq!(again(one.id()), Err(1), "and not after it is over");
    assert_eq!(again(3), Ok(()), "what the peer has yet to open can be attached to");
}

#[test]
fn what_came_before_it_was_attached_to_is_received() {
    let (near, mut far) = pair();
    let mut one = near.open();
    run(async {
        one.send(1).await.unwrap();
        one.send(2).await.unwrap();
    });
    assert!(now(&mut far).is_pending());
    let mut other = far.attach(one.id()).unwrap();
    assert_eq!(now(&mut other), Poll::Ready(Some(Ok(1))));
    run(one.send(3)).unwrap();
    assert_eq!(now(&mut other), Poll::Ready(Some(Ok(2))));
    assert_eq!(now(&mut other), Poll::Ready(Some(Ok(3))));
}

#[test]
fn an_end_that_came_before_it_was_attached_to_is_received() {
    let (near, mut far) = pair();
    let mut one = near.open();
    let id = one.id();
    run(async {
        one.send(1).await.unwrap();
        one.close().await.unwrap();
    });
    assert!(now(&mut far).is_pending());
    let mut other = far.attach(id).unwrap();
    assert_eq!(now(&mut other), Poll::Ready(Some(Ok(1))));
    assert_eq!(now(&mut other), Poll::Ready(None));
    assert_eq!(run(other.send(2)), Err(Closed::Ended));
}
