//! A listener with one connection.

use std::future::pending;

use tokio::io::DuplexStream;

pub struct One(pub Option<DuplexStream>);

impl One {
    /// The connection, and then nothing more.
    pub async fn next(&mut self) -> DuplexStream {
        match self.0.take() {
            Some(io) => io,
            None => pending().await,
        }
    }
}

#[cfg(feature = "axum")]
impl axum::serve::Listener for One {
    type Io = DuplexStream;
    type Addr = ();

    async fn accept(&mut self) -> (DuplexStream, ()) {
        (self.next().await, ())
    }

    fn local_addr(&self) -> std::io::Result<()> {
        Ok(())
    }
}
