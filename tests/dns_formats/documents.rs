//! The forms that are documents: JSON, YAML, HCL and a line of JavaScript, read by parsers.

use std::process::Command;

use crate::left_out::program;
use crate::place::stdout;
use crate::records::{DOMAIN, Records, SELECTORS, joined, name};
use crate::tools::run;

fn sorted() -> Vec<&'static str> {
    let mut selectors = SELECTORS.to_vec();
    selectors.sort_unstable();
    selectors
}

/// The attributes of the resources of a Terraform form.
fn resources(records: &Records, format: &str, kind: &str) -> Vec<hcl::Body> {
    let body: hcl::Body = hcl::parse(&records.format(format)).unwrap();
    let resources: Vec<_> = body.into_blocks().collect();
    assert_eq!(resources.len(), SELECTORS.len());
    let mut names = std::collections::BTreeSet::new();
    for resource in &resources {
        assert_eq!(resource.identifier(), "resource");
        assert_eq!(resource.labels()[0].as_str(), kind);
        assert!(
            names.insert(resource.labels()[1].as_str().to_owned()),
            "twice the same name"
        );
    }
    resources
        .into_iter()
        .map(|resource| resource.body)
        .collect()
}

/// An attribute that is a string without any template in it.
fn text(body: &hcl::Body, name: &str) -> String {
    let attribute = body
        .attributes()
        .find(|attribute| attribute.key() == name)
        .unwrap();
    string(attribute.expr())
}

fn string(expression: &hcl::Expression) -> String {
    match expression {
        hcl::Expression::String(text) => text.clone(),
        other => panic!("not a string: {other:?}"),
    }
}

fn only_item(body: &hcl::Body, name: &str) -> String {
    let attribute = body
        .attributes()
        .find(|attribute| attribute.key() == name)
        .unwrap();
    match attribute.expr() {
        hcl::Expression::Array(items) if items.len() == 1 => string(&items[0]),
        other => panic!("not a list of one: {other:?}"),
    }
}

#[test]
fn terraform_for_aws_parts_the_strings_by_two_quotation_marks() {
    let records = Records::new();
    for (body, selector) in resources(&records, "terraform-aws", "aws_route53_record")
        .iter()
        .zip(sorted())
    {
        assert_eq!(text(body, "name"), name(selector));
        assert_eq!(text(body, "type"), "TXT");
        let value = only_item(body, "records");
        assert!(value.split("\"\"").all(|string| string.len() <= 255));
        assert_eq!(value.replace("\"\"", ""), records.plain(selector));
    }
}

#[test]
fn terraform_for_google_holds_the_quotation_marks() {
    let records = Records::new();
    for (body, selector) in resources(&records, "terraform-google", "google_dns_record_set")
        .iter()
        .zip(sorted())
    {
        assert_eq!(text(body, "name"), format!("{}.", name(selector)));
        assert_eq!(joined(&only_item(body, "rrdatas")), records.plain(selector));
    }
}

#[test]
fn terraform_for_cloudflare_holds_the_quotation_marks() {
    let records = Records::new();
    for (body, selector) in resources(&records, "terraform-cloudflare", "cloudflare_dns_record")
        .iter()
        .zip(sorted())
    {
        assert_eq!(text(body, "name"), name(selector));
        assert_eq!(joined(&text(body, "content")), records.plain(selector));
    }
}

#[test]
fn terraform_for_azure_holds_the_bare_value() {
    let records = Records::new();
    for (body, selector) in resources(&records, "terraform-azurerm", "azurerm_dns_txt_record")
        .iter()
        .zip(sorted())
    {
        assert_eq!(text(body, "zone_name"), DOMAIN);
        assert_eq!(text(body, "name"), format!("{selector}._domainkey"));
        let record = body
            .blocks()
            .find(|block| block.identifier() == "record")
            .unwrap();
        assert_eq!(text(&record.body, "value"), records.plain(selector));
    }
}

#[test]
fn octodns_finds_every_semicolon_escaped() {
    let Some(python) = program("python3", "python3-yaml") else {
        return;
    };
    let records = Records::new();
    let script = "import json, sys, yaml; json.dump(yaml.safe_load(sys.argv[1]), sys.stdout)";
    let output = run(Command::new(python).args(["-c", script, &records.format("octodns")]));
    let zone: serde_json::Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(zone.as_object().unwrap().len(), SELECTORS.len());
    for selector in SELECTORS {
        let entry = &zone[format!("{selector}._domainkey")];
        assert_eq!(entry["type"], "TXT");
        assert_eq!(entry["ttl"], 300);
        let value = entry["value"].as_str().unwrap();
        assert_eq!(
            value.matches(';').count(),
            value.matches("\\;").count(),
            "{value}"
        );
        assert_eq!(value.replace("\\;", ";"), records.plain(selector));
    }
}

#[test]
fn dnscontrol_gets_a_call_with_strings() {
    let records = Records::new();
    for (line, selector) in records.format("dnscontrol").lines().zip(sorted()) {
        let arguments = line
            .strip_prefix("TXT(")
            .unwrap()
            .strip_suffix(", TTL(300)),")
            .unwrap();
        let strings: Vec<String> = serde_json::from_str(&format!("[{arguments}]")).unwrap();
        assert_eq!(
            strings,
            [format!("{selector}._domainkey"), records.plain(selector)]
        );
    }
}

#[test]
fn json_is_one_object_a_line_with_these_members_and_no_others() {
    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Record {
        name: String,
        fqdn: String,
        ttl: u32,
        r#type: String,
        value: String,
        chunks: Vec<String>,
        wire_len: usize,
    }
    let records = Records::new();
    for (line, selector) in records.format("json").lines().zip(sorted()) {
        let record: Record = serde_json::from_str(line).unwrap();
        assert_eq!((record.r#type.as_str(), record.ttl), ("TXT", 300));
        assert_eq!(record.name, format!("{selector}._domainkey"));
        assert_eq!(record.fqdn, name(selector));
        assert_eq!(record.value, records.plain(selector));
        assert_eq!(record.chunks.concat(), record.value);
        let wire: usize = record.chunks.iter().map(|chunk| chunk.len() + 1).sum();
        assert_eq!(record.wire_len, wire);
    }
}

#[test]
fn route53_gets_a_change_batch_with_these_members_and_no_others() {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "PascalCase", deny_unknown_fields)]
    struct Batch {
        changes: Vec<Change>,
    }
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "PascalCase", deny_unknown_fields)]
    struct Change {
        action: String,
        resource_record_set: Set,
    }
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "PascalCase", deny_unknown_fields)]
    struct Set {
        name: String,
        r#type: String,
        #[serde(rename = "TTL")]
        ttl: u32,
        resource_records: Vec<Value>,
    }
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "PascalCase", deny_unknown_fields)]
    struct Value {
        value: String,
    }
    let records = Records::new();
    let batch: Batch = serde_json::from_str(&records.format("route53-json")).unwrap();
    for (change, selector) in batch.changes.iter().zip(sorted()) {
        let set = &change.resource_record_set;
        assert_eq!(change.action, "UPSERT");
        assert_eq!(set.name, format!("{}.", name(selector)));
        assert_eq!((set.r#type.as_str(), set.ttl), ("TXT", 300));
        let [Value { value }] = &set.resource_records[..] else {
            panic!("not one value")
        };
        // Route53 takes 4000 characters of text.
        assert!(value.len() <= 4000);
        assert_eq!(joined(value), records.plain(selector));
    }
}
