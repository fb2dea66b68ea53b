//! A resource of Terraform's Google provider.

use super::quoting::{hcl, hcl_name};
use super::{Format, Publication, each};

pub(super) const FORMAT: Format = Format {
    name: "terraform-google",
    aliases: &[],
    about: "a Terraform resource for Google Cloud DNS",
    how: "Terraform: set the variable managed_zone to the name of the managed zone.\n",
    render,
};

fn render(publications: &[Publication]) -> String {
    each(publications, |publication| {
        // Unlike the AWS provider this one takes the quotation marks as well.
        let value = publication.quoted_strings().join(" ");
        format!(
            "resource \"google_dns_record_set\" \"{}\" {{\n  managed_zone = var.managed_zone\n  \
             name         = {}\n  type         = \"TXT\"\n  ttl          = {}\n  \
             rrdatas      = [{}]\n}}",
            hcl_name(&publication.name()),
            hcl(&format!("{}.", publication.name())),
            publication.ttl,
            hcl(&value)
        )
    })
}

#[cfg(test)]
#[test]
fn golden() {
    super::golden::check(&FORMAT, include_str!("golden/terraform-google.txt"));
}
