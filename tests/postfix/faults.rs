//! The milter is killed, frozen, and shouted at: mail waits for it, none is lost, none leaves unsigned.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::client::{Client, stuffed};
use crate::instance::{Instance, Setup};
use crate::milter::Milter;
use crate::relay::Relay;
use crate::stand::{SENDER, Stand, message, recipient};
use crate::traffic::Traffic;

/// A stand whose milter sits behind a relay.
struct Relayed {
    stand: Stand,
    relay: Relay,
}

impl Relayed {
    fn start(main_cf: &[&str]) -> Option<Self> {
        let setup = Setup {
            main_cf: main_cf.iter().map(|line| (*line).to_owned()).collect(),
            ..Setup::default()
        };
        let stand = Stand::listening(&setup, |postfix| format!("unix:{}", own(postfix).display()))?;
        let place = stand.postfix.queue().join("signet/signet.sock");
        let relay = Relay::start(&place, own(&stand.postfix));
        Some(Self { stand, relay })
    }

    /// Sends a message; the code of the last answer.
    fn send(&self, client: &mut Client, recipient: &str, sent: &[u8]) -> u16 {
        for (line, good) in [
            (format!("MAIL FROM:{SENDER}"), 250),
            (format!("RCPT TO:<{recipient}>"), 250),
            ("DATA".to_owned(), 354),
        ] {
            let code = client.command(&line).code;
            if code != good {
                return code;
            }
        }
        client.write(&stuffed(sent));
        client.reply().code
    }

    fn restart(&mut self) {
        self.stand.milter.kill();
        let listener = format!("unix:{}", own(&self.stand.postfix).display());
        self.stand.milter = Milter::start(&self.stand.keys, &[listener], "");
    }

    /// Sends a message that was deferred once more: it arrives signed, and nothing came of the first try.
    fn assert_second_try_is_signed(&self, recipient: &str, sent: &[u8]) {
        let mut client = self.connect();
        assert_eq!(self.send(&mut client, recipient, sent), 250);
        client.quit();
        let sink = &self.stand.postfix.sink;
        self.stand.assert_signed(&sink.wait_for(recipient), sent);
        assert_eq!(sink.count_for(recipient), 1);
    }

    fn connect(&self) -> Client {
        Client::connect(self.stand.postfix.service("signed"))
    }
}

/// The milter's own socket.
fn own(postfix: &Instance) -> PathBuf {
    postfix.queue().join("signet/own.sock")
}

/// Long enough for many packets.
fn large() -> Vec<u8> {
    message(&"a line of a body that takes several packets\r\n".repeat(10_000))
}

#[test]
fn killed_at_any_point_of_a_message_it_costs_a_retry() {
    let Some(mut relayed) = Relayed::start(&[]) else {
        return;
    };
    let sent = large();
    // In the header section, in the body, and at the end of the message.
    for (command, pass) in [(b'L', 3), (b'B', 2), (b'E', 0)] {
        let recipient = recipient();
        let process = relayed.stand.milter.handle();
        relayed
            .relay
            .strike_at(command, pass, move || process.kill());
        let mut client = relayed.connect();
        let code = relayed.send(&mut client, &recipient, &sent);
        assert!(relayed.relay.has_struck());
        assert_eq!(code, 451, "killed at {}", command as char);
        drop(client);

        relayed.restart();
        relayed.assert_second_try_is_signed(&recipient, &sent);
    }
}

#[test]
fn killed_between_two_messages_of_a_session_it_costs_the_second_a_retry() {
    let Some(mut relayed) = Relayed::start(&[]) else {
        return;
    };
    let (first, second, sent) = (recipient(), recipient(), message("hello\r\n"));
    let mut client = relayed.connect();
    assert_eq!(relayed.send(&mut client, &first, &sent), 250);
    let arrived = relayed.stand.postfix.sink.wait_for(&first);
    relayed.stand.assert_signed(&arrived, &sent);
    relayed.stand.milter.kill();
    assert_eq!(relayed.send(&mut client, &second, &sent), 451);
    drop(client);

    relayed.restart();
    relayed.assert_second_try_is_signed(&second, &sent);
    assert_eq!(relayed.stand.postfix.sink.count_for(&first), 1);
}

#[test]
fn frozen_beyond_postfix_s_patience_it_costs_a_retry() {
    let patience = [
        "milter_connect_timeout = 2s",
        "milter_command_timeout = 2s",
        "milter_content_timeout = 2s",
    ];
    let Some(relayed) = Relayed::start(&patience) else {
        return;
    };
    let sent = large();
    // When it is asked first, and in the midst of a body.
    for (command, pass) in [(b'O', 0), (b'B', 2)] {
        let recipient = recipient();
        let process = relayed.stand.milter.handle();
        relayed
            .relay
            .strike_at(command, pass, move || process.freeze());
        let mut client = relayed.connect();
        assert_eq!(relayed.send(&mut client, &recipient, &sent), 451);
        assert!(relayed.relay.has_struck());
        drop(client);

        relayed.stand.milter.handle().thaw();
        relayed.assert_second_try_is_signed(&recipient, &sent);
    }
}

#[test]
fn garbage_on_its_socket_disturbs_no_mail() {
    let Some(stand) = Stand::start(&Setup::default()) else {
        return;
    };
    let socket = stand.postfix.queue().join("signet/signet.sock");
    let traffic = Traffic::start(stand.postfix.service("signed"), 2);
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for kind in 0..3_u8 {
            let (socket, stop) = (&socket, &stop);
            scope.spawn(move || {
                let mut letter = 0_u8;
                while !stop.load(Ordering::Relaxed) {
                    let mut stream = UnixStream::connect(socket).unwrap();
                    letter = letter.wrapping_mul(5).wrapping_add(1);
                    let bytes = match kind {
                        // No packet, a packet with any letter, and half of one.
                        0 => [letter; 100].to_vec(),
                        1 => vec![0, 0, 0, 2, letter, 0],
                        _ => vec![0, 0, 16, 0, b'L', letter],
                    };
                    // It may be closed before all is written or read.
                    let _ = stream.write_all(&bytes);
                    let _ = stream.shutdown(std::net::Shutdown::Write);
                    let _ = stream.read_to_end(&mut Vec::new());
                }
            });
        }
        traffic.wait_for(50);
        stop.store(true, Ordering::Relaxed);
    });
    assert_eq!(traffic.deferred(), 0);
    assert!(traffic.assert_all_arrive_signed(&stand) >= 50);
    assert!(stand.milter.log().contains("milter connection closed"));
}
