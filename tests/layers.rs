//! The shape of the source: modules import downwards only, each outside library has
//! its place, and no file is too long to be read in one go.
#![allow(clippy::unwrap_used, reason = "tests may fail by panicking")]

use std::fs;
use std::path::Path;

/// Bottom first. A module is the longest entry that its path begins with.
const LAYERS: &[(&str, u8)] = &[
    ("names", 0),
    ("paint", 0),
    ("accelerator", 1),
    ("milter", 1),
    ("dkim", 1),
    ("dns", 1),
    ("dns/lookup", 2),
    ("config", 2),
    ("keys", 2),
    ("policy", 2),
    ("snapshot", 2),
    ("telemetry", 2),
    ("verify", 2),
    ("postfix", 2),
    ("filter", 3),
    ("setup", 3),
    ("doctor", 3),
    ("probe", 4),
    ("import", 3),
    ("server", 4),
    ("cli", 5),
    ("main", 6),
    // The list of the modules; imports nothing.
    ("lib", 6),
];

/// What may be named only below certain paths.
const PLACES: &[(&str, &[&str])] = &[
    ("tokio::", &["server", "cli", "dns/lookup", "verify"]),
    ("SystemTime::now", &["server", "cli"]),
    ("Timestamp::now", &["server", "cli"]),
    ("Zoned::now", &["server", "cli"]),
    ("Instant::now", &["server", "cli"]),
    ("clap::", &["cli"]),
    ("toml::", &["config/raw"]),
    // JSON for people's scripts.
    (
        "serde::",
        &[
            "config/raw",
            "dns/format",
            "verify/json",
            "doctor/json",
            "server/status",
            "telemetry",
            "cli",
        ],
    ),
    (
        "serde_json::",
        &[
            "dns/format",
            "verify/json",
            "doctor/json",
            "server/status",
            "telemetry",
            "cli",
        ],
    ),
    ("mail_parser::", &["policy/author"]),
    ("mail_auth::", &["verify"]),
    // The one file where `unsafe` is allowed.
    ("unsafe", &["accelerator/ffi"]),
    ("libloading::", &["accelerator/ffi"]),
    ("std::net::Tcp", &["server", "cli", "probe"]),
    // The log of the journal goes through a socket.
    (
        "std::os::unix::net",
        &["server", "cli", "probe", "telemetry/journal"],
    ),
];

/// Of any source file, tests included.
const LONGEST: usize = 400;

/// A source file by its path under `src/` without `.rs` and `/mod`.
struct Source {
    module: String,
    /// Without comments and without the tests at the end.
    code: String,
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut sources = Vec::new();
    for (path, text) in files(&root) {
        let path = path.strip_prefix(root.to_str().unwrap()).unwrap();
        let module = path.trim_start_matches('/').trim_end_matches(".rs");
        let module = module.strip_suffix("/mod").unwrap_or(module);
        if module.split('/').any(|part| part == "tests") {
            continue;
        }
        let code = text.split("#[cfg(test)]\nmod ").next().unwrap();
        let code = code
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"))
            .fold(String::new(), |code, line| code + line + "\n");
        sources.push(Source {
            module: module.into(),
            code,
        });
    }
    assert!(sources.len() > 30, "the source was not found");
    sources
}

/// Every Rust file below a directory, with its text.
fn files(directory: &Path) -> Vec<(String, String)> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(self::files(&path));
        } else if path.extension().is_some_and(|end| end == "rs") {
            files.push((
                path.to_str().unwrap().into(),
                fs::read_to_string(&path).unwrap(),
            ));
        }
    }
    files.sort();
    files
}

fn lies_in(module: &str, place: &str) -> bool {
    module
        .strip_prefix(place)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn layer(module: &str) -> Option<u8> {
    LAYERS
        .iter()
        .filter(|(place, _)| lies_in(module, place))
        .max_by_key(|(place, _)| place.len())
        .map(|(_, layer)| *layer)
}

/// The modules that a file names by `crate::` (in the binary, `signet::`): `dns/lookup`
/// for `crate::dns::lookup::X` and for `crate::{dns::lookup}`.
fn imports(source: &Source) -> Vec<String> {
    let mut imports = Vec::new();
    for root in ["crate::", "signet::"] {
        for behind in source.code.split(root).skip(1) {
            let group = behind.strip_prefix('{').map_or_else(
                || vec![behind],
                |group| top_level(group.split("};").next().unwrap_or(group)),
            );
            imports.extend(group.iter().map(|path| {
                let end = path
                    .find(|c: char| !c.is_alphanumeric() && c != '_' && c != ':')
                    .unwrap_or(path.len());
                path.split_at(end).0.replace("::", "/")
            }));
        }
    }
    imports.retain(|import| !import.is_empty());
    imports
}

/// The members of a group, `a::b` and `c::{d, e}` of `a::b, c::{d, e}`.
fn top_level(group: &str) -> Vec<&str> {
    let mut depth = 0;
    group
        .split(move |c| {
            depth += i32::from(c == '{') - i32::from(c == '}');
            c == ',' && depth == 0
        })
        .map(str::trim)
        .collect()
}

#[test]
fn every_module_has_a_layer() {
    for source in sources() {
        assert!(
            layer(&source.module).is_some(),
            "src/{}.rs is in no layer: give it one in tests/layers.rs",
            source.module
        );
    }
}

#[test]
fn imports_point_down() {
    let mut upward = Vec::new();
    let mut seen = 0;
    for source in sources() {
        for import in imports(&source) {
            let (Some(from), Some(to)) = (layer(&source.module), layer(&import)) else {
                continue;
            };
            seen += 1;
            if to > from {
                upward.push(format!(
                    "{} ({from}) imports {import} ({to})",
                    source.module
                ));
            }
        }
    }
    assert!(seen > 20, "only {seen} imports were found");
    assert!(upward.is_empty(), "imports that point up: {upward:#?}");
}

#[test]
fn outside_libraries_stay_in_their_places() {
    let mut strays = Vec::new();
    for source in sources() {
        for (name, places) in PLACES {
            let named = source.code.match_indices(name).any(|(at, _)| {
                let before = source.code.as_bytes().get(at.wrapping_sub(1));
                !before.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
            });
            if named && !places.iter().any(|place| lies_in(&source.module, place)) {
                strays.push(format!("{name} in src/{}.rs", source.module));
            }
        }
    }
    assert!(strays.is_empty(), "named outside their places: {strays:#?}");
}

#[test]
fn no_file_is_over_400_lines() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut long = Vec::new();
    for directory in ["src", "tests", "benches", "fuzz/entry", "fuzz/fuzz_targets"] {
        let directory = root.join(directory);
        if !directory.exists() {
            continue;
        }
        for (path, text) in files(&directory) {
            let lines = text.lines().count();
            if lines > LONGEST {
                long.push(format!("{path}: {lines} lines"));
            }
        }
    }
    assert!(long.is_empty(), "split by what they do: {long:#?}");
}
