//! A resource of Terraform's AWS provider.

use super::quoting::{hcl, hcl_name};
use super::{Format, Publication, character_strings, each};

pub(super) const FORMAT: Format = Format {
    name: "terraform-aws",
    aliases: &[],
    about: "a Terraform resource for Amazon Route53",
    how: "Terraform: set the variable zone_id to the id of the hosted zone.\n",
    render,
};

fn render(publications: &[Publication]) -> String {
    each(publications, |publication| {
        let text = publication.record.to_string();
        // The provider adds the outer quotation marks; two in the middle end one string
        // and begin the next.
        let value = character_strings(&text).join("\"\"");
        format!(
            "resource \"aws_route53_record\" \"{}\" {{\n  zone_id = var.zone_id\n  \
             name    = {}\n  type    = \"TXT\"\n  ttl     = {}\n  records = [{}]\n}}",
            hcl_name(&publication.name()),
            hcl(&publication.name()),
            publication.ttl,
            hcl(&value)
        )
    })
}

#[cfg(test)]
#[test]
fn golden() {
    super::golden::check(&FORMAT, include_str!("golden/terraform-aws.txt"));
}
