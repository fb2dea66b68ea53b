//! Everything that is built into signet, or builds it, or tests it, is under a licence
//! of the list in deny.toml, nothing is under the GPL, and CONTRIBUTING.md says why each
//! is there.
#![allow(clippy::unwrap_used, reason = "tests may fail by panicking")]

use std::collections::{BTreeSet, HashMap};
use std::process::Command;

use serde::Deserialize;
use spdx::{Expression, LicenseReq, ParseMode};

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    resolve: Resolve,
}

#[derive(Deserialize)]
struct Package {
    id: String,
    name: String,
    version: String,
    license: Option<String>,
}

#[derive(Deserialize)]
struct Resolve {
    root: String,
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    dependencies: Vec<String>,
}

#[derive(Deserialize)]
struct Deny {
    licenses: Licenses,
}

#[derive(Deserialize)]
struct Licenses {
    allow: BTreeSet<String>,
}

fn allowed() -> BTreeSet<String> {
    let text = include_str!("../deny.toml");
    toml::from_str::<Deny>(text).unwrap().licenses.allow
}

/// Whether one can take the package under licences of the list alone.
fn is_allowed(expression: &str, list: &BTreeSet<String>) -> bool {
    // Lax takes the old way of writing OR, "MIT/Apache-2.0".
    let expression = Expression::parse_mode(expression, ParseMode::LAX).unwrap();
    expression.evaluate(|licence: &LicenseReq| list.contains(&licence.to_string()))
}

#[test]
fn every_dependency_has_a_permissive_licence() {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--offline", "--locked", "--format-version", "1"])
        .args([
            "--manifest-path",
            concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"),
        ])
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let metadata: Metadata = serde_json::from_slice(&output.stdout).unwrap();
    let nodes: HashMap<_, _> = metadata
        .resolve
        .nodes
        .iter()
        .map(|node| (&node.id, &node.dependencies))
        .collect();
    let mut reached = BTreeSet::new();
    let mut next = vec![&metadata.resolve.root];
    while let Some(id) = next.pop() {
        if reached.insert(id) {
            next.extend(nodes.get(id).into_iter().copied().flatten());
        }
    }
    assert!(reached.len() > 100, "the graph was walked");

    let list = allowed();
    let refused: Vec<_> = metadata
        .packages
        .iter()
        .filter(|package| reached.contains(&package.id))
        .filter(|package| {
            let licence = package.license.as_deref();
            !licence.is_some_and(|licence| is_allowed(licence, &list))
        })
        .map(|package| {
            format!(
                "{} {}: {:?}",
                package.name, package.version, package.license
            )
        })
        .collect();
    assert!(refused.is_empty(), "not allowed: {refused:#?}");
}

#[test]
fn every_dependency_has_its_reason_in_contributing() {
    let manifest: toml::Table = include_str!("../Cargo.toml").parse().unwrap();
    let reasons = include_str!("../CONTRIBUTING.md");
    let named: BTreeSet<_> = ["dependencies", "dev-dependencies"]
        .iter()
        .filter_map(|table| manifest.get(*table)?.as_table())
        .flat_map(|table| table.keys().cloned())
        .collect();
    let explained: BTreeSet<_> = reasons
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once("` | "))
        .filter(|(_, reason)| reason.len() > 2)
        .map(|(name, _)| name.to_owned())
        .collect();
    assert_eq!(named, explained);
}

#[test]
fn the_list_itself_has_nothing_like_the_gpl() {
    let list = allowed();
    assert!(
        !list.iter().any(|licence| licence.contains("GPL")),
        "{list:?}"
    );
    assert!(is_allowed("GPL-3.0-only OR MIT", &list));
    for licence in [
        "GPL-3.0-or-later",
        "MIT AND LGPL-2.1-only",
        "AGPL-3.0-only",
        "MPL-2.0",
    ] {
        assert!(!is_allowed(licence, &list), "{licence}");
    }
}
