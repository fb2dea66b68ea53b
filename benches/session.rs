//! A whole message through the filter, frames in and replies out, without a socket:
//! what signet spends on a message beside the private-key operation and the kernel.
//!
//! `cargo bench --bench session`. An Ed25519 key costs next to nothing and shows the
//! rest; the RSA-2048 key shows what a message costs most users.
#![allow(clippy::unwrap_used, reason = "a bench may fail by panicking")]

mod milter;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use signet::dkim::SignJob;
use signet::keys::{Algorithm, RsaSize};

use milter::{BASE64, Milter, body, message};

/// What comes of a socket at once.
const READ: usize = 65536;

fn session(c: &mut Criterion) {
    let mut group = c.benchmark_group("session");
    for (key, algorithm) in [
        ("ed25519", Algorithm::Ed25519),
        ("rsa 2048", Algorithm::Rsa(RsaSize::Bits2048)),
    ] {
        for (name, length) in [("4 KiB", 2048), ("1 MiB", 1 << 20)] {
            group.throughput(Throughput::Bytes(length as u64));
            // Made only if it is to run: an RSA key takes its time.
            let mut made = None;
            group.bench_function(format!("{name}, {key}"), |b| {
                let (milter, script) = made.get_or_insert_with(|| {
                    let milter = Milter::new(algorithm, SignJob::run);
                    let script = milter.script(&message(body(BASE64, length)));
                    (milter, script)
                });
                b.iter(|| milter.play(script, READ));
            });
        }
    }
    group.finish();
}

criterion_group!(benches, session);
criterion_main!(benches);
