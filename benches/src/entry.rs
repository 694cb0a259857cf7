//! A contender as the tables see it: its name, and a function for each thing that is measured.

use crate::clock::Cost;
use crate::contender::{Contender, Role};
use crate::form::{Split, Whole};
use crate::workloads::tcp::{self, Traffic};
use crate::workloads::{Load, pingpong, receive, send, stream};
use crate::{check, memory};

/// Measures a number of messages.
pub type Sample = fn(Load, u64) -> Cost;

pub struct Entry {
    pub name: &'static str,
    pub check: fn(),
    pub pingpong: Sample,
    pub up: Sample,
    pub down: Sample,
    pub receive: Sample,
    pub receive_lent: Option<Sample>,
    pub send: Sample,
    pub tcp: fn(Traffic, Load, u64) -> Cost,
    pub tcp_split: fn(Traffic, Load, u64) -> Cost,
    pub memory: fn(Role, usize, usize) -> memory::Use,
}

impl Entry {
    pub const fn of<C: Contender>() -> Self {
        Self {
            name: C::NAME,
            check: check::both_forms::<C>,
            pingpong: pingpong::sample::<Whole<C>>,
            up: stream::up::<Whole<C>>,
            down: stream::down::<Whole<C>>,
            receive: receive::owned::<Whole<C>>,
            receive_lent: if C::LENDS { Some(receive::lent::<Whole<C>>) } else { None },
            send: send::sample::<Whole<C>>,
            tcp: tcp::sample::<Whole<C>>,
            tcp_split: tcp::sample::<Split<C>>,
            memory: memory::measure::<Whole<C>>,
        }
    }
}
