//! A key directory in every state that administrators leave one in.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::*;
use crate::dkim::KeyError;
use crate::names::{DomainName, Selector};

struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn file(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        path
    }

    fn directory(&self) -> KeyDirectory {
        KeyDirectory::open(self.0.path()).unwrap()
    }

    fn load(&self, path: &Path) -> Result<crate::dkim::SigningKey, KeyFileError> {
        self.directory().load(path)
    }
}

fn names(scan: &Scan) -> Vec<String> {
    let name = |key: &KeyEntry| format!("{} {}", key.domain, key.selector);
    scan.keys.iter().map(name).collect()
}

fn key() -> String {
    generate(Algorithm::Ed25519).unwrap().to_string()
}

#[test]
fn keys_are_found_by_their_place_in_order() {
    let place = Place::new();
    place.file("b.example/s2.pem", "");
    place.file("b.example/s1.pem", "");
    place.file("A.Example/2024.mail.pem", "");
    let scan = place.directory().scan();
    assert_eq!(
        names(&scan),
        ["a.example 2024.mail", "b.example s1", "b.example s2"]
    );
    assert_eq!(scan.keys[0].path, place.path("A.Example/2024.mail.pem"));
    assert_eq!(scan.problems, []);
    assert_eq!(scan.ignored, []);
}

#[test]
fn what_is_no_key_is_passed_over_with_a_reason() {
    let place = Place::new();
    for name in [
        "README.md",
        "a.example/s1.key",
        "a.example/.s1.pem.swp",
        ".git/config",
        "lost+found/x",
    ] {
        place.file(name, "");
    }
    let scan = place.directory().scan();
    assert_eq!((names(&scan), scan.problems), (vec![], vec![]));
    let ignored: Vec<_> = scan
        .ignored
        .iter()
        .map(|file| {
            let path = file.path.strip_prefix(place.0.path()).unwrap();
            (path.to_str().unwrap(), file.reason)
        })
        .collect();
    assert_eq!(
        ignored,
        [
            (".git", "its name begins with a dot"),
            (
                "README.md",
                "a key lies in a directory named after its domain"
            ),
            ("a.example/.s1.pem.swp", "its name begins with a dot"),
            ("a.example/s1.key", "the name of a key ends in .pem"),
            ("a.example", "there is no key in it"),
            ("lost+found", "it belongs to the file system"),
        ]
    );
}

#[test]
fn a_wrong_name_is_a_problem_of_its_own_and_the_rest_is_found() {
    let place = Place::new();
    place.file("not a domain/s1.pem", "");
    place.file("a.example/s 1.pem", "");
    place.file("a.example/s2.pem", "");
    let scan = place.directory().scan();
    assert_eq!(names(&scan), ["a.example s2"]);
    let problems: Vec<_> = scan
        .problems
        .iter()
        .map(|problem| (problem.domain.as_ref().map(|d| d.as_str()), &problem.error))
        .collect();
    assert!(
        matches!(
            problems[..],
            [
                (Some("a.example"), ScanError::NotASelector { .. }),
                (None, ScanError::NotADomain { .. })
            ]
        ),
        "{problems:?}"
    );
}

#[test]
fn selectors_that_differ_only_in_case_are_one_and_neither_is_used() {
    let place = Place::new();
    let first = place.file("a.example/S1.pem", "");
    let second = place.file("a.example/s1.pem", "");
    // The case of the directory does not matter more than that of the file.
    place.file("b.example/s1.pem", "");
    place.file("B.example/s1.pem", "");
    place.file("b.example/s2.pem", "");
    let scan = place.directory().scan();
    assert_eq!(names(&scan), ["b.example s2"]);
    assert_eq!(scan.problems.len(), 2);
    assert_eq!(
        scan.problems[0].error,
        ScanError::Duplicate { first, second }
    );
    let selector = scan.problems[1].selector.as_ref().unwrap();
    assert_eq!(selector.as_str(), "s1");
}

#[test]
fn a_key_that_was_written_is_found_and_read() {
    let place = Place::new();
    let domain = "a.example".parse().unwrap();
    let selector = "s1".parse().unwrap();
    let path = write_new(&place.path("new"), &domain, &selector, &key()).unwrap();
    let directory = KeyDirectory::open(place.path("new")).unwrap();
    assert_eq!(
        directory.scan().keys,
        [KeyEntry {
            domain: domain.clone(),
            selector: selector.clone(),
            path: path.clone()
        }]
    );
    assert_eq!(directory.load(&path).unwrap().bits(), 256);
    assert!(matches!(
        write_new(&place.path("new"), &domain, &selector, &key()),
        Err(WriteError::Exists { .. })
    ));
}

#[test]
fn a_key_that_others_can_read_is_refused_with_the_command_that_mends_it() {
    let place = Place::new();
    let path = place.file("a.example/s1.pem", key());
    for mode in [0o640, 0o604, 0o620, 0o644, 0o610] {
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        let error = place.load(&path).unwrap_err();
        assert!(matches!(error, KeyFileError::TooOpen { mode: found, .. } if found == mode));
        let said = error.to_string();
        assert!(said.contains(&format!("mode 0{mode:o}")), "{said}");
        assert!(
            said.ends_with(&format!("run: chmod 600 {}", path.display())),
            "{said}"
        );
        // OpenDKIM's RequireSafeKeys no.
        assert!(place.directory().require_safe(false).load(&path).is_ok());
    }
    fs::set_permissions(&path, Permissions::from_mode(0o400)).unwrap();
    assert!(place.load(&path).is_ok());
}

#[test]
fn a_link_is_followed_and_the_mode_is_that_of_the_file() {
    let place = Place::new();
    let target = place.file("secret/key", key());
    fs::create_dir(place.path("a.example")).unwrap();
    let link = place.path("a.example/s1.pem");
    symlink("../secret/key", &link).unwrap();
    assert!(place.load(&link).is_ok());
    fs::set_permissions(&target, Permissions::from_mode(0o644)).unwrap();
    assert!(matches!(
        place.load(&link),
        Err(KeyFileError::TooOpen { .. })
    ));
}

#[test]
fn what_is_not_a_regular_file_is_not_waited_for() {
    let place = Place::new();
    fs::create_dir(place.path("directory.pem")).unwrap();
    let fifo = place.path("fifo.pem");
    let made = std::process::Command::new("mkfifo").arg(&fifo).status();
    assert!(made.unwrap().success());
    for path in [fifo, place.path("directory.pem"), "/dev/zero".into()] {
        let error = place.load(&path).unwrap_err();
        assert_eq!(error, KeyFileError::NotAFile { path });
    }
}

#[test]
fn a_file_of_more_than_64_kib_is_not_read() {
    let place = Place::new();
    let path = place.file("s1.pem", " ".repeat(65_536));
    assert!(matches!(
        place.load(&path),
        Err(KeyFileError::NotAKey { .. })
    ));
    let path = place.file("s1.pem", " ".repeat(65_537));
    assert_eq!(
        place.load(&path).unwrap_err(),
        KeyFileError::TooLarge { path }
    );
    // A file system that says nothing about sizes beforehand.
    let endless = Path::new("/proc/self/maps");
    let directory = place.directory().require_safe(false);
    assert!(matches!(
        directory.load(endless),
        Err(KeyFileError::NotAKey { .. } | KeyFileError::TooLarge { .. })
    ));
}

#[test]
fn what_is_no_key_says_what_it_is() {
    let place = Place::new();
    let path = place.file("s1.pem", "hello");
    let error = place.load(&path).unwrap_err();
    assert!(matches!(
        &error,
        KeyFileError::NotAKey {
            source: KeyError::NotPem,
            ..
        }
    ));
    assert_eq!(
        error.to_string(),
        format!("{} holds no usable key", path.display())
    );
    let gone = place.load(&place.path("gone.pem")).unwrap_err();
    assert!(matches!(gone, KeyFileError::Missing { .. }), "{gone}");
}

#[test]
fn a_directory_that_is_not_one_says_so() {
    let place = Place::new();
    assert!(matches!(
        KeyDirectory::open(place.path("gone")),
        Err(KeyDirectoryError::Missing { .. })
    ));
    let file = place.file("file", "");
    assert!(matches!(
        KeyDirectory::open(file),
        Err(KeyDirectoryError::NotADirectory { .. })
    ));
}

#[test]
fn two_new_keys_are_two_keys() {
    assert_ne!(key(), key());
}

fn example() -> (DomainName, Selector) {
    let domain = DomainName::parse("example.com").unwrap();
    (domain, Selector::parse("s1").unwrap())
}

#[test]
fn a_key_that_moves_in_is_written_once_and_another_stays() {
    let place = Place::new();
    let (domain, selector) = example();
    let (one, other) = (key(), key());
    let path = write_moved(place.0.path(), &domain, &selector, &one).unwrap();
    assert_eq!(
        write_moved(place.0.path(), &domain, &selector, &one).unwrap(),
        path
    );
    let refused = write_moved(place.0.path(), &domain, &selector, &other);
    assert!(matches!(refused, Err(WriteError::Exists { .. })));
    assert_eq!(fs::read_to_string(&path).unwrap(), one);
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o7777,
        0o600
    );
}

#[test]
fn a_link_gives_way_and_a_key_does_not() {
    let place = Place::new();
    let (domain, selector) = example();
    let path = place.0.path().join("example.com/s1.pem");
    for target in ["/keys/a", "/keys/a", "/keys/b"] {
        link(place.0.path(), &domain, &selector, Path::new(target)).unwrap();
        assert_eq!(fs::read_link(&path).unwrap(), Path::new(target));
    }
    fs::remove_file(&path).unwrap();
    write_new(place.0.path(), &domain, &selector, &key()).unwrap();
    let refused = link(place.0.path(), &domain, &selector, Path::new("/keys/a"));
    assert!(matches!(refused, Err(WriteError::Exists { .. })));
}

/// In /proc nothing can be made, and the system says "not found" of it however often it is tried.
#[test]
fn a_place_where_no_directory_can_be_made_is_an_error() {
    let (domain, selector) = example();
    let error = write_new(
        Path::new("/proc/keys-of-signet"),
        &domain,
        &selector,
        &key(),
    );
    assert!(
        matches!(error, Err(WriteError::Directory { .. })),
        "{error:?}"
    );
}
