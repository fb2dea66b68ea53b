//! Mail on the machine: Debian's own Postfix with the two lines of the README, one mailbox, SMTP sessions.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::machine::{Machine, wait_until};

/// One message by SMTP, or a complaint.
pub const SEND: &str = "smtp-source -f alice@example.com -t alice@example.com 127.0.0.1:25";

/// A key, and Postfix as Debian ships it, with a mailbox for alice@example.com.
pub fn set_up(machine: &Machine) {
    machine.ok("signet keygen example.com --algorithm ed25519 --selector s1");
    machine.ok("signet dns example.com --format bind >/tmp/zone");
    machine.ok("systemctl reload signet");
    machine.ok("useradd --create-home alice");
    machine.write(
        "/etc/postfix/main.cf",
        "compatibility_level = 3.6\n\
         myhostname = mail.example.com\n\
         mydestination = example.com\n\
         inet_interfaces = loopback-only\n\
         alias_maps =\n\
         home_mailbox = Maildir/\n",
    );
    machine.ok("cp /usr/share/postfix/master.cf.dist /etc/postfix/master.cf");
    machine.ok("postconf -e smtpd_milters=unix:signet/signet.sock non_smtpd_milters=unix:signet/signet.sock");
    assert_eq!(
        machine.ok("postconf -F smtp/inet/chroot"),
        "smtp/inet/chroot = y"
    );
    machine.ok("systemctl daemon-reload && systemctl start postfix@-.service");
    wait_until("Postfix listens", || {
        machine
            .says_yes("exec 3<>/dev/tcp/127.0.0.1/25")
            .then_some(())
    });
}

/// Waits until that many messages have arrived, and looks at each: it is signed, once, and the signature holds.
pub fn all_arrive_signed(machine: &Machine, count: usize) {
    let mailbox = machine.path("/home/alice/Maildir/new");
    let messages = || fs::read_dir(&mailbox).into_iter().flatten().count();
    wait_until(&format!("{count} messages arrive"), || {
        (messages() >= count).then_some(())
    });
    assert_eq!(messages(), count);
    for entry in fs::read_dir(&mailbox).unwrap() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        assert_eq!(text.matches("\nDKIM-Signature:").count(), 1, "{text}");
    }
    machine.ok("for message in /home/alice/Maildir/new/*; do
           signet verify --dns-file /tmp/zone $message || exit
         done");
}

/// An SMTP session, line by line.
pub struct Session {
    client: Child,
    lines: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Session {
    /// Connects and says EHLO: Postfix has its connection to the milter now.
    pub fn open(machine: &Machine) -> Self {
        let mut command: Command =
            machine.command("exec 3<>/dev/tcp/127.0.0.1/25; cat <&3 & exec cat >&3");
        let mut client = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = client.stdin.take().unwrap();
        let answers = BufReader::new(client.stdout.take().unwrap());
        let mut session = Self {
            client,
            lines,
            answers,
        };
        assert_eq!(session.answer(), "220");
        assert_eq!(session.say("EHLO client.example"), "250");
        session
    }

    /// The code of the last line of an answer.
    fn answer(&mut self) -> String {
        loop {
            let mut line = String::new();
            assert!(self.answers.read_line(&mut line).unwrap() > 0, "closed");
            if line.as_bytes()[3] != b'-' {
                line.truncate(3);
                return line;
            }
        }
    }

    pub fn say(&mut self, line: &str) -> String {
        writeln!(self.lines, "{line}\r").unwrap();
        self.answer()
    }

    /// A whole message; the first answer that is not what it should be, or 250.
    pub fn send(&mut self) -> String {
        for (line, good) in [
            ("MAIL FROM:<alice@example.com>", "250"),
            ("RCPT TO:<alice@example.com>", "250"),
            ("DATA", "354"),
        ] {
            let code = self.say(line);
            if code != good {
                return code;
            }
        }
        self.say(
            "From: alice@example.com\r\nTo: alice@example.com\r\nSubject: late\r\n\r\nHello\r\n.",
        )
    }

    pub fn quit(mut self) {
        assert_eq!(self.say("QUIT"), "221");
        drop(self.lines);
        let _ = self.client.wait();
    }
}
