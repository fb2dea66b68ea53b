//! A resource of Terraform's Cloudflare provider, version 5.

use super::quoting::{hcl, hcl_name};
use super::{Format, Publication, each};

pub(super) const FORMAT: Format = Format {
    name: "terraform-cloudflare",
    aliases: &[],
    about: "a Terraform resource for Cloudflare (provider version 5)",
    how: "\
Terraform: set the variable zone_id to the zone's id. Version 4 of the provider calls the resource
cloudflare_record and its content \"value\".
",
    render,
};

fn render(publications: &[Publication]) -> String {
    each(publications, |publication| {
        format!(
            "resource \"cloudflare_dns_record\" \"{}\" {{\n  zone_id = var.zone_id\n  \
             name    = {}\n  type    = \"TXT\"\n  ttl     = {}\n  content = {}\n}}",
            hcl_name(&publication.name()),
            hcl(&publication.name()),
            publication.ttl,
            hcl(&publication.quoted_strings().join(" "))
        )
    })
}

#[cfg(test)]
#[test]
fn golden() {
    super::golden::check(&FORMAT, include_str!("golden/terraform-cloudflare.txt"));
}
