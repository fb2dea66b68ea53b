//! The container: its last stage built and run by podman, over a base that is made here of what its own has.
//!
//! What comes from the network, the base images and the stage that compiles, is not part of this.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

#[path = "../left_out/mod.rs"]
mod left_out;

use std::fs;
use std::os::unix::fs::chown;
use std::path::Path;
use std::process::{Command, Output};

const CONTAINERFILE: &str = include_str!("../../contrib/container/Containerfile");
const SIGNET: &str = env!("CARGO_BIN_EXE_signet");

fn text(output: &Output) -> String {
    let stderr = String::from_utf8_lossy(&output.stderr);
    format!("{}{stderr}", String::from_utf8_lossy(&output.stdout))
}

/// The instructions of the last stage, after its FROM.
fn last_stage() -> &'static str {
    let (_, stage) = CONTAINERFILE.rsplit_once("\nFROM ").unwrap();
    stage.split_once('\n').unwrap().1
}

/// The libraries that a program needs, its loader included.
fn libraries(program: &Path) -> Vec<String> {
    let output = Command::new("ldd").arg(program).output().unwrap();
    let text = text(&output);
    let paths = text.split_whitespace().filter(|word| word.starts_with('/'));
    paths.map(str::to_owned).collect()
}

/// The program without what a debugger wants, which is most of it.
fn strip(program: &Path) {
    let output = Command::new("strip")
        .arg("-o")
        .args([program, Path::new(SIGNET)])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text(&output));
}

#[test]
fn the_container_signs_as_its_user_without_a_capability() {
    for (program, package) in [("podman", "podman"), ("crun", "crun"), ("conmon", "conmon")] {
        if left_out::program(program, package).is_none() {
            return;
        }
    }
    if !left_out::is_root() {
        return;
    }
    let context = tempfile::tempdir().unwrap();
    let context = context.path();
    let program = context.join("signet");
    strip(&program);
    for library in libraries(&program) {
        let copy = context.join("base").join(library.trim_start_matches('/'));
        fs::create_dir_all(copy.parent().unwrap()).unwrap();
        fs::copy(library, copy).unwrap();
    }
    let stages = format!(
        "FROM scratch AS build\n\
         COPY signet /signet/target/release/signet\n\
         FROM scratch\n\
         COPY base /\n\
         {}",
        last_stage()
    );
    fs::write(context.join("Containerfile"), stages).unwrap();
    let keys = context.join("keys");
    let keygen = Command::new(SIGNET)
        .args(["keygen", "example.com", "--algorithm", "ed25519"])
        .args(["--selector", "s1", "--keys"])
        .arg(&keys)
        .output()
        .unwrap();
    assert!(keygen.status.success(), "{}", text(&keygen));
    for path in ["", "example.com", "example.com/s1.pem"] {
        chown(keys.join(path), Some(65532), Some(65532)).unwrap();
    }

    let run = Command::new("unshare")
        .args(["--mount", "--propagation", "private", "--net", "--"])
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/container/run"))
        .arg(context)
        .arg(SIGNET)
        .output()
        .unwrap();
    assert!(run.status.success(), "{}", text(&run));
}

#[test]
fn the_stage_that_compiles_makes_what_the_last_one_takes() {
    let (compile, _) = CONTAINERFILE.rsplit_once("\nFROM ").unwrap();
    assert!(compile.contains("\nWORKDIR /signet\n"));
    assert!(compile.contains("\nRUN cargo build --release --locked\n"));
    let version = include_str!("../../Cargo.toml")
        .lines()
        .find_map(|line| line.strip_prefix("rust-version = "));
    let version = version.unwrap().trim_matches('"');
    assert!(compile.contains(&format!("/rust:{version}-trixie AS build\n")));
    let take = "COPY --from=build /signet/target/release/signet /usr/sbin/signet\n";
    assert!(last_stage().contains(take));
    // Both stages have the libraries of one Debian.
    assert!(CONTAINERFILE.contains("\nFROM gcr.io/distroless/cc-debian13:nonroot\n"));
}
