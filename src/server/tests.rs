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

/// Fear of what the one that panicked has left behind must not reach another.
#[tokio::test]
async fn a_panic_in_one_connection_leaves_the_others_served() {
    use crate::milter::mta::Offer;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    let keys = tempfile::tempdir().unwrap();
    let config = Config {
        keys: keys.path().to_owned(),
        ..Config::default()
    };
    let shared = Arc::new(Shared::new(Snapshot::load(config).unwrap()));
    let address: ListenAddress = "inet:127.0.0.1:0".parse().unwrap();
    let bound = bind(&Listener::from(address)).unwrap();
    let ListenAddress::Inet { host, port } = bound.address() else {
        panic!();
    };
    let server = Server::new(shared.clone(), vec![bound]).unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let serving = tokio::spawn(server.serve(async {
        let _ = stopped.await;
    }));
    let mut offer = bytes::BytesMut::new();
    Offer::postfix(6).encode(&mut offer);
    // Says something, and waits for the answer.
    let ask = async |client: &mut tokio::net::TcpStream, bytes: &[u8]| {
        client.write_all(bytes).await.unwrap();
        let length = client.read_u32().await.unwrap();
        client
            .read_exact(&mut vec![0; length as usize])
            .await
            .unwrap();
    };
    let mut before = tokio::net::TcpStream::connect((host.as_str(), port))
        .await
        .unwrap();
    ask(&mut before, &offer).await;

    let held = Held {
        open: Open::new(shared.clone()),
        _place: Places::new(1).take().await.unwrap(),
        _peer: None,
    };
    let fault = tokio::spawn(held.during(async |shared| {
        let _waiting = shared.backlog().join(1).unwrap();
        let _failure = shared.last_failure();
        panic!("a fault, with locks held");
    }));
    assert!(fault.await.unwrap_err().is_panic());

    let message = b"\0\0\0\x13M<ada@example.com>\0\0\0\0\x01T\0\0\0\x01N\0\0\0\x01E";
    ask(&mut before, message).await;
    let mut after = tokio::net::TcpStream::connect((host, port)).await.unwrap();
    ask(&mut after, &offer).await;
    ask(&mut after, message).await;
    assert!(shared.reload_failure().is_none());
    assert!(shared.backlog().join(1).is_some());
    drop((before, after));
    stop.send(()).unwrap();
    serving.await.unwrap();
    assert_eq!(shared.metrics().connections.broken_by(Breach::Panic), 1);
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
