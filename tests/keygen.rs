//! `signet keygen` as an administrator meets them: the program itself,
//! in a temporary directory, with OpenSSL and BIND to judge what it makes.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests may fail by panicking"
)]

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use base64ct::{Base64, Encoding};
use signet::dns::KeyRecord;

mod left_out;
mod place;

use place::{Place, SIGNET, stderr, stdout};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn quoted_value(story: &str) -> &str {
    let mut values = story.lines().filter(|line| line.starts_with('"'));
    let value = values.next().unwrap();
    assert_eq!(values.next(), None, "the value is on one line");
    value
}

/// The strings of `"A" "B"` joined, each checked for its length.
fn rejoined(quoted: &str) -> String {
    let inner = quoted.trim().strip_prefix('"').unwrap();
    let inner = inner.strip_suffix('"').unwrap();
    inner
        .split("\" \"")
        .inspect(|string| assert!(string.len() <= 255, "{} bytes", string.len()))
        .collect()
}

#[test]
fn the_story_tells_the_name_the_value_on_one_line_and_what_to_do() {
    let place = Place::new();
    let story = place.ok("keygen Example.COM --selector s1");
    assert!(story.contains("s1._domainkey.example.com\n"), "{story}");
    assert!(
        story.contains(" s1._domainkey (if the zone is example.com;"),
        "{story}"
    );
    assert!(story.contains("Amazon Route53: paste the value exactly as it is"));
    assert!(story.contains("Fingerprint:     SHA256:"), "{story}");
    assert!(story.contains("Next: "), "{story}");
    let key = place.key("example.com", "s1");
    assert!(story.contains(key.to_str().unwrap()), "{story}");

    let value = quoted_value(&story);
    assert!(value.contains("\" \""), "two strings: {value}");
    let record = KeyRecord::parse(&rejoined(value)).unwrap();
    assert_eq!(record.bits(), 2048);
    assert!(!story.contains("PRIVATE"), "no part of the key itself");
    assert_eq!(quoted_value(&place.ok("dns example.com")), value);
}

#[test]
fn the_default_selector_is_the_day() {
    let place = Place::new();
    let day = || {
        let date = Command::new("date").args(["-u", "+s%Y%m%d"]).output();
        stdout(&date.unwrap()).trim().to_owned()
    };
    let before = day();
    place.ok("keygen example.com --algorithm ed25519");
    let made = place.files()[0].file_stem().unwrap().to_owned();
    assert!([before, day()].contains(&made.into_string().unwrap()));
}

#[test]
fn only_the_owner_can_read_what_is_made_whatever_the_umask() {
    let place = Place::new();
    let made = Command::new("sh")
        .args(["-c", "umask 000; exec \"$@\"", "sh", SIGNET, "keygen"])
        .args(["example.com", "--selector", "s1", "--algorithm", "ed25519"])
        .arg("--keys")
        .arg(place.keys())
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    assert_eq!(mode(&place.key("example.com", "s1")), 0o600);
    assert_eq!(mode(&place.keys().join("example.com")), 0o700);
    assert_eq!(mode(&place.keys()), 0o700);
    assert_eq!(mode(&place.directory.path().join("state")), 0o700);
}

#[test]
fn directories_that_are_there_keep_their_mode() {
    let place = Place::new();
    fs::create_dir_all(place.keys()).unwrap();
    fs::set_permissions(place.keys(), fs::Permissions::from_mode(0o751)).unwrap();
    place.ok("keygen example.com --selector s1 --algorithm ed25519");
    assert_eq!(mode(&place.keys()), 0o751);
    assert_eq!(mode(&place.keys().join("example.com")), 0o700);
}

#[test]
fn what_root_makes_belongs_to_the_owner_of_the_directory() {
    let place = Place::new();
    fs::create_dir_all(place.keys()).unwrap();
    let as_root = std::os::unix::fs::chown(place.keys(), Some(65534), Some(65534)).is_ok();
    place.ok("keygen example.com --selector s1 --algorithm ed25519");
    let owner = fs::metadata(place.keys()).unwrap().uid();
    assert_eq!(owner == 65534, as_root);
    for path in [
        place.keys().join("example.com"),
        place.key("example.com", "s1"),
    ] {
        assert_eq!(fs::metadata(&path).unwrap().uid(), owner, "{path:?}");
    }
}

#[test]
fn a_key_is_never_overwritten() {
    let place = Place::new();
    place.ok("keygen example.com --selector s1 --algorithm ed25519");
    let key = place.key("example.com", "s1");
    let before = fs::read(&key).unwrap();
    let said = place.refused("keygen EXAMPLE.com --selector S1 --algorithm ed25519");
    assert!(said.contains("another --selector"), "{said}");
    assert!(said.contains(key.to_str().unwrap()), "{said}");
    assert_eq!(fs::read(&key).unwrap(), before);
    assert_eq!(place.files(), std::slice::from_ref(&key));

    // The same name in other letters is the same name to DNS.
    fs::rename(&key, place.key("example.com", "S1")).unwrap();
    place.refused("keygen example.com --selector s1 --algorithm ed25519");
    assert_eq!(place.files(), [place.key("example.com", "S1")]);
}

#[test]
fn of_many_at_once_exactly_one_wins() {
    let place = Place::new();
    for round in 0..5 {
        let selector = format!("s{round}");
        let running: Vec<_> = (0..8)
            .map(|_| {
                Command::new(SIGNET)
                    .args(["keygen", "example.com", "--algorithm", "ed25519"])
                    .args(["--format", "plain", "--selector", &selector, "--keys"])
                    .arg(place.keys())
                    .stdout(Stdio::piped())
                    .stderr(Stdio::piped())
                    .spawn()
                    .unwrap()
            })
            .collect();
        let ended: Vec<_> = running
            .into_iter()
            .map(|process| process.wait_with_output().unwrap())
            .collect();
        let winners: Vec<_> = ended.iter().filter(|end| end.status.success()).collect();
        assert_eq!(winners.len(), 1, "{ended:?}");
        // And the key on disk is the one whose record was printed.
        let again = place.ok(&format!(
            "dns example.com --format plain --selector {selector}"
        ));
        assert_eq!(again, stdout(winners[0]));
    }
    assert_eq!(place.files().len(), 5, "no temporary file is left");
}

#[test]
fn a_disk_that_takes_no_more_leaves_nothing_behind() {
    let place = Place::new();
    fs::create_dir_all(place.keys()).unwrap();
    // A file size limit of nothing makes the first write fail, as a full disk does.
    let output = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 0; exec \"$@\"", "sh", SIGNET])
        .args(["keygen", "example.com", "--algorithm", "ed25519", "--keys"])
        .arg(place.keys())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let said = stderr(&output);
    assert!(said.contains("the key could not be written to"), "{said}");
    assert!(said.to_lowercase().contains("file too large"), "{said}");
    assert_eq!(place.files(), Vec::<PathBuf>::new());
    assert_eq!(stdout(&output), "");
}

/// A file system of its own, with not a byte left, that ends with the command.
#[test]
fn a_full_disk_gets_no_part_of_a_key() {
    if !left_out::is_root() {
        return;
    }
    let place = Place::new();
    fs::create_dir_all(place.keys()).unwrap();
    let script = "mount -t tmpfs -o size=64k none \"$0\" || exit 77
        head -c 1M /dev/zero >\"$0/fill\" 2>/dev/null
        \"$@\"; code=$?
        find \"$0\" -type f
        exit $code";
    let output = Command::new("unshare")
        .args(["--mount", "sh", "-c", script])
        .arg(place.keys())
        .args([SIGNET, "keygen", "example.com", "--keys"])
        .arg(place.keys())
        .output()
        .unwrap();
    if output.status.code() == Some(77) {
        left_out::cannot_be_mended("root may mount no file system here");
        return;
    }
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let said = stderr(&output);
    assert!(said.to_lowercase().contains("no space left"), "{said}");
    assert!(said.contains("the key could not be written to"), "{said}");
    let left = place.keys().join("fill").display().to_string();
    assert_eq!(stdout(&output).trim(), left);
}

#[test]
fn a_directory_that_cannot_be_made_is_named() {
    let place = Place::new();
    fs::write(place.directory.path().join("state"), "a file").unwrap();
    let said = place.refused("keygen example.com --algorithm ed25519");
    assert!(said.contains("could not be made"), "{said}");
    assert!(said.contains("state/keys"), "{said}");
}

#[test]
fn with_a_format_standard_output_is_that_text_alone() {
    let place = Place::new();
    let output = place.signet("keygen example.com --selector s1 --format bind --format plain");
    let text = stdout(&output);
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 3, "{text}");
    assert!(lines[0].starts_with("s1._domainkey.example.com. 300 IN TXT ( \"v=DKIM1; "));
    assert!(lines[1].starts_with("    \"") && lines[1].ends_with("\" )"));
    assert!(KeyRecord::parse(lines[2]).is_ok());
    let explained = stderr(&output);
    assert!(explained.contains("Private key: "), "{explained}");
    assert!(explained.contains("Next: "), "{explained}");
    assert_eq!(
        place.ok("dns example.com --format bind --format plain"),
        text
    );
    assert_eq!(
        place.ok("dns example.com --format route53"),
        place.ok("dns example.com --format quoted")
    );
}

#[test]
fn when_the_record_cannot_be_printed_the_key_is_still_named() {
    let place = Place::new();
    let output = Command::new(SIGNET)
        .args(["keygen", "example.com", "--selector", "s1"])
        .args(["--algorithm", "ed25519", "--keys"])
        .arg(place.keys())
        .stdout(fs::File::create("/dev/full").unwrap())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let key = place.key("example.com", "s1");
    let said = stderr(&output);
    assert!(
        said.contains(&format!("the key is in {}", key.display())),
        "{said}"
    );
    assert!(key.exists());
}

#[test]
fn route53_json_is_a_change_batch() {
    let place = Place::new();
    place.ok("keygen example.com --selector s1");
    place.ok("keygen example.com --selector s2 --algorithm ed25519");
    let text = place.ok("dns example.com --format route53-json");
    let batch: serde_json::Value = serde_json::from_str(&text).unwrap();
    let changes = batch["Changes"].as_array().unwrap();
    assert_eq!(changes.len(), 2, "one batch with every key: {text}");
    for (change, selector) in changes.iter().zip(["s1", "s2"]) {
        let set = &change["ResourceRecordSet"];
        assert_eq!(change["Action"], "UPSERT");
        assert_eq!(set["Type"], "TXT");
        assert_eq!(set["TTL"], 300);
        assert_eq!(set["Name"], format!("{selector}._domainkey.example.com."));
        let value = set["ResourceRecords"][0]["Value"].as_str().unwrap();
        let plain = place.ok(&format!(
            "dns example.com --selector {selector} --format plain"
        ));
        assert_eq!(rejoined(value), plain.trim_end());
    }
}

/// One key of each kind: BIND loads the record and gives it back, OpenSSL reads the
/// private key and agrees about the public one.
#[test]
fn bind_and_openssl_agree_about_every_kind_of_key() {
    let place = Place::new();
    let mut zone = "$TTL 300\n@ IN SOA ns.example.net. root.example.net. 1 7200 900 1209600 300\n\
                    @ IN NS ns.example.net.\n"
        .to_owned();
    let kinds = [
        ("r2", "--bits 2048", 2048),
        ("r3", "--bits 3072", 3072),
        ("r4", "--algorithm rsa --bits 4096", 4096),
        ("ed", "--algorithm ed25519", 256),
    ];
    for (selector, arguments, bits) in kinds {
        zone += &place.ok(&format!(
            "keygen example.com --selector {selector} {arguments} --format bind"
        ));
        let plain = place.ok(&format!(
            "dns example.com --selector {selector} --format plain"
        ));
        let record = KeyRecord::parse(plain.trim_end()).unwrap();
        assert_eq!(record.bits(), bits);
        let tags: Vec<_> = plain.split("; ").map(|tag| &tag[..2]).collect();
        assert_eq!(tags, ["v=", "k=", "p="], "{plain}");
        agrees_with_openssl(&place.key("example.com", selector), &record);
    }

    let zone_file = place.directory.path().join("example.com.zone");
    fs::write(&zone_file, &zone).unwrap();
    let Some(checkzone) = left_out::program("named-checkzone", "bind9-utils") else {
        return;
    };
    let dump = Command::new(checkzone)
        .args(["-D", "-o", "-", "example.com"])
        .arg(&zone_file)
        .output()
        .unwrap();
    assert!(dump.status.success(), "{dump:?}");
    for (selector, _, _) in kinds {
        let name = format!("{selector}._domainkey.example.com.");
        let dumped = stdout(&dump);
        let line = dumped.lines().find(|line| line.starts_with(&name)).unwrap();
        let loaded = rejoined(line.split_once("TXT").unwrap().1);
        let plain = place.ok(&format!(
            "dns example.com --selector {selector} --format plain"
        ));
        assert_eq!(loaded, plain.trim_end());
    }
}

fn agrees_with_openssl(key: &Path, record: &KeyRecord) {
    let Some(openssl) = left_out::program("openssl", "openssl") else {
        return;
    };
    assert!(
        fs::read_to_string(key)
            .unwrap()
            .starts_with("-----BEGIN PRIVATE KEY-----\n")
    );
    let public = Command::new(openssl)
        .args(["pkey", "-pubout", "-outform", "DER", "-in"])
        .arg(key)
        .output()
        .unwrap();
    assert!(public.status.success(), "{public:?}");
    if record.bits() == 256 {
        // RFC 8463 §4.2: the key alone, the last 32 bytes of what OpenSSL writes.
        assert_eq!(public.stdout[12..], record.public_key);
    } else {
        assert_eq!(public.stdout, record.public_key);
    }
    assert!(
        record
            .to_string()
            .ends_with(&Base64::encode_string(&record.public_key))
    );
}
