//! Records as they are met, right and wrong.

use proptest::prelude::*;

use super::*;

/// RFC 8463 appendix A.2.
const ED25519: &str = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
const RSA: &str = include_str!("../format/golden/plain-rsa.txt");

fn rsa_base64() -> &'static str {
    RSA.strip_prefix("v=DKIM1; k=rsa; p=").unwrap()
}

fn error(text: &str) -> RecordError {
    KeyRecord::parse(text).unwrap_err()
}

#[test]
fn a_record_of_ours_has_v_k_and_p_alone() {
    let record = KeyRecord::new(&PublicKey {
        key_type: KeyType::Ed25519,
        bytes: Base64::decode_vec(ED25519).unwrap(),
    });
    assert_eq!(
        record.to_string(),
        format!("v=DKIM1; k=ed25519; p={ED25519}")
    );
}

#[test]
fn every_tag_is_optional_but_p_3_6_1() {
    let record = KeyRecord::parse(&format!("p={}", rsa_base64())).unwrap();
    assert_eq!(record.key_type, KeyType::Rsa);
    assert_eq!(record.bits(), 2048);
    assert!(record.allows_sha256() && record.allows_email());
    assert!(!record.is_testing() && !record.is_strict() && !record.is_revoked());
    assert_eq!(error("v=DKIM1; k=rsa"), RecordError::NoPublicKey);
    assert_eq!(error("v=DKIM1"), RecordError::NoPublicKey);
}

#[test]
fn tags_in_any_order_white_space_anywhere_unknown_tags_passed_over_3_2() {
    let record = KeyRecord::parse(&format!(
        " v = DKIM1 ;\tn=a=b note;p = {} \r\n {};x_new=?!; k= ed25519;s=email : other;\
         t=y:\r\n s:z ; h=sha1:sha256 ; ",
        &ED25519[..9],
        &ED25519[9..],
    ))
    .unwrap();
    assert_eq!(record.key_type, KeyType::Ed25519);
    assert_eq!(record.public_key, Base64::decode_vec(ED25519).unwrap());
    assert_eq!(record.notes.as_deref(), Some("a=b note"));
    assert!(record.is_testing() && record.is_strict());
    assert!(record.allows_sha256() && record.allows_email());
}

#[test]
fn an_empty_p_is_a_revoked_key_3_6_1() {
    for text in ["p=", "v=DKIM1; p=;", "v=DKIM1; k=ed25519; p= "] {
        let record = KeyRecord::parse(text).unwrap();
        assert!(record.is_revoked(), "{text}");
        assert_eq!(record.bits(), 0);
    }
}

#[test]
fn h_and_s_restrict_what_the_key_is_for_3_6_1() {
    let with = |tag: &str| KeyRecord::parse(&format!("{tag}; p={}", rsa_base64())).unwrap();
    assert!(!with("h=sha1").allows_sha256());
    assert!(!with("s=tlsrpt").allows_email());
    assert!(with("s=tlsrpt:*").allows_email());
}

#[test]
fn v_is_dkim1_and_comes_first_3_6_1() {
    assert_eq!(
        error("v=dkim1; p="),
        RecordError::Version {
            version: "dkim1".into()
        }
    );
    assert_eq!(error("p=; v=DKIM1"), RecordError::VersionNotFirst);
}

#[test]
fn what_breaks_the_tag_list_is_named_3_2() {
    assert_eq!(error(" \r\n"), RecordError::Empty);
    assert_eq!(error("v=DKIM1;; p="), RecordError::EmptyTag { position: 9 });
    assert_eq!(error(";p="), RecordError::EmptyTag { position: 1 });
    assert_eq!(
        error("v=DKIM1; p=; p="),
        RecordError::Duplicate { name: "p".into() }
    );
    assert_eq!(
        error("v=DKIM1; rsa; p="),
        RecordError::NoEquals {
            text: "rsa".into(),
            position: 10
        }
    );
    assert_eq!(
        error("v=DKIM1; 2k=rsa; p="),
        RecordError::BadTagName {
            name: "2k".into(),
            position: 10
        }
    );
    assert_eq!(
        error("v=DKIM1;\u{a0}p="),
        RecordError::BadCharacter {
            character: '\u{a0}',
            position: 9
        }
    );
    assert_eq!(
        error("h=sha256:; p="),
        RecordError::BadItem {
            tag: "h",
            item: String::new()
        }
    );
}

#[test]
fn what_consoles_and_zone_files_do_to_a_record_is_recognized() {
    assert_eq!(error("\"v=DKIM1; p=\""), RecordError::Quoted);
    assert_eq!(error("v=DKIM1; p=MII\" \"Abc"), RecordError::Quoted);
    assert_eq!(
        error("v=DKIM1\\; k=rsa\\; p="),
        RecordError::EscapedSemicolon
    );
    let (cut, _) = rsa_base64().split_at(236);
    assert_eq!(
        error(&format!("p={cut}")),
        RecordError::NotRsa { bytes: 177 }
    );
    // A note may end in a backslash.
    assert!(KeyRecord::parse("n=a\\; p=").is_ok());
}

#[test]
fn what_is_wrong_with_the_key_is_named() {
    assert_eq!(
        error("k=RSA; p="),
        RecordError::KeyType {
            key_type: "RSA".into()
        }
    );
    assert_eq!(error("p=AB-C"), RecordError::NotBase64 { character: '-' });
    assert_eq!(error("p=AB=C"), RecordError::PaddingInside);
    assert_eq!(
        error("p=ABCDE"),
        RecordError::DamagedBase64 { characters: 5 }
    );
    assert_eq!(error(&format!("p={ED25519}")), RecordError::Ed25519UnderRsa);
    assert_eq!(
        error(&format!("k=ed25519; p={}", rsa_base64())),
        RecordError::RsaUnderEd25519
    );
    assert_eq!(
        error("k=ed25519; p=AAAA"),
        RecordError::NotEd25519 { bytes: 3 }
    );
    let wrapped = format!("MCowBQYDK2VwAyEA{ED25519}");
    assert_eq!(
        error(&format!("k=ed25519; p={wrapped}")),
        RecordError::WrappedEd25519
    );
}

#[test]
fn padding_may_be_missing_2_10() {
    let bare = ED25519.trim_end_matches('=');
    let record = KeyRecord::parse(&format!("k=ed25519; p={bare}")).unwrap();
    assert_eq!(record.public_key.len(), 32);
}

#[test]
fn the_bare_rsa_key_of_rfc_6376_is_read_too_3_6_1() {
    let wrapped = KeyRecord::parse(RSA).unwrap();
    // The header of a 2048-bit SubjectPublicKeyInfo is 24 bytes long.
    let bare = Base64::encode_string(&wrapped.public_key[24..]);
    assert_eq!(KeyRecord::parse(&format!("p={bare}")).unwrap().bits(), 2048);
}

#[test]
fn an_empty_text_is_still_one_string() {
    assert_eq!(character_strings(""), [""]);
}

fn words() -> impl Strategy<Value = Option<Vec<String>>> {
    proptest::option::of(proptest::collection::vec(
        "[a-z]([a-z0-9-]{0,5}[a-z0-9])?",
        1..4,
    ))
}

proptest! {
    #[test]
    fn strings_are_at_most_255_bytes_and_rejoin(text in "(\\PC{0,40}){0,30}") {
        let strings = character_strings(&text);
        prop_assert!(strings.iter().all(|string| string.len() <= 255));
        prop_assert_eq!(strings.concat(), text);
    }

    #[test]
    fn ascii_is_cut_into_as_few_strings_as_possible(length in 1_usize..3000) {
        let text = "x".repeat(length);
        prop_assert_eq!(character_strings(&text).len(), length.div_ceil(255));
    }

    #[test]
    fn a_record_written_and_read_back_is_the_same(
        key in proptest::option::of(any::<[u8; 32]>()),
        hashes in words(),
        services in words(),
        flags in words(),
        notes in proptest::option::of("[!-:<-~]([!-:<-~ ]{0,60}[!-:<-~])?"),
    ) {
        let record = KeyRecord {
            key_type: KeyType::Ed25519,
            public_key: key.map(Vec::from).unwrap_or_default(),
            hashes,
            services,
            flags,
            notes,
        };
        prop_assert_eq!(KeyRecord::parse(&record.to_string()), Ok(record));
    }

    #[test]
    fn any_text_is_read_or_refused_but_never_panics(text in "[vkpt=;:\" \\\\A-Za-z0-9+/\\PC]{0,200}") {
        let _ = KeyRecord::parse(&text);
    }
}
