use super::*;

fn find(section: &HeaderSection) -> Result<Address, NoAuthor> {
    find_in(section, &["from"])
}

fn find_in(section: &HeaderSection, headers: &[&str]) -> Result<Address, NoAuthor> {
    let headers: Vec<_> = headers
        .iter()
        .flat_map(|name| FieldName::parse(name))
        .collect();
    super::find(section, &headers)
}

fn section(fields: &[(&str, &[u8])]) -> HeaderSection {
    let mut section = HeaderSection::new();
    for (name, value) in fields {
        section.push(name.as_bytes(), value);
    }
    section
}

/// The author of a message with this From field alone, in full.
fn author(value: impl AsRef<[u8]>) -> Result<String, NoAuthor> {
    find(&section(&[("From", value.as_ref())])).map(|author| author.to_string())
}

fn reason(fields: &[(&str, &[u8])]) -> Reason {
    find(&section(fields)).unwrap_err().reason
}

#[test]
fn every_form_of_one_address_is_the_author() {
    for value in [
        " author@example.org",
        "author@example.org",
        "\tauthor@example.org  ",
        "\n \n\t\n author@example.org",
        "\r\n author@example.org\r\n",
        " <author@example.org>",
        " < author@example.org >",
        "Author <author@example.org>",
        " Au\rthor <author@example.org>",
        " John Q. Public <author@example.org>",
        " \"Public, John\" <author@example.org>",
        " \"Public\\\" <x@evil.example>, John\" <author@example.org>",
        " \"folded\n name\" <author@example.org>",
        " author@example.org (Author)",
        " (Author) author@example.org",
        " Author (evil@evil.example) <author@example.org>",
        " Author (a \\) nice (nested) chap)\n <author(his account)@example.org(his host)>",
        " =?utf-8?Q?J=C3=B6rg?= =?utf-8?B?w7Y=?= <author@example.org>",
        " =?utf-8?Q?Max_M.?= <author@example.org>",
        " =?utf-8?B?ZXZpbEBldmlsLmV4YW1wbGUg?= <author@example.org>",
        " \"evil@evil.example\" <author@example.org>",
        " author@example.org <author@example.org>",
        " author@EXAMPLE.org <author@example.ORG>",
        " [Ticket 7] Support <author@example.org>",
        " ,author@example.org,",
        " Team: author@example.org;",
        " Team: Author <author@example.org>, ;",
        " author @ example.org",
        " author@example.org.",
        " author@ExAmPlE.oRg",
    ] {
        assert_eq!(
            author(value).as_deref(),
            Ok("author@example.org"),
            "{value:?}"
        );
    }
}

#[test]
fn a_display_name_may_be_any_bytes() {
    for value in [
        " 日本 <author@example.org>".as_bytes(),
        b" J\xf6rg <author@example.org>",
        b" \"J\xf6rg\" <author@example.org>",
        b" author@example.org (J\xf6rg)",
    ] {
        assert_eq!(author(value).as_deref(), Ok("author@example.org"));
    }
}

#[test]
fn a_local_part_is_given_without_its_quotes() {
    let local =
        |value: &str| find(&section(&[("From", value.as_bytes())])).map(|a| a.local.to_string());
    assert_eq!(
        local(" \"john doe\"@example.org").as_deref(),
        Ok("john doe")
    );
    assert_eq!(
        local(" <\"john doe\"@example.org>").as_deref(),
        Ok("john doe")
    );
    assert_eq!(local(" \"a@b\"@example.org").as_deref(), Ok("a@b"));
    assert_eq!(local(" \"a\\\"b\"@example.org").as_deref(), Ok("a\"b"));
    assert_eq!(local(" a..b.@example.org").as_deref(), Ok("a..b."));
    assert_eq!(local(" 日本@example.org").as_deref(), Ok("日本"));
}

#[test]
fn the_domain_is_written_in_a_labels() {
    assert_eq!(
        author(" a@Bücher.example").as_deref(),
        Ok("a@xn--bcher-kva.example")
    );
    assert_eq!(
        author(" a@XN--bcher-KVA.example").as_deref(),
        Ok("a@xn--bcher-kva.example")
    );
    assert_eq!(
        author(" a@mail.deep.sub.example.org").as_deref(),
        Ok("a@mail.deep.sub.example.org")
    );
}

#[test]
fn what_two_readers_might_read_differently_is_not_usable() {
    for value in [
        "",
        " ",
        " <>",
        " @",
        " a@",
        " @example.org",
        " \"\"@example.org",
        " author",
        " Author <author>",
        " Author",
        " (only a comment)",
        " Nobody:;",
        " author@[192.0.2.1]",
        " author@[IPv6:::1]",
        " author@exa mple.org",
        " author@example .org",
        " author@example. org",
        " auth or@example.org",
        " auth. or@example.org",
        " \"a\"b@example.org",
        " a@b@example.org",
        " <a@b@example.org>",
        " author@\"example.org\"",
        " Author <author@example.org",
        " Author author@example.org>",
        " Author <<author@example.org>>",
        " Author <author@example.org> trailing",
        " Author <author@example.org> <evil@evil.example>",
        " <author@example.org> evil@evil.example",
        " evil@evil.example <author@example.org>",
        " Evil evil@evil.example <author@example.org>",
        " <@relay.example:author@example.org>",
        " <author@example.org,evil@evil.example>",
        " Doe, John <author@example.org>",
        " \"unbalanced <author@example.org>",
        " unbalanced\" <author@example.org>",
        " (unbalanced <author@example.org>",
        " unbalanced) <author@example.org>",
        " [unbalanced <author@example.org>",
        " Team: author@example.org",
        " Team: Inner: author@example.org;;",
        " author@example.org;",
        " : author@example.org;",
        " evil@evil.example: author@example.org;",
        " Team: author@example.org; trailing",
        " a\\b <author@example.org>",
        " author\\@example.org",
        " author@example..org",
        " author@.example.org",
        " =?utf-8?Q?author=40example.org?=",
        " =?utf-8?Q?author?=@example.org",
        " author=?utf-8?Q?=40?=example.org",
        " Au\0thor <author@example.org>",
        " author@example.org\0",
        " \"a\0b\" <author@example.org>",
        " \"a\rFrom: evil@evil.example\r\" <author@example.org>",
        " (a\rFrom: evil@evil.example\r) author@example.org",
        " author@example.org\nevil@evil.example",
        " author@exam\rple.org",
        " a\x0bb <author@example.org>",
        " author@example.org\u{3002}",
        " a@b\u{a0}c.example",
    ] {
        let found = author(value);
        // One address of several is another reason; here there never is one.
        match &found {
            Err(why) if why.reason == Reason::FromUnparsable => {
                assert!(!why.detail.contains("example"), "{value:?}: {}", why.detail);
            }
            _ => panic!("{value:?} gave {found:?}"),
        }
    }
    assert!(author(b" a\xff@example.org").is_err());
    assert!(author(b" author@ex\xffample.org").is_err());
}

#[test]
fn hostile_sizes_end_soon_and_without_an_author() {
    for part in [
        "(", "\"", "[", "<", "a@b,", "=?a?q?", "\\", "a:", "(\n ", ",", "@", "\r",
    ] {
        for size in [100, 8_000, 100_000] {
            assert!(author(part.repeat(size / part.len())).is_err(), "{part:?}");
        }
    }
}

#[test]
fn there_is_exactly_one_from_field_3_6() {
    assert_eq!(reason(&[("To", b" a@example.org")]), Reason::FromMissing);
    let twice: &[(&str, &[u8])] = &[("From", b" a@example.org"), ("FROM", b" a@example.org")];
    assert_eq!(reason(twice), Reason::FromRepeated);
    let hidden: &[(&str, &[u8])] = &[("From", b" a@example.org"), ("from \t", b" b@evil.example")];
    assert_eq!(reason(hidden), Reason::FromRepeated);
}

#[test]
fn of_several_authors_a_single_valid_sender_decides_3_6_2() {
    let several: &[u8] = b" a@example.org, b@example.net";
    let with = |sender: &[u8]| find(&section(&[("From", several), ("Sender", sender)]));
    assert_eq!(
        with(b" c@example.com").unwrap().to_string(),
        "c@example.com"
    );
    assert_eq!(
        with(b" c@example.com, d@example.com").unwrap_err().reason,
        Reason::FromMultiple
    );
    assert_eq!(with(b" nonsense").unwrap_err().reason, Reason::FromMultiple);

    let none = find(&section(&[("From", several)])).unwrap_err();
    assert_eq!(none.reason, Reason::FromMultiple);
    assert_eq!(
        none.detail,
        "it holds 2 addresses, and there is no Sender field"
    );
    let two: &[(&str, &[u8])] = &[
        ("From", several),
        ("Sender", b" c@example.com"),
        ("Sender", b" c@example.com"),
    ];
    assert_eq!(reason(two), Reason::FromMultiple);
    assert_eq!(
        reason(&[("From", b" Team: a@example.org;, c@example.org")]),
        Reason::FromMultiple
    );
}

#[test]
fn a_sender_beside_one_author_changes_nothing() {
    let fields: &[(&str, &[u8])] = &[
        ("From", b" author@example.org"),
        ("Sender", b" list@lists.example"),
    ];
    assert_eq!(
        find(&section(fields)).unwrap().to_string(),
        "author@example.org"
    );
}

#[test]
fn white_space_before_the_colon_hides_no_from_field_4_5_8() {
    let fields: &[(&str, &[u8])] = &[("FROM \t", b" author@example.org")];
    assert_eq!(
        find(&section(fields)).unwrap().to_string(),
        "author@example.org"
    );
}

#[test]
fn a_list_host_may_put_other_fields_before_from() {
    let author = |fields: &[(&str, &[u8])]| {
        let found = find_in(&section(fields), &["list-post", "sender", "from"]);
        found
            .map(|author| author.to_string())
            .map_err(|why| why.reason)
    };
    let from: (&str, &[u8]) = ("From", b" a@example.org");
    let list = Ok("list@lists.example".to_owned());
    assert_eq!(
        author(&[from, ("List-Post", b" <mailto:list@lists.example>")]),
        list
    );
    assert_eq!(
        author(&[
            from,
            ("List-Post", b" NO"),
            ("Sender", b" list@lists.example")
        ]),
        list
    );
    assert_eq!(author(&[from]), Ok("a@example.org".to_owned()));
    assert_eq!(
        author(&[("Sender", b" list@lists.example")]),
        Err(Reason::FromMissing)
    );
    assert_eq!(
        author(&[from, from, ("Sender", b" s@lists.example")]),
        Err(Reason::FromRepeated)
    );
    assert_eq!(
        author(&[from, ("Sender", b" x@a.example, y@b.example")]),
        Err(Reason::FromUnparsable)
    );
    let only = find_in(&section(&[from]), &["sender"]).unwrap_err();
    assert_eq!(only.reason, Reason::FromMissing);
}
