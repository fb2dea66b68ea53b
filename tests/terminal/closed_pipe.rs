//! A reader that goes away, as `| head -1` does: no command panics or complains, and each says by its exit code what it would have said
//! anyway.

use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::desk::{Desk, SIGNET, names, signet, text};

/// The writing end of a pipe that nobody reads.
fn unread() -> Stdio {
    let (reader, writer) = io::pipe().unwrap();
    drop(reader);
    writer.into()
}

fn command(arguments: &str) -> Command {
    let mut command = Command::new(SIGNET);
    command.args(arguments.split(' ')).stdin(Stdio::null());
    command
}

/// Runs it with readers, without one for standard output, and without any.
#[track_caller]
fn assert_quiet(desk: &Desk, arguments: &str, cut_off: Option<i32>) {
    let read = command(arguments).output().unwrap();
    let expected = cut_off.or(read.status.code());
    desk.forget();
    let half = command(arguments).stdout(unread()).output().unwrap();
    assert_eq!(half.status.code(), expected, "{arguments}: {half:?}");
    // What takes time on the way differs, as does what is made anew.
    let said = text(&half.stderr);
    for word in ["panicked", "roken pipe", "RUST_BACKTRACE"] {
        assert!(!said.contains(word), "{arguments}: {said}");
    }
    assert_eq!(
        said.is_empty(),
        read.stderr.is_empty() || cut_off.is_some(),
        "{arguments}: {said}"
    );
    desk.forget();
    let mut nobody = command(arguments);
    let status = nobody.stdout(unread()).stderr(unread()).status().unwrap();
    assert_eq!(status.code(), expected, "{arguments}");
    desk.forget();
}

#[test]
fn no_command_minds_that_nobody_reads() {
    let desk = Desk::new();
    let mut commands = desk.commands.clone();
    commands.extend(names().iter().map(|name| format!("{name} --help")));
    let keys = desk.path("keys").display().to_string();
    let file = |name: &str| desk.path(name).display().to_string();
    let conf = format!(
        "domain {{\n  example.com {{\n    path = \"{keys}/example.com/s1.pem\";\n    selector = \"s1\";\n  }}\n}}\n"
    );
    fs::write(desk.path("dkim_signing.conf"), conf).unwrap();
    let mail = mail_server();
    commands.extend([
        "--help".to_owned(),
        "--version".to_owned(),
        "dns --format list".to_owned(),
        format!("dns example.com --keys {keys} --format bind"),
        "doctor --explain dns-old-key".to_owned(),
        format!("doctor --keys {keys} --no-postfix --resolver 127.0.0.1:1 --json"),
        format!("check --keys {keys}"),
        format!("explain --from a@example.com --keys {keys}"),
        format!(
            "verify --json --dns-file {} {}",
            file("records"),
            file("signed")
        ),
        format!("verify --dns-file {} {}", file("records"), file("draft")),
        format!("selftest --from a@example.com --keys {keys}"),
        format!("test --from a@example.com --smtp {mail} --keys {keys} a@example.org"),
        format!(
            "import rspamd {} --out {}",
            file("dkim_signing.conf"),
            file("out")
        ),
    ]);
    for command in commands {
        assert_quiet(&desk, &command, None);
    }
}

/// Who pipes a signed message on must not take half of it for the whole.
#[test]
fn a_signed_message_that_nobody_takes_is_no_success() {
    let desk = Desk::new();
    let (draft, keys) = (desk.path("draft"), desk.path("keys"));
    let command = format!("sign {} --keys {}", draft.display(), keys.display());
    assert!(signet(&command).status.success());
    assert_quiet(&desk, &command, Some(141));
}

#[test]
fn output_that_cannot_be_written_is_an_error() {
    let desk = Desk::new();
    let full = fs::File::create("/dev/full").unwrap();
    let keys = desk.path("keys");
    let mut command = command(&format!("dns example.com --keys {}", keys.display()));
    let output = command.stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let said = text(&output.stderr);
    assert!(
        said.starts_with("signet: standard output cannot be written: No space left"),
        "{said}"
    );
}

/// The daemon's log goes to a pipe that nobody reads any more.
#[test]
fn the_daemon_serves_without_a_reader_of_its_log() {
    let desk = Desk::new();
    let status = free();
    let socket = desk.path("signet.sock").display().to_string();
    let config =
        format!("keys = \"keys\"\nlisten = \"unix:{socket}\"\n[metrics]\nlisten = \"{status}\"\n");
    fs::write(desk.path("config"), config).unwrap();
    let config = desk.path("config").display().to_string();
    let mut serve = command(&format!("serve --config {config}"));
    let _daemon = Daemon(serve.stdout(unread()).stderr(unread()).spawn().unwrap());
    let deadline = Instant::now() + Duration::from_secs(30);
    while UnixStream::connect(&socket).is_err() || TcpStream::connect(status).is_err() {
        assert!(Instant::now() < deadline, "the daemon does not listen");
        std::thread::sleep(Duration::from_millis(5));
    }
    let selftest = signet(&format!(
        "selftest --config {config} --socket unix:{socket}"
    ));
    assert!(selftest.status.success(), "{selftest:?}");
    assert_quiet(&desk, &format!("status --config {config}"), None);
    assert_quiet(&desk, &format!("status --json --at {status}"), None);
    let bench = format!("bench --socket unix:{socket} --messages 3 --connections 1");
    assert_quiet(&desk, &bench, None);
    assert_quiet(&desk, &format!("{bench} --json"), None);
}

struct Daemon(Child);

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// An address that was free a moment ago.
fn free() -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap()
}

/// Takes every mail and forgets it.
fn mail_server() -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let _ = take_mail(&stream);
        }
    });
    address
}

fn take_mail(mut stream: &TcpStream) -> io::Result<()> {
    stream.write_all(b"220 here\r\n")?;
    let mut lines = BufReader::new(stream).lines();
    let mut inside = false;
    while let Some(line) = lines.next().transpose()? {
        let reply = match line.as_str() {
            "." => "250 taken\r\n",
            _ if inside => continue,
            "DATA" => "354 go on\r\n",
            _ => "250 yes\r\n",
        };
        inside = line == "DATA";
        stream.write_all(reply.as_bytes())?;
    }
    Ok(())
}
