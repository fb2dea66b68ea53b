//! A command for DigitalOcean, which takes the bare value.

use super::quoting::shell;
use super::{Format, Publication, each};

pub(super) const FORMAT: Format = Format {
    name: "digitalocean",
    aliases: &["doctl"],
    about: "a doctl command, for DigitalOcean",
    how: "DigitalOcean: this adds a record: delete an old one of the same name first.\n",
    render,
};

fn render(publications: &[Publication]) -> String {
    each(publications, |publication| {
        format!(
            "doctl compute domain records create {} --record-type TXT --record-name {} \
             --record-data {} --record-ttl {}",
            publication.domain,
            publication.relative_name(),
            shell(&publication.record.to_string()),
            publication.ttl
        )
    })
}

#[cfg(test)]
#[test]
fn golden() {
    super::golden::check(&FORMAT, include_str!("golden/digitalocean.txt"));
}
