//! Where strangers' mail comes too, Postfix is spared sending it here.

use crate::daemon::{Daemon, Peer};
use crate::{place_with_key, signatures, unix};

#[test]
fn a_reply_at_data_is_asked_for_once_strangers_have_come() {
    let (place, socket) = place_with_key();
    let _daemon = Daemon::start(&place, &["--listen", &unix(&socket)]);
    let mut peer = Peer::connect(&socket);
    assert!(!peer.is_asked_at_data());
    assert_eq!(signatures(&peer.send("ada@example.com")).len(), 1);

    // Without that reply, a stranger's message goes by whole, and unsigned.
    let stranger = || Peer::of_client(&socket, [192, 0, 2, 1].into());
    assert!(signatures(&stranger().send("ada@example.com")).is_empty());

    let mut next = stranger();
    assert!(next.is_asked_at_data());
    assert!(signatures(&next.send("ada@example.com")).is_empty());
    let mut ours = Peer::connect(&socket);
    assert!(ours.is_asked_at_data());
    assert_eq!(signatures(&ours.send("ada@example.com")).len(), 1);
    // What a connection was told at its beginning holds.
    assert_eq!(signatures(&peer.send("ada@example.com")).len(), 1);

    // Forgotten when nobody but clients of ours has come for a while.
    for _ in 0..64 {
        ours.send("ada@example.com");
    }
    assert!(!Peer::connect(&socket).is_asked_at_data());
}
