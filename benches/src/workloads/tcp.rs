//! Echo over loopback TCP: clients keep a number of messages in flight, and servers answer, in a
//! runtime of two worker threads. Wall time.
//!
//! Both ends answer in batches where the contender's API allows it: they queue while further
//! messages are there, and flush when there are none.

use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::{Load, warm_up};
use crate::clock::{self, Cost};
use crate::contender::End;
use crate::form::Form;

/// After this a sample has failed.
const LIMIT: Duration = Duration::from_secs(60);

/// How the messages travel.
#[derive(Clone, Copy, Debug)]
pub struct Traffic {
    pub connections: usize,
    pub in_flight: u64,
}

/// Measures `messages` echoed, over all connections together, rounded up to whole windows.
pub fn sample<F: Form>(traffic: Traffic, load: Load, messages: u64) -> Cost {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime can be made");
    let clients = runtime.block_on(async {
        timeout(LIMIT, connect::<F>(traffic)).await.expect("loopback connects")
    });
    let each = messages.div_ceil(traffic.connections as u64).next_multiple_of(traffic.in_flight);
    let clients =
        run(&runtime, clients, load, traffic, warm_up(each).next_multiple_of(traffic.in_flight));
    let mut clients = Some(clients);
    let mut cost = clock::wall(|| {
        clients = Some(run(&runtime, clients.take().expect("put back"), load, traffic, each))
    });
    // What was rounded up is no part of what was asked for.
    let share = messages as f64 / (each * traffic.connections as u64) as f64;
    cost.time *= share;
    cost.cpu *= share;
    runtime.shutdown_timeout(Duration::from_secs(1));
    cost
}

async fn connect<F: Form>(traffic: Traffic) -> Vec<F::Client<TcpStream>> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port is free");
    let address = listener.local_addr().expect("it is bound");
    let mut clients = Vec::new();
    for _ in 0..traffic.connections {
        let (near, far) = tokio::join!(TcpStream::connect(address), listener.accept());
        let near = near.expect("the listener accepts");
        let (far, _) = far.expect("the client connects");
        near.set_nodelay(true).expect("it is connected");
        far.set_nodelay(true).expect("it is connected");
        // Ports would run out if they had to wait after each sample.
        near.set_zero_linger().expect("it is connected");
        let mut server = F::server(far).await;
        tokio::spawn(async move {
            // It ends when the client is gone.
            let _ = server.bounce(u64::MAX).await;
        });
        clients.push(F::client(near).await);
    }
    clients
}

fn run<E: End + 'static>(
    runtime: &Runtime,
    clients: Vec<E>,
    load: Load,
    traffic: Traffic,
    each: u64,
) -> Vec<E> {
    let item = E::item(load.content.kind(), &load.content.make(load.size));
    runtime.block_on(async {
        let mut tasks = JoinSet::new();
        for client in clients {
            tasks.spawn(exchange(client, item.clone(), traffic.in_flight, each));
        }
        timeout(LIMIT, tasks.join_all()).await.expect("the messages come back in time")
    })
}

/// Sends and receives `count` messages, `in_flight` at a time: what comes back is sent again.
async fn exchange<E: End>(mut client: E, item: E::Item, in_flight: u64, count: u64) -> E {
    for _ in 0..in_flight {
        client.feed(&item).await.expect("the server is there");
    }
    client.flush().await.expect("the server is there");
    client.bounce(count - in_flight).await.expect("the server answers");
    for _ in 0..in_flight {
        client.recv(|_, _| ()).await.expect("the server answers");
    }
    client
}
