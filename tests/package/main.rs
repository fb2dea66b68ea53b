//! The Debian package: what is in it, and what becomes of a system that installs, upgrades and purges it.
//!
//! The system is this one, under an overlay in a mount namespace of its own: what the package does to it is gone with the test.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may fail by panicking"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use signet::config::Config;
use tempfile::TempDir;

mod assets;

#[path = "../left_out/mod.rs"]
mod left_out;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn text(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// The package, or none where there is no dpkg-deb.
fn package() -> Option<(TempDir, PathBuf)> {
    left_out::program("dpkg-deb", "dpkg")?;
    let directory = tempfile::tempdir().unwrap();
    // Without what a debugger wants, which is most of it.
    let binary = directory.path().join("signet");
    let stripped = Command::new("strip")
        .arg("-o")
        .arg(&binary)
        .arg(env!("CARGO_BIN_EXE_signet"))
        .status();
    let binary = match stripped.is_ok_and(|status| status.success()) {
        true => binary,
        false => env!("CARGO_BIN_EXE_signet").into(),
    };
    let built = Command::new(root().join("contrib/debian/build"))
        .arg(binary)
        .arg(directory.path())
        // Packing takes longer than all the rest.
        .env("DPKG_DEB_COMPRESSOR_TYPE", "none")
        .output()
        .unwrap();
    assert!(built.status.success(), "{}", text(&built));
    let mut files = std::fs::read_dir(directory.path()).unwrap();
    let package = files.find_map(|entry| {
        let path = entry.unwrap().path();
        path.extension()
            .is_some_and(|end| end == "deb")
            .then_some(path)
    });
    Some((directory, package.unwrap()))
}

#[test]
fn the_package_has_every_file_in_its_place() {
    let Some((_directory, package)) = package() else {
        return;
    };
    let contents = Command::new("dpkg-deb")
        .arg("--contents")
        .arg(&package)
        .output();
    let contents = text(&contents.unwrap());
    for file in [
        "-rwxr-xr-x root/root ./usr/sbin/signet",
        "-rw-r--r-- root/root ./etc/signet/signet.toml",
        "-rw-r--r-- root/root ./lib/systemd/system/signet.service",
        "-rw-r--r-- root/root ./lib/systemd/system/signet.socket",
        "-rw-r--r-- root/root ./usr/lib/tmpfiles.d/signet.conf",
        "-rw-r--r-- root/root ./usr/share/man/man8/signet.8.gz",
        "-rw-r--r-- root/root ./usr/share/man/man5/signet.toml.5.gz",
        "-rw-r--r-- root/root ./usr/share/bash-completion/completions/signet",
        "-rw-r--r-- root/root ./usr/share/doc/signet/copyright",
    ] {
        let (start, path) = file.split_once(' ').unwrap();
        let (owner, path) = path.split_once(' ').unwrap();
        let found = contents.lines().any(|line| {
            line.starts_with(start) && line.contains(owner) && line.ends_with(&format!(" {path}"))
        });
        assert!(found, "{file} is not in\n{contents}");
    }
}

#[test]
fn the_package_names_both_licences() {
    let Some((directory, package)) = package() else {
        return;
    };
    let unpacked = directory.path().join("unpacked");
    let run = Command::new("dpkg-deb")
        .arg("--extract")
        .args([&package, &unpacked])
        .status();
    assert!(run.unwrap().success());
    let copyright = fs::read_to_string(unpacked.join("usr/share/doc/signet/copyright")).unwrap();
    let mit = fs::read_to_string(root().join("LICENSE-MIT")).unwrap();
    let words = |text: &str| {
        text.replace(" .\n", "")
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
    };
    let (_, permission) = mit.split_once("Permission is").unwrap();
    assert!(
        words(&copyright).contains(&words(permission)),
        "{copyright}"
    );
    assert!(copyright.contains("/usr/share/common-licenses/Apache-2.0"));
}

#[test]
fn it_is_installed_upgraded_and_purged_without_a_trace_but_the_keys() {
    let Some((_directory, package)) = package() else {
        return;
    };
    if !left_out::is_root() {
        return;
    }
    let run = Command::new("unshare")
        .args(["--mount", "--propagation", "private", "--"])
        .arg(root().join("tests/package/lifecycle"))
        .arg(&package)
        .output()
        .unwrap();
    let text = text(&run);
    if run.status.code() == Some(77) {
        left_out::cannot_be_mended(&text);
        return;
    }
    assert!(run.status.success(), "{text}");
}

#[test]
fn the_packaged_config_says_what_the_units_say() {
    let text = include_str!("../../contrib/signet.toml");
    let config = Config::from_toml(text, "/etc/signet/signet.toml").unwrap();
    let socket = include_str!("../../contrib/systemd/signet.socket");
    let path = config.listen.first().unwrap().address.to_string();
    let path = path.strip_prefix("unix:").unwrap();
    assert!(socket.contains(&format!("ListenStream={path}\n")));
    assert_eq!(config.user.as_deref(), Some("signet"));
    let service = include_str!("../../contrib/systemd/signet.service");
    assert!(service.contains("\nUser=signet\n"));
    let container = include_str!("../../contrib/container/Containerfile");
    assert!(container.contains("USER 65532:65532"));
}

#[test]
fn apparmor_understands_its_profile() {
    let profile = root().join("contrib/apparmor/signet");
    let Some(parser) = left_out::program("apparmor_parser", "apparmor") else {
        return;
    };
    let output = Command::new(parser)
        .args(["--skip-kernel-load", "--skip-cache"])
        .arg(profile)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text(&output));
}
