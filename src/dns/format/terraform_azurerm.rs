//! A resource of Terraform's Azure provider, which cuts the value itself.

use super::quoting::{hcl, hcl_name};
use super::{Format, Publication, each};

pub(super) const FORMAT: Format = Format {
    name: "terraform-azurerm",
    aliases: &[],
    about: "a Terraform resource for Azure DNS",
    how: "Terraform: set the variable resource_group to the zone's resource group.\n",
    render,
};

fn render(publications: &[Publication]) -> String {
    each(publications, |publication| {
        format!(
            "resource \"azurerm_dns_txt_record\" \"{}\" {{\n  \
             resource_group_name = var.resource_group\n  zone_name           = {}\n  \
             name                = {}\n  ttl                 = {}\n\n  record {{\n    \
             value = {}\n  }}\n}}",
            hcl_name(&publication.name()),
            hcl(publication.domain.as_str()),
            hcl(&publication.relative_name()),
            publication.ttl,
            hcl(&publication.record.to_string())
        )
    })
}

#[cfg(test)]
#[test]
fn golden() {
    super::golden::check(&FORMAT, include_str!("golden/terraform-azurerm.txt"));
}
