//! The signed messages that the RFCs print, with the keys that they print.

use crate::run::with_records;

const BODY: &str = "\r\nHi.\r\n\r\nWe lost the game. Are you hungry yet?\r\n\r\nJoe.\r\n";

const FIELDS: &str = "From: Joe SixPack <joe@football.example.com>\r\n\
    To: Suzie Q <suzie@shopping.example.net>\r\n\
    Subject: Is dinner ready?\r\n\
    Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n\
    Message-ID: <20030712040037.46341.5F8J@football.example.com>\r\n";

/// RFC 6376 appendix C.
const RFC6376_RECORD: &str = "brisbane._domainkey.example.com. IN TXT (\n\
    \"v=DKIM1; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQ\"\n\
    \"KBgQDwIRP/UC3SBsEmGqZ9ZJW3/DkMoGeLnQg1fWn7/zYt\"\n\
    \"IxN2SnFCjxOCKG9v3b4jYfcTNh5ijSsq631uBItLa7od+v\"\n\
    \"/RtdC2UzJ1lWT947qR+Rcac2gbto/NMqJ0fzfVjH4OuKhi\"\n\
    \"tdY9tf6mcwGjaNBcWToIMmPSPDdQPNUYckcQ2QIDAQAB\" )\n";

/// RFC 6376 appendix A.2.
const RFC6376_SIGNATURE: &str = "DKIM-Signature: v=1; a=rsa-sha256; s=brisbane; d=example.com;\r\n\
    \x20     c=simple/simple; q=dns/txt; i=joe@football.example.com;\r\n\
    \x20     h=Received : From : To : Subject : Date : Message-ID;\r\n\
    \x20     bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n\
    \x20     b=AuUoFEfDxTDkHlLXSZEpZj79LICEps6eda7W3deTVFOk4yAUoqOB\r\n\
    \x20     4nujc7YopdG5dWLSdNg6xNAZpOPr+kHxt1IrE+NahM6L/LbvaHut\r\n\
    \x20     KVdkLLkpVaVVQPzeRDI009SO2Il5Lu7rDNH6mZckBdrIx0orEtZV\r\n\
    \x20     4bmp/YzhwvcubU4=;\r\n\
    Received: from client1.football.example.com  [192.0.2.1]\r\n\
    \x20     by submitserver.example.com with SUBMISSION;\r\n\
    \x20     Fri, 11 Jul 2003 21:01:54 -0700 (PDT)\r\n";

#[test]
fn the_example_of_rfc_6376_a_2() {
    let message = [RFC6376_SIGNATURE, FIELDS, BODY].concat();
    let said = with_records(message.as_bytes(), RFC6376_RECORD, &[]);
    assert_eq!((said.verdict(), said.code), ("pass", 0), "{said:?}");
    assert_eq!(
        said.of("  warning: "),
        "the RSA key at brisbane._domainkey.example.com has 1024 bits; use 2048 or more \
         (RFC 8301 section 3.2)"
    );
    let spoilt = message.replace("ready?", "ready!");
    let said = with_records(spoilt.as_bytes(), RFC6376_RECORD, &[]);
    assert_eq!(said.code, 1);
}

/// RFC 8463 appendix A.2.
const RFC8463_RECORDS: &str = "brisbane._domainkey.football.example.com. IN TXT (\n\
    \"v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\" )\n\
    test._domainkey.football.example.com. IN TXT (\n\
    \"v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWR\"\n\
    \"iGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutAC\"\n\
    \"DfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3\"\n\
    \"Ip3G+2kryOTIKT+l/K4w3QIDAQAB\" )\n";

/// RFC 8463 appendix A.3.
const RFC8463_SIGNATURES: &str = "DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;\r\n\
    \x20d=football.example.com; i=@football.example.com;\r\n\
    \x20q=dns/txt; s=brisbane; t=1528637909; h=from : to :\r\n\
    \x20subject : date : message-id : from : subject : date;\r\n\
    \x20bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n\
    \x20b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus\r\n\
    \x20Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==\r\n\
    DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;\r\n\
    \x20d=football.example.com; i=@football.example.com;\r\n\
    \x20q=dns/txt; s=test; t=1528637909; h=from : to : subject :\r\n\
    \x20date : message-id : from : subject : date;\r\n\
    \x20bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n\
    \x20b=F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3\r\n\
    \x20DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz\r\n\
    \x20dA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=\r\n";

#[test]
fn the_example_of_rfc_8463_a_3() {
    // This RFC prints two spaces, which relaxed takes for one.
    let body = BODY.replace("game. ", "game.  ");
    let message = [RFC8463_SIGNATURES, FIELDS, &body].concat();
    let said = with_records(message.as_bytes(), RFC8463_RECORDS, &[]);
    assert_eq!((said.verdict(), said.code), ("pass", 0), "{said:?}");
    assert_eq!(said.of("signature 2: "), "pass");

    let spoilt = message.replace("Joe.\r\n", "Joe\r\n");
    let said = with_records(spoilt.as_bytes(), RFC8463_RECORDS, &[]);
    assert_eq!(said.code, 1);
    assert!(said.of("signature 2: ").starts_with("FAIL: the body was"));
}
