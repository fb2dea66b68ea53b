//! Rules: which domain signs for which author, and how, as verifiers see it.

use crate::instance::Setup;
use crate::keys::{ED25519, RSA};
use crate::stand::{Stand, message_from};

const RULES: &str = r#"
[[rule]]
pattern = "ceo@example.org"
domain = "vip.example"

[[rule]]
pattern = "example.org"
canonicalization = "simple/simple"

[[rule]]
pattern = ".example.org"
domain = "example.org"
identity = "@%d"

[[rule]]
pattern = "news-*@*"
domain = "bulk.example"
canonicalization = "relaxed/simple"
expiry = "7d"

[[rule]]
pattern = "*@*.customers.example"
multiple = true
domain = "bulk.example"

[[rule]]
pattern = "a.customers.example"
"#;

fn stand() -> Option<Stand> {
    let domains = [
        "example.org",
        "vip.example",
        "bulk.example",
        "a.customers.example",
    ];
    Stand::with(&Setup::default(), &domains, &[RSA, ED25519], RULES)
}

#[test]
fn the_most_specific_rule_signs() {
    let Some(stand) = stand() else { return };
    for (author, domain) in [
        ("ceo@example.org", "vip.example"),
        ("CEO@Example.Org", "vip.example"),
        ("ada@example.org", "example.org"),
        ("ada@deep.sub.example.org", "example.org"),
        ("news-7@elsewhere.example", "bulk.example"),
        // The domain's own rule comes before the glob.
        ("news-7@example.org", "example.org"),
    ] {
        stand.assert_signs_for(author, &[domain]);
    }
    let foreign = message_from("ada@elsewhere.example", "hello\r\n");
    stand.assert_unsigned(&stand.pass("signed", &foreign), &foreign, "reason=no-rule");
}

#[test]
fn a_rule_that_says_multiple_signs_beside_the_other() {
    let Some(stand) = stand() else { return };
    stand.assert_signs_for(
        "ada@a.customers.example",
        &["bulk.example", "a.customers.example"],
    );
    stand.assert_signs_for("ada@b.customers.example", &["bulk.example"]);
}

#[test]
fn the_identity_holds_the_author_s_domain() {
    let Some(stand) = stand() else { return };
    let sent = message_from("ada@sub.example.org", "hello\r\n");
    let arrived = stand.pass("signed", &sent);
    stand.assert_signed(&arrived, &sent);
    for signature in 0..2 {
        assert_eq!(arrived.parts().tag(signature, "i"), "@sub.example.org");
        assert_eq!(arrived.parts().tag(signature, "d"), "example.org");
    }
    let sent = message_from("ada@example.org", "hello\r\n");
    assert_eq!(stand.pass("signed", &sent).parts().tag(0, "i"), "");
}

#[test]
fn each_rule_canonicalizes_in_its_own_way() {
    let Some(stand) = stand() else { return };
    for (author, canonicalization, expires, domain) in [
        ("ada@example.org", "simple/simple", false, "example.org"),
        ("ceo@example.org", "relaxed/relaxed", false, "vip.example"),
        (
            "news-7@elsewhere.example",
            "relaxed/simple",
            true,
            "bulk.example",
        ),
    ] {
        let sent = message_from(
            author,
            " spaces  \t within \r\n\r\n and  after \r\n\r\n\r\n",
        );
        let sent = String::from_utf8(sent).unwrap();
        let sent = sent.replace("Subject: A subject", "SUBJECT:  two  \r\n\tlines ");
        let (arrived, plain) = (
            stand.pass("signed", sent.as_bytes()),
            stand.pass("plain", sent.as_bytes()),
        );
        stand.assert_signed_as(&arrived, &plain, sent.as_bytes(), domain);
        for signature in 0..2 {
            assert_eq!(arrived.parts().tag(signature, "c"), canonicalization);
            assert_eq!(!arrived.parts().tag(signature, "x").is_empty(), expires);
        }
    }
}

/// The same rules, one a line, in a file of their own.
#[test]
fn rules_of_a_table_sign_too_and_are_read_again() {
    let tables = tempfile::tempdir().unwrap();
    let table = tables.path().join("rules");
    std::fs::write(
        &table,
        "# ours\nexample.org %d rsa\nceo@example.org vip.example rsa\n",
    )
    .unwrap();
    let config = format!("rule_tables = {:?}\n", table.display().to_string());
    let domains = ["example.org", "vip.example"];
    let Some(stand) = Stand::with(&Setup::default(), &domains, &[RSA], &config) else {
        return;
    };
    stand.assert_signs_for("ada@example.org", &["example.org"]);
    stand.assert_signs_for("ceo@example.org", &["vip.example"]);

    std::fs::write(&table, ".example vip.example\n").unwrap();
    stand.milter.reload();
    stand.assert_signs_for("ada@any.example", &["vip.example"]);
    let gone = message_from("ada@example.org", "hello\r\n");
    stand.assert_unsigned(&stand.pass("signed", &gone), &gone, "reason=no-rule");
}
