//! A change batch for `aws route53 change-resource-record-sets --change-batch`.

use serde::Serialize;

use super::{Format, Publication};

pub(super) const FORMAT: Format = Format {
    name: "route53-json",
    aliases: &[],
    about: "a change batch for \"aws route53 change-resource-record-sets\"",
    how: "\
Amazon Route53: save this as signet.json and run
  aws route53 list-hosted-zones-by-name --dns-name DOMAIN
  aws route53 change-resource-record-sets --hosted-zone-id ID --change-batch file://signet.json
",
    render,
};

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ChangeBatch {
    changes: Vec<Change>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Change {
    action: &'static str,
    resource_record_set: ResourceRecordSet,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ResourceRecordSet {
    name: String,
    r#type: &'static str,
    #[serde(rename = "TTL")]
    ttl: u32,
    resource_records: [ResourceRecord; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ResourceRecord {
    value: String,
}

fn render(publications: &[Publication]) -> String {
    // UPSERT replaces the record set, and a name must hold one key record only.
    let changes = publications
        .iter()
        .map(|publication| Change {
            action: "UPSERT",
            resource_record_set: ResourceRecordSet {
                name: format!("{}.", publication.name()),
                r#type: "TXT",
                ttl: publication.ttl,
                resource_records: [ResourceRecord {
                    value: publication.quoted_strings().join(" "),
                }],
            },
        })
        .collect();
    super::json_line(&ChangeBatch { changes })
}

#[cfg(test)]
#[test]
fn golden() {
    super::golden::check(&FORMAT, include_str!("golden/route53-json.txt"));
}
