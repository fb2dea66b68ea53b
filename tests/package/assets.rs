//! What the two packages are to contain, by Cargo.toml: both the same files, in the places that each family of distributions has for them.

use std::collections::BTreeMap;
use std::path::Path;

use toml::{Table, Value};

/// Where a file goes, and with which mode.
type Place = (String, String);

fn metadata(tool: &str) -> Table {
    let manifest: Table = include_str!("../../Cargo.toml").parse().unwrap();
    let metadata = manifest["package"]["metadata"][tool].as_table();
    metadata.unwrap().clone()
}

/// Every file that a line of `assets` names: what it is here, and its place there.
fn expanded(source: &str, destination: &str, mode: &str) -> Vec<(String, Place)> {
    let mut files = vec![source.to_owned()];
    if let Some((directory, end)) = source.split_once('*') {
        let here = Path::new(env!("CARGO_MANIFEST_DIR")).join(directory);
        let names = std::fs::read_dir(here).unwrap();
        let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let matching = names.filter(|name| name.ends_with(end));
        files = matching.map(|name| format!("{directory}{name}")).collect();
    }
    let destination = format!("/{}", destination.trim_start_matches('/'));
    let place = |file: &str| match destination.ends_with('/') {
        true => format!("{destination}{}", file.rsplit('/').next().unwrap()),
        false => destination.clone(),
    };
    let files = files.into_iter().map(|file| {
        let place = (place(&file), mode.to_owned());
        (file, place)
    });
    files.collect()
}

fn of_debian() -> BTreeMap<String, Place> {
    let assets = metadata("deb")["assets"].clone();
    let assets = assets.as_array().unwrap().iter().flat_map(|asset| {
        let [source, destination, mode] = [0, 1, 2].map(|index| asset[index].as_str().unwrap());
        expanded(source, destination, mode)
    });
    assets.collect()
}

fn of_red_hat() -> BTreeMap<String, Place> {
    let assets = metadata("generate-rpm")["assets"].clone();
    let assets = assets.as_array().unwrap().iter().flat_map(|asset| {
        let [source, destination, mode] =
            ["source", "dest", "mode"].map(|key| asset[key].as_str().unwrap());
        expanded(source, destination, mode)
    });
    assets.collect()
}

#[test]
fn both_packages_have_the_same_files() {
    let in_red_hat = |(place, mode): &Place| {
        let place = place
            .replace("/vendor-completions/", "/site-functions/")
            .replace("/lib/systemd/system/", "/usr/lib/systemd/system/");
        (place, mode.clone())
    };
    let mut debian = of_debian();
    // SELinux has its place there.
    assert!(debian.remove("contrib/apparmor/signet").is_some());
    // Debian keeps the words of licences in one place, Red Hat with each package.
    assert!(debian.remove("contrib/debian/copyright").is_some());
    let expected: BTreeMap<_, _> = debian
        .iter()
        .map(|(file, place)| (file.clone(), in_red_hat(place)))
        .collect();
    let mut red_hat = of_red_hat();
    for licence in ["LICENSE-APACHE", "LICENSE-MIT"] {
        let place = format!("/usr/share/licenses/signet/{licence}");
        assert_eq!(red_hat.remove(licence), Some((place, "644".to_owned())));
    }
    assert_eq!(red_hat, expected);
    assert!(expected.len() > 20, "{expected:#?}");
}

#[test]
fn every_file_and_script_of_the_packages_is_there() {
    let mut files: Vec<_> = of_debian().into_keys().collect();
    files.retain(|file| file != "target/release/signet");
    let rpm = metadata("generate-rpm");
    for script in ["post_install", "pre_uninstall", "post_uninstall"] {
        let path = rpm[&format!("{script}_script")].as_str().unwrap();
        files.push(path.to_owned());
    }
    for script in ["postinst", "prerm", "postrm"] {
        files.push(format!("contrib/debian/{script}"));
    }
    for file in files {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(&file);
        assert!(path.is_file(), "{file}");
    }
}

/// What an administrator may change, an upgrade leaves alone.
#[test]
fn files_in_etc_are_configuration_in_both_packages() {
    let in_etc = |places: BTreeMap<String, Place>| {
        let places = places.into_values().map(|(place, _)| place);
        let mut places: Vec<_> = places.filter(|place| place.starts_with("/etc/")).collect();
        places.sort();
        places
    };
    let strings = |value: &Value| {
        let values = value.as_array().unwrap().iter();
        let mut values: Vec<_> = values
            .map(|value| value.as_str().unwrap().to_owned())
            .collect();
        values.sort();
        values
    };
    assert_eq!(strings(&metadata("deb")["conf-files"]), in_etc(of_debian()));
    let rpm = metadata("generate-rpm")["assets"].clone();
    let kept = rpm.as_array().unwrap().iter().filter(|asset| {
        asset
            .get("config")
            .is_some_and(|config| config.as_str() == Some("noreplace"))
    });
    let kept: Vec<_> = kept.map(|asset| asset["dest"].as_str().unwrap()).collect();
    assert_eq!(kept, in_etc(of_red_hat()));
}
