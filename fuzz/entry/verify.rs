//! Any bytes as a message to verify: each signature gets a verdict in words, and none
//! passes but by the key that made it.

use signet::paint::Style;
use signet::verify::{Detail, Message, Records, to_json, to_text, verify_message};

/// Of RFC 8463 appendix A.2, which signed the seed.
const RECORD: &str = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
/// A key that signed nothing; RSA, so that its signatures are opened.
const OTHER: &str = "v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWR\
    iGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR\
    +yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB";

pub fn run(data: &[u8]) {
    let mut records = Records::new();
    records.insert("brisbane._domainkey.football.example.com", RECORD);
    records.insert("other._domainkey.football.example.com", OTHER);
    let message = Message::read(data);
    let reports = verify_message(&message, &records, 1_800_000_000);
    for report in &reports {
        if report.verdict.is_pass() {
            assert_eq!(report.selector, "brisbane");
        }
    }
    let text = to_text(&message, &reports, Detail::Full, Style::Coloured);
    assert!(text.lines().count() >= reports.len());
    assert_eq!(to_json(&message, &reports).lines().count(), 1);
    let none = verify_message(&message, &Records::new(), 1_800_000_000);
    assert!(none.iter().all(|report| !report.verdict.is_pass()));
}
