//! The price of what nobody can do without, the yardstick of everything else: what the
//! processor spends on one private-key operation, on one pass of SHA-256, on taking the
//! bytes from a socket, each alone, in this build, on this core.

use std::convert::Infallible;
use std::io::{self, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use aws_lc_rs::digest;
use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{Ed25519KeyPair, RSA_PKCS1_SHA256};
use rustix::time::ClockId;
use serde::Serialize;

use super::clock;
use super::statistics::{median, microseconds};

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Primitive {
    Rsa2048,
    Rsa3072,
    Rsa4096,
    Ed25519,
    /// SHA-256 of 1 MiB
    Sha256,
    /// Reading 1 MiB from a TCP connection of this machine
    Socket,
}

/// Microseconds of processor time each over several rounds.
#[derive(Debug, Serialize)]
pub struct Price {
    pub primitive: Primitive,
    pub median_us: f64,
    pub minimum_us: f64,
    pub rounds: usize,
}

/// Rounds are short and many, so that a neighbour on the core spoils some of them
/// and not the median.
const ROUNDS: usize = 15;
const ROUND: Duration = Duration::from_millis(100);

const MEBIBYTE: usize = 1 << 20;
/// As much as `signet serve` reads at once at most.
const READ: usize = MEBIBYTE;

/// # Errors
/// When the library refuses to make or use a key, or the system a connection.
pub fn price(primitive: Primitive) -> Result<Price, Box<dyn std::error::Error + Send + Sync>> {
    let random = SystemRandom::new();
    // Of the length of a typical signed header section.
    let message = [0x61_u8; 1024];
    let rounds = match primitive {
        Primitive::Ed25519 => {
            let key = Ed25519KeyPair::generate()?;
            measure(|| {
                std::hint::black_box(key.sign(&message));
                Ok::<_, Infallible>(())
            })?
        }
        Primitive::Sha256 => {
            let text = vec![0x61; MEBIBYTE];
            measure(|| {
                std::hint::black_box(digest::digest(&digest::SHA256, &text));
                Ok::<_, Infallible>(())
            })?
        }
        Primitive::Socket => {
            let mut stream = endless_stream()?;
            let mut room = vec![0; READ];
            measure(|| {
                let mut left = MEBIBYTE;
                while left > 0 {
                    let most = left.min(READ);
                    left -= stream.read(room.get_mut(..most).unwrap_or_default())?;
                }
                Ok::<_, io::Error>(())
            })?
        }
        Primitive::Rsa2048 | Primitive::Rsa3072 | Primitive::Rsa4096 => {
            let key = KeyPair::generate(match primitive {
                Primitive::Rsa4096 => KeySize::Rsa4096,
                Primitive::Rsa3072 => KeySize::Rsa3072,
                _ => KeySize::Rsa2048,
            })?;
            // The key goes through its encoding, as a key from a file does.
            let key = KeyPair::from_pkcs8(key.as_der()?.as_ref())?;
            let mut signature = vec![0; key.public_modulus_len()];
            measure(|| key.sign(&RSA_PKCS1_SHA256, &random, &message, &mut signature))?
        }
    };
    let minimum = rounds.iter().copied().fold(f64::INFINITY, f64::min);
    Ok(Price {
        primitive,
        median_us: median(rounds).unwrap_or(f64::NAN),
        minimum_us: minimum,
        rounds: ROUNDS,
    })
}

/// A connection over which bytes come as long as they are read.
fn endless_stream() -> io::Result<TcpStream> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let stream = TcpStream::connect(listener.local_addr()?)?;
    let (mut peer, _) = listener.accept()?;
    thread::spawn(move || {
        let text = vec![0x61; MEBIBYTE];
        while peer.write_all(&text).is_ok() {}
    });
    Ok(stream)
}

fn measure<E>(mut once: impl FnMut() -> Result<(), E>) -> Result<Vec<f64>, E> {
    (0..ROUNDS)
        .map(|_| {
            let began = processor_time();
            let mut count = 0_u32;
            loop {
                once()?;
                count += 1;
                let spent = processor_time().saturating_sub(began);
                if spent >= ROUND {
                    return Ok(microseconds(spent) / f64::from(count));
                }
            }
        })
        .collect()
}

fn processor_time() -> Duration {
    clock(ClockId::ThreadCPUTime)
}
