//! A command for Google Cloud DNS.

use super::quoting::shell;
use super::{Format, Publication, each};

pub(super) const FORMAT: Format = Format {
    name: "gcloud",
    aliases: &["google"],
    about: "a gcloud command, for Google Cloud DNS",
    how: "\
Google Cloud DNS: put the name of the managed zone in place of ZONE (\"gcloud dns managed-zones
list\"). If there is a record of this name, say \"update\" instead of \"create\".
",
    render,
};

fn render(publications: &[Publication]) -> String {
    each(publications, |publication| {
        format!(
            "gcloud dns record-sets create {}. --zone=ZONE --type=TXT --ttl={} --rrdatas={}",
            publication.name(),
            publication.ttl,
            shell(&publication.quoted_strings().join(" "))
        )
    })
}

#[cfg(test)]
#[test]
fn golden() {
    super::golden::check(&FORMAT, include_str!("golden/gcloud.txt"));
}
