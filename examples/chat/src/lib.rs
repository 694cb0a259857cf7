//! A chat on `ws_channel`: rooms in a browser and in a terminal, logged in SQL.
//!
//! - [`protocol`] is what goes over the wire, and [`names`] what rooms and people may be called.
//! - [`server`] puts it together: the [`web`] side serves the page, the [`hooks`] answer requests,
//!   with the [`roster`] of who is where and a [`pace`] for each connection.
//! - The [`writer`] logs messages in the [`log`], and only then publishes them.
//! - [`client`] keeps its place in a room over lost connections; the [`terminal`] is a face for it.

pub mod client;
pub mod config;
pub mod follower;
pub mod hooks;
pub mod log;
pub mod names;
pub mod pace;
pub mod protocol;
pub mod roster;
pub mod server;
pub mod terminal;
pub mod web;
pub mod writer;
