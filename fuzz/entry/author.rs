//! A From field names one author or none, and says why without a word of the message.

use signet::config::Config;
use signet::dkim::HeaderSection;
use signet::names::DomainName;
use signet::policy::author;

/// The value of the From field.
pub fn run(data: &[u8]) {
    let mut section = HeaderSection::new();
    section.push(b"From", data);
    match author::find(&section, &Config::default().author_headers) {
        Ok(author) => {
            // What is written into d= is a name, and it stands in the field, but for
            // case and the forms of IDNA.
            let domain = author.domain.as_str();
            assert_eq!(DomainName::parse(domain).as_ref(), Ok(&author.domain));
            if data.is_ascii() {
                let field = String::from_utf8_lossy(data).to_ascii_lowercase();
                assert!(field.contains(domain), "{domain}");
            }
            assert!(!author.local.is_empty() && !author.local.contains(['\0', '\n', '\r']));
        }
        Err(why) => assert!(why.detail.is_ascii() && why.detail.len() < 120, "{}", why.detail),
    }
}
