//! Mail that flows: several clients that send message upon message, and try each again until Postfix takes it.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use crate::client::{Client, stuffed};
use crate::judges::{self, Opinion};
use crate::process::{DEADLINE, wait_until};
use crate::stand::{SENDER, Stand, message, recipient};

/// Clients at work.
pub struct Traffic {
    clients: Vec<JoinHandle<()>>,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    stop: AtomicBool,
    /// Tries that Postfix answered with "later".
    deferred: AtomicUsize,
    /// The recipients of the messages that it took.
    taken: Mutex<Vec<String>>,
}

impl Traffic {
    /// So many clients, each with one message at a time.
    pub fn start(service: SocketAddr, clients: usize) -> Self {
        let shared = Arc::new(Shared::default());
        let client = |_| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || shared.send(service))
        };
        Self {
            clients: (0..clients).map(client).collect(),
            shared,
        }
    }

    /// Waits until Postfix has taken so many more.
    pub fn wait_for(&self, more: usize) {
        let enough = self.taken() + more;
        wait_until("Postfix takes mail", || {
            assert!(!self.clients.iter().any(JoinHandle::is_finished));
            (self.taken() >= enough).then_some(())
        });
    }

    pub fn taken(&self) -> usize {
        self.shared.taken.lock().unwrap().len()
    }

    pub fn deferred(&self) -> usize {
        self.shared.deferred.load(Ordering::Relaxed)
    }

    /// Lets every client finish its message, and asserts that each that was taken arrived, once, with signatures that all verifiers
    /// accept. Returns how many that were.
    pub fn assert_all_arrive_signed(self, stand: &Stand) -> usize {
        self.shared.stop.store(true, Ordering::Relaxed);
        for client in self.clients {
            client.join().unwrap();
        }
        let taken = self.shared.taken.lock().unwrap();
        let arrived: Vec<_> = taken
            .iter()
            .map(|recipient| stand.postfix.sink.wait_for(recipient))
            .collect();
        for recipient in taken.iter() {
            assert_eq!(stand.postfix.sink.count_for(recipient), 1, "{recipient}");
        }
        let messages: Vec<_> = arrived.iter().map(|each| each.message.as_slice()).collect();
        for (verdicts, arrived) in judges::judge(&stand.keys, &messages).iter().zip(&arrived) {
            let text = String::from_utf8_lossy(&arrived.message);
            let passed = |judge| {
                let of = verdicts
                    .iter()
                    .filter(move |verdict| verdict.judge == judge);
                of.filter(|verdict| verdict.passed == Opinion::Pass).count()
            };
            let signatures = arrived.parts().signatures.len();
            assert!(signatures > 0, "unsigned:\n{text}");
            for judge in ["dkimpy", "mail-auth"] {
                assert_eq!(passed(judge), signatures, "{verdicts:#?}\n{text}");
            }
        }
        taken.len()
    }
}

impl Shared {
    fn send(&self, service: SocketAddr) {
        while !self.stop.load(Ordering::Relaxed) {
            let recipient = recipient();
            let deadline = Instant::now() + DEADLINE;
            while !try_once(service, &recipient) {
                self.deferred.fetch_add(1, Ordering::Relaxed);
                assert!(Instant::now() < deadline, "{recipient} is never taken");
            }
            self.taken.lock().unwrap().push(recipient);
        }
    }
}

/// One SMTP session with one message; whether it was taken. Any other answer than yes or "later" is a failure.
fn try_once(service: SocketAddr, recipient: &str) -> bool {
    let mut client = Client::connect_silently(service);
    for (line, good) in [
        ("EHLO client.example".to_owned(), 250),
        (format!("MAIL FROM:{SENDER}"), 250),
        (format!("RCPT TO:<{recipient}>"), 250),
        ("DATA".to_owned(), 354),
    ] {
        let reply = client.command(&line);
        if reply.code != good {
            assert_eq!(reply.code / 100, 4, "{line}: {}", reply.text);
            return false;
        }
    }
    client.write(&stuffed(&message("hello\r\n")));
    let reply = client.reply();
    if reply.code == 250 {
        client.quit();
        return true;
    }
    assert_eq!(reply.code / 100, 4, "{}", reply.text);
    false
}
