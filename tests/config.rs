//! `signet check` as an administrator meets it: `tests/config/bad/` holds one file for
//! each mistake, with what is said of it.
//!
//! The first lines of a file set the scene and say what is expected:
//! `#! key DOMAIN/SELECTOR [KIND]` makes a key, `#! file NAME LINE` adds a line to a
//! file, `#! hole NAME BYTES` lengthens it by NULs, `#! says TEXT` is the beginning of a line on standard error (or, without a
//! severity, a part of the whole), `#! exit CODE` the exit code.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests may fail by panicking"
)]

use std::fs::{self, OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use base64ct::{Base64, Encoding};
use rsa::pkcs8::EncodePrivateKey;
use signet::keys::{Algorithm, generate};
use tempfile::TempDir;

mod place;

use place::{SIGNET, stderr, stdout};

/// The bytes that a text stands for.
fn bytes(text: &str) -> Vec<u8> {
    let text = text.replace("<NUL>", "\0");
    let text = text.replace("<20 MB>", &"x".repeat(20_000_000));
    let mut bytes = Vec::with_capacity(text.len());
    let mut parts = text.split("<FF>");
    bytes.extend_from_slice(parts.next().unwrap().as_bytes());
    for part in parts {
        bytes.push(0xff);
        bytes.extend_from_slice(part.as_bytes());
    }
    bytes
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = Base64::encode_string(der);
    format!("-----BEGIN {label}-----\n{text}\n-----END {label}-----\n")
}

fn rsa(bits: usize) -> String {
    let key = rsa::RsaPrivateKey::new(&mut rsa::rand_core::OsRng, bits).unwrap();
    pem("PRIVATE KEY", key.to_pkcs8_der().unwrap().as_bytes())
}

fn ec() -> String {
    let curve = &aws_lc_rs::signature::ECDSA_P256_SHA256_ASN1_SIGNING;
    let random = aws_lc_rs::rand::SystemRandom::new();
    let der = aws_lc_rs::signature::EcdsaKeyPair::generate_pkcs8(curve, &random).unwrap();
    pem("PRIVATE KEY", der.as_ref())
}

fn put_key(keys: &Path, name: &str, kind: &str) {
    let path = keys.join(format!("{name}.pem"));
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let text = match kind {
        "" | "open" => generate(Algorithm::Ed25519).unwrap().to_string(),
        "text" => "this is no key\n".to_owned(),
        "ec" => ec(),
        "rsa512" => rsa(512),
        "rsa1024" => rsa(1024),
        "directory" => return fs::create_dir(path).unwrap(),
        other => panic!("what is a key of the kind {other}?"),
    };
    fs::write(&path, text).unwrap();
    let mode = if kind == "open" { 0o644 } else { 0o600 };
    fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
}

/// `signet check` in a directory with this config file and an empty key directory.
fn check(directory: &Path, text: &str) -> Output {
    let lines = text.lines().map(|line| match line.starts_with("#! ") {
        // What it says is not what it is.
        true => line.as_bytes().to_vec(),
        false => bytes(line),
    });
    let file = lines.collect::<Vec<_>>().join(&b'\n');
    fs::write(directory.join("signet.toml"), file).unwrap();
    let mut command = Command::new(SIGNET);
    command.current_dir(directory);
    command.args(["check", "--config", "signet.toml"]);
    // A flag would win over the file.
    if !text.lines().any(|line| line.starts_with("keys =")) {
        command.args(["--keys", "keys"]);
    }
    command.output().unwrap()
}

fn scene() -> TempDir {
    let directory = TempDir::new().unwrap();
    fs::create_dir(directory.path().join("keys")).unwrap();
    directory
}

fn run_case(text: &str) -> Result<(), String> {
    let directory = scene();
    let mut says = Vec::new();
    let mut code = None;
    for line in text.lines().filter_map(|line| line.strip_prefix("#! ")) {
        let (what, rest) = line.split_once(' ').unwrap();
        let (name, more) = rest.split_once(' ').unwrap_or((rest, ""));
        match what {
            "key" => put_key(&directory.path().join("keys"), name, more),
            "file" => {
                let path = directory.path().join(name);
                let mut file = OpenOptions::new()
                    .create(true)
                    .append(true)
                    .open(path)
                    .unwrap();
                file.write_all(&bytes(more)).unwrap();
                file.write_all(b"\n").unwrap();
            }
            "hole" => {
                let path = directory.path().join(name);
                let file = OpenOptions::new().write(true).open(path).unwrap();
                let length = file.metadata().unwrap().len() + more.parse::<u64>().unwrap();
                file.set_len(length).unwrap();
            }
            "says" => says.push(rest),
            "exit" => code = Some(rest.parse::<i32>().unwrap()),
            other => panic!("what is \"{other}\"?"),
        }
    }
    let output = check(directory.path(), text);
    let said = stderr(&output);
    if output.status.code() != code || code.is_none() {
        return Err(format!(
            "exit {:?}, not {code:?}: {said}",
            output.status.code()
        ));
    }
    assert!(!says.is_empty(), "a case says something");
    for text in says {
        let severity = ["error: ", "warning: "]
            .iter()
            .any(|word| text.starts_with(word));
        let heard = match severity {
            true => said.lines().any(|line| line.starts_with(text)),
            false => said.contains(text),
        };
        if !heard {
            return Err(format!("nothing says {text:?}:\n{said}"));
        }
    }
    // Never a panic, and never the whole of a large file.
    match said.contains("panicked") || said.len() > 4000 {
        true => Err(format!("{said:.4000}")),
        false => Ok(()),
    }
}

#[test]
fn every_mistake_is_named_with_its_place_and_its_remedy() {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/config/bad");
    let mut failed = Vec::new();
    let mut seen = 0;
    for entry in fs::read_dir(cases).unwrap() {
        let path = entry.unwrap().path();
        seen += 1;
        if let Err(why) = run_case(&fs::read_to_string(&path).unwrap()) {
            failed.push(format!("{}: {why}", path.file_name().unwrap().display()));
        }
    }
    assert!(seen >= 40, "only {seen} cases");
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn a_usable_config_is_printed_and_reads_back_to_the_same() {
    let directory = scene();
    put_key(&directory.path().join("keys"), "example.com/s1", "");
    let text = "listen = \"unix:/run/signet.sock\"\n[trust]\nnetworks = \"192.0.2.0/24\"\n\
                [[rule]]\npattern = \".example.com\"\ndomain = \"example.com\"\n";
    let output = check(directory.path(), text);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let printed = stdout(&output);
    assert!(
        printed.starts_with("# from signet.toml, flags, and defaults\n"),
        "{printed}"
    );
    assert!(
        printed.contains("networks = [\"192.0.2.0/24\"]\n"),
        "{printed}"
    );
    assert!(
        stderr(&output).ends_with("1 key for 1 domain\n"),
        "{output:?}"
    );

    let again = check(directory.path(), &printed);
    assert_eq!(again.status.code(), Some(0), "{again:?}");
    assert_eq!(stdout(&again), printed);
}

#[test]
fn flags_win_over_the_file() {
    let directory = scene();
    put_key(&directory.path().join("others"), "example.com/s1", "");
    fs::write(
        directory.path().join("signet.toml"),
        "keys = \"keys\"\nlisten = \"inet:127.0.0.1:1\"\n",
    )
    .unwrap();
    let output = Command::new(SIGNET)
        .current_dir(directory.path())
        .args(["check", "--config", "signet.toml", "--keys", "others"])
        .args(["--listen", "inet:[::1]:2", "--listen", "unix:/run/s"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let printed = stdout(&output);
    assert!(
        printed.contains("listen = [\"inet:[::1]:2\", \"unix:/run/s\"]\n"),
        "{printed}"
    );
    assert!(printed.contains("keys = \"others\"\n"), "{printed}");
}

#[test]
fn what_could_not_be_found_out_is_exit_code_2() {
    let directory = scene();
    let output = Command::new(SIGNET)
        .current_dir(directory.path())
        .args(["check", "--config", "missing.toml"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(
        stderr(&output).contains("cannot read missing.toml: No such file"),
        "{output:?}"
    );
    let output = Command::new(SIGNET)
        .current_dir(directory.path())
        .args(["check", "--config", "keys"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(
        stderr(&output).contains("cannot read keys: Is a directory"),
        "{output:?}"
    );
}
