//! What a fault of our own does to others.

use super::*;
use crate::config::{Config, ListenAddress, Listener};
use crate::snapshot::Snapshot;

#[tokio::test]
async fn a_panic_in_one_connection_is_counted_and_frees_its_places() {
    let keys = tempfile::tempdir().unwrap();
    let config = Config {
        keys: keys.path().to_owned(),
        ..Config::default()
    };
    let shared = Arc::new(Shared::new(Snapshot::load(config).unwrap()));
    let places = Places::new(1);
    let held = Held {
        open: Open::new(shared.clone()),
        _place: places.take().await.unwrap(),
        _peer: places.take_for([192, 0, 2, 1].into(), 1),
    };
    let task = tokio::spawn(held.during(async |_| panic!("a fault")));
    assert!(task.await.unwrap_err().is_panic());

    let connections = &shared.metrics().connections;
    assert_eq!(connections.broken_by(Breach::Panic), 1);
    assert_eq!((connections.accepted.get(), connections.open()), (1, 0));
    assert!(places.empty(Duration::from_secs(30)).await);
    assert!(places.take_for([192, 0, 2, 1].into(), 1).is_some());
}

/// A machine that vanished without a word is found out by the system.
#[tokio::test]
async fn a_tcp_connection_is_probed() {
    let address: ListenAddress = "inet:127.0.0.1:0".parse().unwrap();
    let listener = bind(&Listener::from(address)).unwrap();
    let ListenAddress::Inet { host, port } = listener.address() else {
        panic!();
    };
    let listener = listener.listen().unwrap();
    let client = tokio::net::TcpStream::connect((host, port));
    let (client, accepted) = tokio::join!(client, listener.accept());
    let (listener::Stream::Tcp(stream), Some(peer)) = accepted.unwrap() else {
        panic!();
    };
    let socket = socket2::SockRef::from(&stream);
    assert!(socket.keepalive().unwrap());
    assert!(socket.tcp_keepalive_time().unwrap() <= Duration::from_secs(300));
    assert_eq!(peer, client.unwrap().local_addr().unwrap().ip());
}
