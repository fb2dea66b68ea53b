//! Any text as a file of key records: read, or refused with a line that is there.

use signet::verify::Records;

pub fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Err(error) = Records::from_text(&text) {
        assert!((1..=text.lines().count()).contains(&error.line), "{error}");
    }
}
