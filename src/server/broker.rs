//! The seam where topics leave this machine.

use crate::Message;
use crate::server::hub::Remote;

/// Carries what is published between the machines of a service.
///
/// Without one, which is the default, topics are those of one process. An implementation hands
/// what it is told to its network, and what it hears from there to [`Remote::deliver`]. Delivery
/// between machines is what it makes of it: the server neither waits nor retries.
///
/// # Examples
///
/// ```
/// use tokio::sync::broadcast;
/// use ws_channel::server::{Broker, Publication, Remote, Server, ServerOptions, hooks};
///
/// /// Two servers in one process, as if they were two machines.
/// struct Bus(broadcast::Sender<(usize, Publication)>, usize);
///
/// impl Broker for Bus {
///     fn start(&self, remote: Remote) {
///         let (mut heard, own) = (self.0.subscribe(), self.1);
///         tokio::spawn(async move {
///             while let Ok((from, publication)) = heard.recv().await {
///                 if from != own && !remote.deliver(publication) {
///                     break;
///                 }
///             }
///         });
///     }
///
///     fn publish(&self, publication: Publication) {
///         let _ = self.0.send((self.1, publication));
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let (bus, _) = broadcast::channel(16);
/// let options = |own| ServerOptions::new().broker(Bus(bus.clone(), own));
/// let (a, b) = (Server::with_options(hooks(), options(0)), Server::with_options(hooks(), options(1)));
/// # let _ = (a, b);
/// # }
/// ```
pub trait Broker: Send + Sync + 'static {
    /// The server begins; `remote` is the way to its peers. It does not keep the server alive.
    fn start(&self, remote: Remote);

    /// Something was published here. Called by the publisher, and should not block: what takes
    /// longer belongs into a task.
    fn publish(&self, publication: Publication);
}

/// A message for the peers of a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_structs, reason = "brokers on other machines make them")]
pub struct Publication {
    /// The namespace; `None` is all of them.
    pub namespace: Option<Box<str>>,
    /// The topic.
    pub topic: Box<str>,
    /// The message.
    pub message: Message,
}
