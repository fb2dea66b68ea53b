//! A call of Cloudflare's API, with curl.

use serde::Serialize;

use super::quoting::shell;
use super::{Format, Publication, each};

pub(super) const FORMAT: Format = Format {
    name: "cloudflare-json",
    aliases: &["cloudflare"],
    about: "a curl command for Cloudflare's API (for its console: plain)",
    how: "\
Cloudflare: set ZONE to the zone's id and TOKEN to an API token that may edit DNS. This adds a
record: delete an old one of the same name first.
",
    render,
};

#[derive(Serialize)]
struct Record {
    r#type: &'static str,
    name: String,
    ttl: u32,
    content: String,
}

fn render(publications: &[Publication]) -> String {
    each(publications, |publication| {
        let record = super::json_line(&Record {
            r#type: "TXT",
            name: publication.name(),
            ttl: publication.ttl,
            content: publication.quoted_strings().join(" "),
        });
        format!(
            "curl -X POST \"https://api.cloudflare.com/client/v4/zones/$ZONE/dns_records\" -H \
             \"Authorization: Bearer $TOKEN\" --json {}",
            shell(record.trim_end())
        )
    })
}

#[cfg(test)]
#[test]
fn golden() {
    super::golden::check(&FORMAT, include_str!("golden/cloudflare-json.txt"));
}
