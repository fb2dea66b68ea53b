//! The packages, built here of the program that is tested, in any version.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::left_out;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn done(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {output:?}");
}

fn only_file(directory: &Path, end: &str) -> PathBuf {
    let mut files = fs::read_dir(directory).unwrap();
    files
        .find_map(|entry| {
            let path = entry.unwrap().path();
            path.extension()
                .is_some_and(|each| each == end)
                .then_some(path)
        })
        .unwrap()
}

/// The program without what a debugger wants, which is most of it.
fn program(directory: &Path) {
    done(
        Command::new("strip")
            .arg("-o")
            .arg(directory.join("signet"))
            .arg(env!("CARGO_BIN_EXE_signet")),
    );
}

/// The Debian package, as if it had this version.
pub fn deb(directory: &TempDir, version: &str) -> PathBuf {
    let tree = directory.path().join("tree");
    // Packing takes longer than all the rest.
    let quickly = ("DPKG_DEB_COMPRESSOR_TYPE", "none");
    if !tree.exists() {
        program(directory.path());
        done(
            Command::new(root().join("contrib/debian/build"))
                .arg(directory.path().join("signet"))
                .arg(directory.path())
                .env(quickly.0, quickly.1),
        );
        done(
            Command::new("dpkg-deb")
                .arg("--raw-extract")
                .arg(only_file(directory.path(), "deb"))
                .arg(&tree),
        );
    }
    let control = tree.join("DEBIAN/control");
    let text = fs::read_to_string(&control).unwrap();
    let line = text.lines().find(|line| line.starts_with("Version: "));
    let text = text.replace(line.unwrap(), &format!("Version: {version}"));
    fs::write(control, text).unwrap();
    let package = directory.path().join(format!("signet_{version}.deb"));
    done(
        Command::new("dpkg-deb")
            .args(["--root-owner-group", "--build"])
            .args([&tree, &package])
            .env(quickly.0, quickly.1),
    );
    package
}

/// cargo-generate-rpm, where `tests/run` puts it or the owner of this machine has.
fn generate_rpm() -> Option<PathBuf> {
    let ours = root().join("target/tools/bin/cargo-generate-rpm");
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let found = std::iter::once(ours)
        .chain(std::env::split_paths(&paths).map(|each| each.join("cargo-generate-rpm")))
        .find(|path| path.exists());
    if found.is_none() {
        left_out::could_be_mended(
            "there is no cargo-generate-rpm; tests/run installs it into target/tools",
        );
    }
    found
}

/// The package for rpm, as if it had this version; none where what builds it is missing.
pub fn rpm(directory: &TempDir, version: &str) -> Option<PathBuf> {
    left_out::program("rpm", "rpm")?;
    let tool = generate_rpm()?;
    let directory = directory.path().join(version);
    fs::create_dir_all(directory.join("release")).unwrap();
    program(&directory.join("release"));
    done(
        Command::new(tool)
            .arg("generate-rpm")
            .arg("--target-dir")
            .arg(&directory)
            .arg("--set-metadata")
            .arg(format!("version = \"{version}\""))
            .arg("--payload-compress=none")
            .arg("--output")
            .arg(&directory)
            .current_dir(root()),
    );
    Some(only_file(&directory, "rpm"))
}
