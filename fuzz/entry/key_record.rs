//! Any text is a key record or is refused; a record that is written is read the same.

use signet::dns::{KeyRecord, character_strings};

/// The bytes of a TXT record, its strings joined.
pub fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let strings = character_strings(&text);
    assert!(strings.iter().all(|string| string.len() <= 255));
    assert_eq!(strings.concat(), text);
    match KeyRecord::parse(&text) {
        Ok(record) => {
            let written = record.to_string();
            assert_eq!(KeyRecord::parse(&written).as_ref(), Ok(&record), "{written}");
            assert_eq!(record.bits() == 0, record.is_revoked());
        }
        Err(error) => {
            let said = error.to_string();
            assert!(!said.is_empty() && said.len() < 400 && !said.contains('\n'), "{said}");
        }
    }
}
