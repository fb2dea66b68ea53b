//! Key records from a real name server: BIND's named, on a port of its own.

use std::fs;
use std::net::{SocketAddr, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::left_out::installed;
use crate::run::{Said, signet};
use crate::signed::*;

const NAMED: &str = "/usr/sbin/named";

struct NameServer {
    process: Child,
    address: SocketAddr,
    /// Kept until the process has ended.
    _directory: TempDir,
}

impl Drop for NameServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A name server with these records in `example.com`, and a broken zone
/// `broken.example`.
fn name_server(records: &str) -> NameServer {
    // The port was free a moment ago; named exits if somebody else is faster.
    let port = UdpSocket::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let directory = TempDir::new().unwrap();
    let write = |name: &str, text: &str| {
        let path = directory.path().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let home = directory.path().display();
    let config = write(
        "named.conf",
        &format!(
            "options {{ directory \"{home}\"; pid-file none; session-keyfile none;\n\
             listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};\n\
             recursion no; allow-query {{ any; }}; max-udp-size 512; dnssec-validation no; }};\n\
             controls {{ }};\n\
             zone \"example.com\" {{ type primary; file \"zone\"; }};\n\
             zone \"broken.example\" {{ type primary; file \"absent\"; }};\n"
        ),
    );
    write(
        "zone",
        &format!(
            "$TTL 60\n@ IN SOA ns root 1 3600 600 86400 60\n@ NS ns\nns A 127.0.0.1\n{records}\n"
        ),
    );
    let process = Command::new(NAMED)
        .args(["-f", "-4", "-n", "1", "-c"])
        .arg(config)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let mut server = NameServer {
        process,
        address,
        _directory: directory,
    };
    let deadline = Instant::now() + Duration::from_secs(30);
    while !answers(address) {
        assert_eq!(server.process.try_wait().unwrap(), None, "named ended");
        assert!(Instant::now() < deadline, "named does not answer");
    }
    server
}

/// Whether a query for the SOA of example.com is answered with success.
fn answers(server: SocketAddr) -> bool {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let pause = Some(Duration::from_millis(100));
    socket.set_read_timeout(pause).unwrap();
    socket.connect(server).unwrap();
    let query = b"\x12\x34\0\0\0\x01\0\0\0\0\0\0\x07example\x03com\0\0\x06\0\x01";
    let mut answer = [0; 512];
    let received = socket.send(query).and_then(|_| socket.recv(&mut answer));
    match received {
        Ok(length) => length > 12 && answer[3] & 0x0f == 0,
        Err(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => {
            std::thread::yield_now();
            false
        }
        Err(_) => false,
    }
}

/// The message, signed as selector of `example.com`; only the name is changed, so that
/// the key decides.
fn ask(server: SocketAddr, selector: &str, domain: &str) -> Said {
    let mut request = request(&RSA, "relaxed/relaxed");
    request.selector = signet::names::Selector::parse(selector).unwrap();
    request.domain = signet::names::DomainName::parse(domain).unwrap();
    let message = sign(FIELDS, BODY, vec![request]);
    signet(message.as_bytes(), &["--resolver", &server.to_string()])
}

fn quoted(text: &str) -> String {
    let strings = signet::dns::character_strings(text);
    let strings: Vec<String> = strings.iter().map(|s| format!("\"{s}\"")).collect();
    strings.join(" ")
}

#[test]
fn records_are_found_and_what_is_absent_is_told_from_what_fails() {
    if !installed("bind9", &[NAMED]) {
        return;
    }
    let key = quoted(&record(&RSA));
    // Over 512 bytes, so that the answer comes truncated and is asked for again by TCP.
    let note = "n=".to_owned() + &"x".repeat(400);
    let long = quoted(&record(&RSA).replace("k=rsa;", &format!("{note}; k=rsa;")));
    let server = name_server(&format!(
        "s1._domainkey TXT {key}\nlong._domainkey TXT {long}\n\
         alias._domainkey CNAME s1._domainkey\nempty._domainkey HINFO a b\n\
         two._domainkey TXT {key}\ntwo._domainkey TXT \"v=spf1 -all\"\n\
         cut._domainkey TXT v=DKIM1; k=rsa\n"
    ));
    let ask = |selector: &str, domain: &str| ask(server.address, selector, domain);

    for selector in ["s1", "long", "alias"] {
        let said = ask(selector, "example.com");
        assert_eq!((said.verdict(), said.code), ("pass", 0), "{said:?}");
    }
    let said = ask("two", "example.com");
    assert_eq!((said.verdict(), said.code), ("pass", 0), "{said:?}");
    assert!(said.of("  warning: ").starts_with("2 TXT records"));

    for selector in ["absent", "empty"] {
        let said = ask(selector, "example.com");
        assert_eq!(
            said.verdict(),
            format!(
                "FAIL: there is no TXT record at {selector}._domainkey.example.com; publish the \
                 key there"
            )
        );
        assert_eq!(said.code, 1);
    }
    let said = ask("cut", "example.com");
    assert!(
        said.verdict()
            .contains("its zone file lacks quotation marks")
    );

    for (domain, answer) in [("broken.example", "SERVFAIL"), ("example.org", "REFUSED")] {
        let said = ask("s1", domain);
        assert_eq!(
            said.verdict(),
            format!(
                "UNKNOWN: the TXT record at s1._domainkey.{domain} could not be looked up: the \
                 name server answered {answer} (asked {})",
                server.address
            )
        );
        assert_eq!(said.code, 2);
    }
}

#[test]
fn records_from_a_file_come_before_the_name_server() {
    if !installed("bind9", &[NAMED]) {
        return;
    }
    let server = name_server("s1._domainkey TXT \"v=DKIM1; p=\"");
    let address = server.address.to_string();
    let arguments = ["--resolver", address.as_str()];
    let message = message();
    let said = crate::run::with_records(message.as_bytes(), &records(), &arguments);
    assert_eq!(said.verdict(), "pass");
    let other = "s2._domainkey.example.com v=DKIM1; p=\n";
    let said = crate::run::with_records(message.as_bytes(), other, &arguments);
    assert_eq!(
        said.verdict(),
        "FAIL: the key at s1._domainkey.example.com is revoked: p= is empty"
    );
}

#[test]
fn a_name_server_that_says_nothing_leaves_it_open() {
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap();
    let said = ask(address, "s1", "example.com");
    assert_eq!(
        said.verdict(),
        format!(
            "UNKNOWN: the TXT record at s1._domainkey.example.com could not be looked up: the \
             name server did not answer in time (asked {address})"
        )
    );
    assert_eq!(said.code, 2);
    assert_eq!(said.err, "");
}
