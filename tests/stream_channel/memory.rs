//! What an item costs: no allocation, in `duplex` and in each combinator.

#![allow(unsafe_code, reason = "an allocator is unsafe by its trait")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use futures::{SinkExt, StreamExt};
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;
use ws_channel::stream_channel::{
    Closed, Completer, Deferred, Disconnector, Duplex, Frame, MultiChannel, SinkHalf, StreamHalf,
    duplex, join,
};
use ws_channel::{StreamChannel, StreamChannelExt};

use crate::support::run;

/// Counts a thread's allocations: each test has a thread of its own.
struct Counting;

thread_local! {
    static CALLS: Cell<usize> = const { Cell::new(0) };
    static LIVE: Cell<isize> = const { Cell::new(0) };
}

fn count(before: usize, after: usize) {
    let signed = |bytes| isize::try_from(bytes).unwrap_or(isize::MAX);
    LIVE.set(LIVE.get() + signed(after) - signed(before));
    if after > before {
        CALLS.set(CALLS.get() + 1);
    }
}

/// The bytes that a test holds.
pub(crate) fn live() -> isize {
    LIVE.get()
}

// SAFETY: everything is handed to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(0, layout.size());
        // SAFETY: as promised by the caller.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(layout.size(), 0);
        // SAFETY: as promised by the caller.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(layout.size(), size);
        // SAFETY: as promised by the caller.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// How many allocations there are in `work`, which did something like it once before.
pub(crate) fn allocations(mut work: impl FnMut()) -> usize {
    work();
    let before = CALLS.get();
    work();
    CALLS.get() - before
}

/// Sends a hundred items there and back, four at a time, with a reader that waits before each.
fn echo(
    channel: &mut (impl StreamChannel<u64, Error = Closed> + Unpin),
    far: &mut (impl StreamChannel<u64, Error = Closed> + Unpin),
) {
    run(async {
        for n in 0..25 {
            for k in 0..4 {
                channel.feed(4 * n + k).await.unwrap();
            }
            channel.flush().await.unwrap();
            for _ in 0..4 {
                let item = far.next().await.unwrap().unwrap();
                far.send(item).await.unwrap();
            }
            for k in 0..4 {
                assert_eq!(channel.next().await, Some(Ok(4 * n + k)));
            }
        }
    });
}

/// Counts what a hundred items cost through a channel that `make` makes of one end.
macro_rules! costs_nothing {
    ($($name:ident: $make:expr;)+) => {$(
        #[test]
        fn $name() {
            let (near, mut far) = duplex::<u64>(8);
            let make = $make;
            let mut channel = make(near);
            let runner = allocations(|| run(async {}));
            assert_eq!(allocations(|| echo(&mut channel, &mut far)) - runner, 0);
        }
    )+};
}

type End = Duplex<u64>;

costs_nothing! {
    an_item_of_duplex_costs_no_allocation: |near: End| near;
    an_item_through_guarantees_costs_no_allocation: |near: End| near.with_guarantees();
    an_item_through_the_close_guarantee_costs_no_allocation: |near: End| near.with_close_guarantee();
    an_item_through_a_mapping_costs_no_allocation:
        |near: End| near.map_channel(|n| n + 1, |n: u64| n - 1).map_channel(|n| n - 1, |n: u64| n + 1);
    an_item_through_a_fallible_mapping_costs_no_allocation:
        |near: End| near.try_map_channel(Ok::<_, Closed>, Ok);
    an_item_through_halves_costs_no_allocation: |near: End| {
        let (sink, stream) = near.into_halves();
        join(stream, sink)
    };
    an_item_through_a_changed_stream_costs_no_allocation:
        |near: End| near.change_stream(|stream| stream.map(|item| item));
    an_item_through_a_changed_sink_costs_no_allocation:
        |near: End| near.change_sink(|sink| sink.with(|n: u64| std::future::ready(Ok(n))));
    an_item_through_a_transformer_costs_no_allocation: |near: End| near
        .transform(&|channel: End| channel.map_channel(|n| n, |n: u64| n))
        .transform_stream(&|stream: StreamHalf<_>| stream)
        .transform_sink(&|sink: SinkHalf<_>| sink);
    an_item_through_a_deferred_channel_costs_no_allocation:
        |near: End| Deferred::new(std::future::ready(Ok(near)), 4);
    an_item_through_a_completed_channel_costs_no_allocation: |near: End| {
        let (completer, channel) = Completer::new(4);
        completer.complete(near);
        channel
    };
    an_item_through_a_disconnectable_channel_costs_no_allocation:
        |near: End| near.transform(&Disconnector::new());
    an_item_through_a_boxed_channel_costs_no_allocation: |near: End| near.boxed_channel();
    an_item_through_a_local_boxed_channel_costs_no_allocation: |near: End| near.local_boxed_channel();
}

#[test]
fn an_item_through_a_pipe_costs_no_allocation() {
    let ((mut near, one), (other, mut far)) = (duplex::<u64>(8), duplex::<u64>(8));
    let mut pipe = Box::pin(one.pipe(other));
    let round = || {
        run(async {
            let talk = async {
                for n in 0..100 {
                    near.send(n).await.unwrap();
                    let item = far.next().await.unwrap().unwrap();
                    far.send(item).await.unwrap();
                    assert_eq!(near.next().await, Some(Ok(n)));
                }
            };
            let talk = std::pin::pin!(talk);
            futures::future::select(talk, &mut pipe).await;
        });
    };
    let runner = allocations(|| run(async {}));
    assert_eq!(allocations(round) - runner, 0);
}

#[test]
fn an_item_of_a_virtual_channel_costs_no_allocation() {
    let (near, far) = duplex::<Frame<u64>>(8);
    let (mut near, mut far) = (MultiChannel::new(near), MultiChannel::new(far));
    let runner = allocations(|| run(async {}));
    assert_eq!(allocations(|| echo(&mut near, &mut far)) - runner, 0);
    for _ in 0..10 {
        let mut opened = near.open();
        let mut attached = far.attach(opened.id()).unwrap();
        assert_eq!(allocations(|| echo(&mut opened, &mut attached)) - runner, 0);
    }
}

#[test]
fn an_allocation_is_counted() {
    assert_eq!(allocations(|| drop(std::hint::black_box(Box::new(1)))), 1);
}
