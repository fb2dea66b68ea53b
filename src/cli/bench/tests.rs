//! The generator against milters made for it, in this process.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;

use bytes::BytesMut;

use super::exchange::Plan;
use super::load::{Extent, Load, Rate, run};
use super::process::Processes;
use super::report::LoadReport;
use super::{BenchError, idle, size};
use crate::config::ListenAddress;
use crate::milter::frame;
use crate::milter::{Event, InsertedField, Response, Session, Step, Wanted};

/// What the milter under load does with an event; it may add bytes of its own.
type Behaviour = fn(&Event<'_>, &mut BytesMut) -> Response<'static>;

fn signs(event: &Event<'_>, _: &mut BytesMut) -> Response<'static> {
    static FIELD: std::sync::LazyLock<Vec<InsertedField>> = std::sync::LazyLock::new(|| {
        vec![InsertedField {
            name: "DKIM-Signature",
            value: b" v=1; d=bench.example".to_vec(),
        }]
    });
    match event {
        Event::EndOfMessage(_) => Response::Insert(&FIELD),
        _ => Response::Continue,
    }
}

/// Serves every connection with `behaviour` until its peer leaves.
fn milter(behaviour: Behaviour) -> ListenAddress {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let stream = stream.unwrap();
            thread::spawn(move || serve(stream, behaviour));
        }
    });
    ListenAddress::parse(&format!("inet:127.0.0.1:{port}")).unwrap()
}

fn serve(mut stream: TcpStream, behaviour: Behaviour) {
    let mut session = Session::new(Wanted {
        headers_reply: true,
        ..Wanted::default()
    });
    let (mut input, mut out) = (BytesMut::new(), BytesMut::new());
    let mut chunk = [0; 65536];
    loop {
        while let Some(frame) = frame::decode(&mut input, frame::DEFAULT_LIMIT).unwrap() {
            match session.receive(&frame, &mut out).unwrap() {
                Step::Handled => {}
                Step::Quit => return,
                Step::Event(event) => {
                    let response = behaviour(&event, &mut out);
                    session.respond(&response, &mut out);
                }
            }
        }
        if stream.write_all(&out.split()).is_err() {
            return;
        }
        match stream.read(&mut chunk) {
            Ok(0) | Err(_) => return,
            Ok(count) => input.extend_from_slice(&chunk[..count]),
        }
    }
}

fn on_one_thread<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}

fn load(address: ListenAddress, size: usize, rate: Option<Rate>) -> LoadReport {
    attempt(address, size, rate).unwrap()
}

fn attempt(
    address: ListenAddress,
    size: usize,
    rate: Option<Rate>,
) -> Result<LoadReport, BenchError> {
    on_one_thread(run(Load {
        plan: Plan::new(address, &["ada@bench.example"], size),
        connections: 4,
        extent: Extent::Messages(20),
        rate,
        processes: Processes::new(&[std::process::id()]),
    }))
}

#[test]
fn every_message_of_a_run_is_counted_and_timed() {
    let report = load(milter(signs), 4096, None);
    assert!(report.is_clean(), "{report}");
    assert_eq!((report.messages, report.signed), (20, 20));
    assert_eq!(report.failures, [""; 0]);
    let (whole, end) = (
        report.latency_us.unwrap(),
        report.end_of_message_us.unwrap(),
    );
    assert!(whole.p50 >= end.p50, "{report}");
    assert!(report.milter.as_ref().unwrap().resident_peak > 0);
    assert!(report.negotiation.starts_with("version 6"), "{report}");
}

#[test]
fn authors_take_turns() {
    let passes_eve: Behaviour = |event, out| match event {
        Event::Mail(path) if path.address.starts_with(b"eve@") => Response::Accept,
        _ => signs(event, out),
    };
    let authors = [
        "ada@bench.example",
        "eve@bench.example",
        "bob@bench.example",
    ];
    let report = on_one_thread(run(Load {
        plan: Plan::new(milter(passes_eve), &authors, 4096),
        connections: 4,
        extent: Extent::Messages(30),
        rate: None,
        processes: Processes::new(&[]),
    }));
    let report = report.unwrap();
    assert_eq!((report.messages, report.signed), (30, 20));
}

#[test]
fn a_body_of_many_packets_arrives_whole() {
    static BYTES: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
    let counts: Behaviour = |event, out| {
        if let Event::Body(chunk) = event {
            BYTES.fetch_add(chunk.len(), std::sync::atomic::Ordering::Relaxed);
        }
        signs(event, out)
    };
    let report = load(milter(counts), 1 << 20, None);
    assert!(report.is_clean(), "{report}");
    let bytes = BYTES.load(std::sync::atomic::Ordering::Relaxed);
    assert!((20 * 1_040_000..20 << 20).contains(&bytes), "{bytes}");
}

#[test]
fn messages_that_fall_due_by_a_clock_are_all_sent() {
    for evenly in [false, true] {
        let rate = Rate {
            per_second: 2000.0,
            evenly,
        };
        let report = load(milter(signs), 4096, Some(rate));
        assert!(report.is_clean(), "{report}");
        assert_eq!(report.messages, 20);
    }
}

#[test]
fn a_message_without_a_signature_is_reported_with_what_the_milter_said() {
    let report = load(milter(|_, _| Response::Continue), 4096, None);
    assert!(!report.is_clean());
    assert_eq!(
        report.unsigned_answers,
        [("Accept at the end of the message".to_owned(), 20)]
    );
    assert!(report.to_string().contains("UNSIGNED     20"), "{report}");

    let report = load(
        milter(|event, _| match event {
            Event::EndOfHeaders => Response::Accept,
            _ => Response::Continue,
        }),
        4096,
        None,
    );
    assert_eq!(
        report.unsigned_answers,
        [("Accept before the end of the message".to_owned(), 20)]
    );
}

#[test]
fn a_reply_that_nothing_owed_is_found_out() {
    let report = load(
        milter(|event, out| {
            if matches!(event, Event::Mail(_)) {
                out.extend_from_slice(b"\0\0\0\x01c");
            }
            signs(event, out)
        }),
        4096,
        None,
    );
    assert!(!report.is_clean());
    assert_eq!(report.failures.len(), 4, "{report}");
}

#[test]
fn a_milter_that_will_not_hear_the_client_ends_the_run() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let nobody = ListenAddress::parse(&format!("inet:127.0.0.1:{port}")).unwrap();
    let error = attempt(nobody, 4096, None).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("cannot connect to the milter at inet:127.0.0.1:{port}")
    );
}

#[test]
fn idle_connections_are_all_there_at_once_and_all_used() {
    let plan = Plan::new(milter(signs), &["ada@bench.example"], 4096);
    let processes = Processes::new(&[std::process::id()]);
    let report = on_one_thread(idle::run(&plan, 30, &processes)).unwrap();
    assert_eq!(report.connections, 30);
    assert!(report.resident_negotiated > 0);
}

#[test]
fn sizes_are_bytes_or_have_a_unit() {
    assert_eq!(size("4096"), Ok(4096));
    assert_eq!(size("4KiB"), Ok(4096));
    assert_eq!(size("25MiB"), Ok(25 << 20));
    for text in [
        "",
        "0",
        "KiB",
        "4kb",
        "-1",
        "99999999999999999999",
        "4096MiB",
    ] {
        assert!(size(text).is_err(), "{text}");
    }
}
