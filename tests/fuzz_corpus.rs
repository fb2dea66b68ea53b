//! Every fuzz target of `fuzz/`, run over its seeds and some thousand fixed mutations
//! of them. It finds less than the fuzzer does, and it runs with every `cargo test`.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests may fail by panicking"
)]

use std::collections::BTreeSet;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

/// Mutations of each target's seeds, in a test run.
const MUTATIONS: u64 = 4000;
/// Large seeds are run as they are, and cut to this before they are mutated.
const LARGEST_MUTATED: usize = 4096;

macro_rules! targets {
    ($($name:ident = $entry:literal),* $(,)?) => {
        $(
            #[path = $entry]
            mod $name;
        )*

        const TARGETS: &[&str] = &[$(stringify!($name)),*];

        mod over_the_seeds {
            $(
                #[test]
                fn $name() {
                    super::run_target(stringify!($name), super::$name::run);
                }
            )*
        }
    };
}

targets! {
    author = "../fuzz/entry/author.rs",
    config = "../fuzz/entry/config.rs",
    tables = "../fuzz/entry/tables.rs",
    body_canonicalization = "../fuzz/entry/body_canonicalization.rs",
    command = "../fuzz/entry/command.rs",
    filter_reply = "../fuzz/entry/filter_reply.rs",
    frame_stream = "../fuzz/entry/frame_stream.rs",
    key_record = "../fuzz/entry/key_record.rs",
    header_canonicalization = "../fuzz/entry/header_canonicalization.rs",
    record_file = "../fuzz/entry/record_file.rs",
    opendkim_conf = "../fuzz/entry/opendkim_conf.rs",
    rspamd_conf = "../fuzz/entry/rspamd_conf.rs",
    session = "../fuzz/entry/session.rs",
    verify = "../fuzz/entry/verify.rs",
}

fn run_target(name: &str, run: fn(&[u8])) {
    let seeds: Vec<Vec<u8>> = files(&format!("fuzz/seeds/{name}"))
        .iter()
        .map(|path| fs::read(path).unwrap())
        .collect();
    assert!(!seeds.is_empty(), "fuzz/seeds/{name}/ holds no seed");
    for seed in &seeds {
        attempt(name, run, seed);
    }
    for number in 0..MUTATIONS {
        attempt(name, run, &mutation(&seeds, number));
    }
}

/// Runs one input and, when it fails, shows it as it can be put into the seeds.
fn attempt(name: &str, run: fn(&[u8]), input: &[u8]) {
    if catch_unwind(AssertUnwindSafe(|| run(input))).is_err() {
        let hex: String = input.iter().map(|byte| format!("{byte:02x}")).collect();
        panic!("fuzz target {name} failed on (xxd -r -p): {hex}");
    }
}

/// The `number`th mutation: the same one in every run.
fn mutation(seeds: &[Vec<u8>], number: u64) -> Vec<u8> {
    let mut random = Random(number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let mut bytes = random.pick(seeds).clone();
    bytes.truncate(LARGEST_MUTATED);
    for _ in 0..=random.below(6) {
        let at = random.below(bytes.len() + 1);
        match random.below(7) {
            0 => bytes.insert(at, random.next() as u8),
            1 => bytes.truncate(at),
            2 => {
                let other = random.pick(seeds);
                let from = random.below(other.len() + 1);
                bytes.truncate(at);
                bytes.extend_from_slice(&other[from..other.len().min(from + LARGEST_MUTATED)]);
            }
            3 => {
                let end = (at + random.below(16)).min(bytes.len());
                bytes.drain(at..end);
            }
            4 => {
                let end = (at + random.below(16)).min(bytes.len());
                let copy = bytes[at..end].to_vec();
                bytes.splice(at..at, copy);
            }
            choice => {
                if let Some(byte) = bytes.get_mut(at) {
                    let special = [0, 1, 0x7f, 0x80, 0xff, b'\n', b'\r', b' ', b'=', b';', b':'];
                    *byte = match choice {
                        5 => *random.pick(&special),
                        _ => *byte ^ (1 << random.below(8)),
                    };
                }
            }
        }
    }
    bytes
}

/// Marsaglia's xorshift: what matters is that it never changes.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 >> 11
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    fn pick<'t, T>(&mut self, from: &'t [T]) -> &'t T {
        &from[self.below(from.len())]
    }
}

fn files(below: &str) -> Vec<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(below);
    let mut files: Vec<_> = fs::read_dir(&path)
        .unwrap_or_else(|error| panic!("{below}: {error}"))
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files
}

/// A target that exists for the fuzzer but not here, or the other way round, would
/// rot unseen.
#[test]
fn every_target_is_complete() {
    let known: BTreeSet<String> = TARGETS.iter().map(|name| (*name).into()).collect();
    let in_directory = |below: &str| -> BTreeSet<String> {
        files(below)
            .iter()
            .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
            .collect()
    };
    assert_eq!(in_directory("fuzz/entry"), known, "fuzz/entry/");
    assert_eq!(
        in_directory("fuzz/fuzz_targets"),
        known,
        "fuzz/fuzz_targets/"
    );
    assert_eq!(in_directory("fuzz/seeds"), known, "fuzz/seeds/");
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/Cargo.toml");
    let manifest: toml::Table = fs::read_to_string(manifest).unwrap().parse().unwrap();
    let binaries = manifest["bin"].as_array().unwrap();
    let binaries: BTreeSet<String> = binaries
        .iter()
        .map(|binary| binary["name"].as_str().unwrap().into())
        .collect();
    assert_eq!(binaries, known, "[[bin]] in fuzz/Cargo.toml");
}
