//! A command for Azure DNS.

use super::quoting::shell_double;
use super::{Format, Publication, character_strings, each};

pub(super) const FORMAT: Format = Format {
    name: "azure",
    aliases: &[],
    about: "an az command, for Azure DNS (for its portal: plain)",
    how: "\
Azure: put the resource group in place of RG. This adds a record: remove an old one of the same
name first.
",
    render,
};

fn render(publications: &[Publication]) -> String {
    // The strings after -v are joined to one record.
    each(publications, |publication| {
        let text = publication.record.to_string();
        let strings: Vec<_> = character_strings(&text)
            .into_iter()
            .map(shell_double)
            .collect();
        format!(
            "az network dns record-set txt add-record -g RG -z {} -n {} -v {}",
            publication.domain,
            publication.relative_name(),
            strings.join(" ")
        )
    })
}

#[cfg(test)]
#[test]
fn golden() {
    super::golden::check(&FORMAT, include_str!("golden/azure.txt"));
}
