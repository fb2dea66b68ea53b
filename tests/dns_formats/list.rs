//! What `--format` offers, and what is said beside the record.

use crate::place::{Place, stderr, stdout};
use crate::records::Records;

#[test]
fn the_list_names_every_form_and_needs_no_domain() {
    let list = Place::new().ok("dns --format list");
    for name in [
        "quoted",
        "plain",
        "bind",
        "route53-json",
        "cloudflare-json",
        "gcloud",
        "azure",
        "digitalocean",
        "nsupdate",
        "pdnsutil",
        "tinydns",
        "unbound",
        "terraform-aws",
        "terraform-google",
        "terraform-cloudflare",
        "terraform-azurerm",
        "octodns",
        "dnscontrol",
        "cname",
        "json",
    ] {
        let line = list
            .lines()
            .find(|line| line.split(' ').next() == Some(name));
        assert!(line.is_some_and(|line| line.len() > 30), "{name} in {list}");
    }
    assert_eq!(list.lines().count(), 20, "{list}");
}

#[test]
fn another_form_needs_a_domain() {
    let said = Place::new().refused("dns --format bind");
    assert!(said.contains("name the domain"), "{said}");
}

#[test]
fn a_long_answer_is_warned_of_and_a_short_one_is_not() {
    let records = Records::new();
    let long = records
        .place
        .signet("dns example.com --selector rsa4096 --format bind");
    assert!(
        stderr(&long).contains("more than the 512 of plain DNS"),
        "{long:?}"
    );
    assert!(!stdout(&long).contains("512"), "{long:?}");
    assert!(
        records
            .place
            .ok("dns example.com --selector rsa4096")
            .contains("Note: the DNS answer has 8")
    );
    for selector in ["rsa2048", "ed25519"] {
        let short = records.place.signet(&format!(
            "dns example.com --selector {selector} --format bind"
        ));
        assert!(!stderr(&short).contains("512"), "{short:?}");
    }
}
