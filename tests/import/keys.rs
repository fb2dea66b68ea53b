//! Many key files, and keys that have no file.

use std::fmt::Write;
use std::os::unix::fs::MetadataExt;

use rsa::pkcs8::{EncodePrivateKey, LineEnding};
use signet::keys::{Algorithm, RsaSize, generate};
use zeroize::Zeroizing;

use super::*;

const TABLES: &str = "Mode s\nKeyTable file:keytable\nSigningTable file:signing\n";

fn succeeds(output: &Output) -> String {
    let said = String::from_utf8(output.stdout.clone()).unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    let end: Vec<_> = said.lines().rev().take(10).collect();
    assert!(output.status.success(), "{end:#?}\n{errors}");
    said
}

/// One that OpenDKIM has no trouble with.
fn rsa() -> Zeroizing<String> {
    generate(Algorithm::Rsa(RsaSize::Bits2048)).unwrap()
}

/// The signatures that a message by this author gets.
fn signed(case: &Case, author: &str) -> String {
    fs::write(
        case.path().join("message"),
        format!("From: {author}\n\nA test.\n"),
    )
    .unwrap();
    let message = succeeds(&case.signet("sign --config out/signet.toml message"));
    let ours = message.split("From: ").next().unwrap();
    ours.replace("\n ", " ")
}

#[test]
fn twenty_thousand_lines_become_a_table_and_links() {
    let (mut keys, mut signing) = (String::new(), String::new());
    for number in 0..20_000 {
        let name = format!("d{number}.example");
        writeln!(keys, "k{number} {name}:s1:./private/{number}.pem").unwrap();
        writeln!(signing, "{name} k{number}").unwrap();
    }
    signing.push_str("boss@d7.example k7:@d7.example\n");
    let case = Case::of(TABLES)
        .file("keytable", keys)
        .file("signing", signing);
    let private = case.path().join("private");
    fs::create_dir(&private).unwrap();
    for number in 0..20_000 {
        let key = private.join(format!("{number}.pem"));
        // Two keys are enough to tell them apart.
        match number {
            0 | 1 => fs::write(&key, rsa()).unwrap(),
            _ => fs::hard_link(private.join(format!("{}.pem", number % 2)), &key).unwrap(),
        }
        fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    }
    succeeds(&case.import());
    let config = fs::read_to_string(case.path().join("out/signet.toml")).unwrap();
    assert!(config.lines().count() < 100, "{}", config.len());
    let link = case.path().join("out/keys/d19999.example/s1.pem");
    assert_eq!(fs::read_link(link).unwrap(), private.join("19999.pem"));

    let checked = case.signet("check --config out/signet.toml");
    succeeds(&checked);
    let said = String::from_utf8(checked.stderr).unwrap();
    assert_eq!(said.lines().last(), Some("20001 keys for 20001 domains"));
    let signature = signed(&case, "ada@d19999.example");
    assert!(
        signature.contains(" d=d19999.example; s=s1; "),
        "{signature}"
    );
    // What a table cannot say stays in the config.
    assert!(signed(&case, "boss@d7.example").contains(" i=@d7.example; "));
}

#[test]
fn a_key_in_the_table_becomes_a_file_of_its_own() {
    // OpenDKIM reads lines of up to 1023 bytes, which a longer key does not fit into.
    let key = rsa::RsaPrivateKey::new(&mut rsa::rand_core::OsRng, 1024).unwrap();
    let pem = key.to_pkcs8_pem(LineEnding::LF).unwrap();
    let base64: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let keys = format!("k example.com:inline:{base64}\nlink example.com:file:./test.pem\n");
    let case = Case::of(TABLES)
        .file("keytable", keys)
        .file("signing", "example.com k\nuser@example.com link\n")
        .file("test.pem", &pem);
    fs::set_permissions(
        case.path().join("test.pem"),
        fs::Permissions::from_mode(0o600),
    )
    .unwrap();
    let report = succeeds(&case.import());
    let told = "changed    key in the table  (";
    let why = "written to keys/example.com/inline.pem beside the config";
    assert!(report.contains(told) && report.contains(why), "{report}");

    let file = case.path().join("out/keys/example.com/inline.pem");
    let written = fs::read_to_string(&file).unwrap();
    assert_eq!(written, *pem);
    assert_eq!(fs::metadata(&file).unwrap().mode() & 0o777, 0o600);
    let directory = fs::metadata(file.parent().unwrap()).unwrap();
    assert_eq!(directory.mode() & 0o777, 0o700);
    for told in [
        report,
        fs::read_to_string(case.path().join("out/signet.toml")).unwrap(),
    ] {
        assert!(!told.contains(&base64[..64]));
    }
    assert!(signed(&case, "ada@example.com").contains(" s=inline; "));
    assert!(signed(&case, "user@example.com").contains(" s=file; "));

    // Again is no harm; another key of this name is not replaced.
    succeeds(&case.import());
    let other = rsa();
    fs::write(&file, &other).unwrap();
    let refused = case.import();
    assert_eq!(refused.status.code(), Some(2));
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(
        said.contains("inline.pem is there already and is another key"),
        "{said}"
    );
    assert_eq!(fs::read_to_string(&file).unwrap(), *other);
}
