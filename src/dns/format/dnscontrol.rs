//! An entry for dnsconfig.js of DNSControl, which cuts the value itself.

use super::{Format, Publication, each};

pub(super) const FORMAT: Format = Format {
    name: "dnscontrol",
    aliases: &[],
    about: "an entry for dnsconfig.js of DNSControl",
    how: "DNSControl: the line goes into the D(...) of the domain.\n",
    render,
};

fn render(publications: &[Publication]) -> String {
    each(publications, |publication| {
        let string = |text: &str| super::json_line(&text).trim_end().to_owned();
        format!(
            "TXT({}, {}, TTL({})),",
            string(&publication.relative_name()),
            string(&publication.record.to_string()),
            publication.ttl
        )
    })
}

#[cfg(test)]
#[test]
fn golden() {
    super::golden::check(&FORMAT, include_str!("golden/dnscontrol.txt"));
}
