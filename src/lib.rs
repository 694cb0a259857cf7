//! ws_channel
