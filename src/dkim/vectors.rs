//! The examples that RFC 6376 and RFC 8463 print, hashed and signed again.

use base64ct::{Base64, Encoding};

use super::body::BodyHash;
use super::header_section::Field;
use super::{Canonicalization, KeyType, SigningKey, canonical_header, field};

const HEADER: &[(&str, &str)] = &[
    (
        "Received",
        " from client1.football.example.com  [192.0.2.1]\n      by submitserver.example.com with SUBMISSION;\n      Fri, 11 Jul 2003 21:01:54 -0700 (PDT)",
    ),
    ("From", " Joe SixPack <joe@football.example.com>"),
    ("To", " Suzie Q <suzie@shopping.example.net>"),
    ("Subject", " Is dinner ready?"),
    ("Date", " Fri, 11 Jul 2003 21:00:37 -0700 (PDT)"),
    (
        "Message-ID",
        " <20030712040037.46341.5F8J@football.example.com>",
    ),
];

/// As RFC 6376 prints it; RFC 8463 has two spaces before "Are".
const BODY: &str = "Hi.\r\n\r\nWe lost the game. Are you hungry yet?\r\n\r\nJoe.\r\n";
const BODY_8463: &str = "Hi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n\r\nJoe.\r\n";

/// One printed signature.
struct Example {
    key: SigningKey,
    body: &'static str,
    canonicalization: &'static str,
    /// `h=`, as printed; a name that stands there twice is oversigned.
    names: &'static str,
    /// The field's value, with `b=` emptied.
    value: &'static str,
    signature: &'static str,
    p: &'static str,
}

impl Example {
    fn check(&self) {
        let canonicalization: Canonicalization = self.canonicalization.parse().unwrap();
        let mut body = BodyHash::new(canonicalization.body);
        body.update(self.body.as_bytes());
        let hash = Base64::encode_string(&body.finish().1);
        assert!(self.value.contains(&format!("bh={hash};")), "bh={hash}");

        let mut signed = Vec::new();
        let mut fields = HEADER.to_vec();
        let algorithm = canonicalization.header;
        for name in self.names.split(" : ") {
            let named = |(other, _): &(&str, &str)| name.eq_ignore_ascii_case(other);
            if let Some(index) = fields.iter().rposition(named) {
                let (name, value) = fields.remove(index);
                let (name, value) = (name.as_bytes(), value.as_bytes());
                canonical_header::write(algorithm, Field { name, value }, false, &mut signed);
            }
        }
        let own = Field {
            name: field::NAME.as_bytes(),
            value: self.value.as_bytes(),
        };
        canonical_header::write_open(algorithm, own, false, &mut signed);

        assert_eq!(
            Base64::encode_string(&self.key.sign(&signed).unwrap()),
            self.signature
        );
        let public_key = self.key.public_key();
        assert_eq!(Base64::encode_string(&public_key.bytes), self.p);
    }
}

fn key(pem: &str) -> SigningKey {
    SigningKey::from_pem(pem.as_bytes()).unwrap()
}

#[test]
fn rfc_8463_appendix_a_ed25519() {
    let example = Example {
        key: key(include_str!("../../keys/football.example.com/brisbane.pem")),
        body: BODY_8463,
        canonicalization: "relaxed/relaxed",
        names: "from : to : subject : date : message-id : from : subject : date",
        value: " v=1; a=ed25519-sha256; c=relaxed/relaxed;\n d=football.example.com; i=@football.example.com;\n q=dns/txt; s=brisbane; t=1528637909; h=from : to :\n subject : date : message-id : from : subject : date;\n bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\n b=",
        signature: "/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11BusFa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==",
        p: "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
    };
    assert_eq!(example.key.key_type(), KeyType::Ed25519);
    example.check();
}

#[test]
fn rfc_8463_appendix_a_rsa() {
    let example = Example {
        key: key(include_str!("../../keys/football.example.com/test.pem")),
        body: BODY_8463,
        canonicalization: "relaxed/relaxed",
        names: "from : to : subject : date : message-id : from : subject : date",
        value: " v=1; a=rsa-sha256; c=relaxed/relaxed;\n d=football.example.com; i=@football.example.com;\n q=dns/txt; s=test; t=1528637909; h=from : to : subject :\n date : message-id : from : subject : date;\n bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\n b=",
        signature: "F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2JzdA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=",
        p: "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB",
    };
    assert_eq!((example.key.bits(), example.key.is_weak()), (1024, true));
    example.check();
}

#[test]
fn rfc_6376_appendix_a_simple() {
    Example {
        key: key(RFC_6376_KEY),
        body: BODY,
        canonicalization: "simple/simple",
        names: "Received : From : To : Subject : Date : Message-ID",
        value: " v=1; a=rsa-sha256; s=brisbane; d=example.com;\n      c=simple/simple; q=dns/txt; i=joe@football.example.com;\n      h=Received : From : To : Subject : Date : Message-ID;\n      bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\n      b=;",
        signature: "AuUoFEfDxTDkHlLXSZEpZj79LICEps6eda7W3deTVFOk4yAUoqOB4nujc7YopdG5dWLSdNg6xNAZpOPr+kHxt1IrE+NahM6L/LbvaHutKVdkLLkpVaVVQPzeRDI009SO2Il5Lu7rDNH6mZckBdrIx0orEtZV4bmp/YzhwvcubU4=",
        p: "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDwIRP/UC3SBsEmGqZ9ZJW3/DkMoGeLnQg1fWn7/zYtIxN2SnFCjxOCKG9v3b4jYfcTNh5ijSsq631uBItLa7od+v/RtdC2UzJ1lWT947qR+Rcac2gbto/NMqJ0fzfVjH4OuKhitdY9tf6mcwGjaNBcWToIMmPSPDdQPNUYckcQ2QIDAQAB",
    }
    .check();
}

/// Printed in RFC 6376, appendix C.
const RFC_6376_KEY: &str = "-----BEGIN RSA PRIVATE KEY-----
MIICXwIBAAKBgQDwIRP/UC3SBsEmGqZ9ZJW3/DkMoGeLnQg1fWn7/zYtIxN2SnFC
jxOCKG9v3b4jYfcTNh5ijSsq631uBItLa7od+v/RtdC2UzJ1lWT947qR+Rcac2gb
to/NMqJ0fzfVjH4OuKhitdY9tf6mcwGjaNBcWToIMmPSPDdQPNUYckcQ2QIDAQAB
AoGBALmn+XwWk7akvkUlqb+dOxyLB9i5VBVfje89Teolwc9YJT36BGN/l4e0l6QX
/1//6DWUTB3KI6wFcm7TWJcxbS0tcKZX7FsJvUz1SbQnkS54DJck1EZO/BLa5ckJ
gAYIaqlA9C0ZwM6i58lLlPadX/rtHb7pWzeNcZHjKrjM461ZAkEA+itss2nRlmyO
n1/5yDyCluST4dQfO8kAB3toSEVc7DeFeDhnC1mZdjASZNvdHS4gbLIA1hUGEF9m
3hKsGUMMPwJBAPW5v/U+AWTADFCS22t72NUurgzeAbzb1HWMqO4y4+9Hpjk5wvL/
eVYizyuce3/fGke7aRYw/ADKygMJdW8H/OcCQQDz5OQb4j2QDpPZc0Nc4QlbvMsj
7p7otWRO5xRa6SzXqqV3+F0VpqvDmshEBkoCydaYwc2o6WQ5EBmExeV8124XAkEA
qZzGsIxVP+sEVRWZmW6KNFSdVUpk3qzK0Tz/WjQMe5z0UunY9Ax9/4PVhp/j61bf
eAYXunajbBSOLlx4D+TunwJBANkPI5S9iylsbLs6NkaMHV6k5ioHBBmgCak95JGX
GMot/L2x0IYyMLAz6oLWh2hm7zwtb0CgOrPo1ke44hFYnfc=
-----END RSA PRIVATE KEY-----
";
