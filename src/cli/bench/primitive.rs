//! The price of one bare signature, the yardstick of everything else: what the
//! processor spends on the private-key operation alone, in this build, on this core.

use std::time::Duration;

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
}

/// Microseconds of processor time per signature over several rounds.
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

/// # Errors
/// When the library refuses to make or use a key.
pub fn price(primitive: Primitive) -> Result<Price, Box<dyn std::error::Error + Send + Sync>> {
    let random = SystemRandom::new();
    // Of the length of a typical signed header section.
    let message = [0x61_u8; 1024];
    let rounds = match primitive {
        Primitive::Ed25519 => {
            let key = Ed25519KeyPair::generate()?;
            measure(|| {
                std::hint::black_box(key.sign(&message));
                Ok(())
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

fn measure(
    mut sign: impl FnMut() -> Result<(), aws_lc_rs::error::Unspecified>,
) -> Result<Vec<f64>, aws_lc_rs::error::Unspecified> {
    (0..ROUNDS)
        .map(|_| {
            let began = processor_time();
            let mut count = 0_u32;
            loop {
                sign()?;
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
