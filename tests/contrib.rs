//! What lies in `contrib` and `docs` fits the program.
#![allow(clippy::unwrap_used, reason = "tests may fail by panicking")]

use std::collections::BTreeSet;

use signet::config::Config;
use signet::doctor::{Answers, ConfigFacts, Facts, PolicyFacts, to_metrics};
use signet::telemetry::{Breach, Gauges, Limit, Metrics, Process, exposition};

/// Every name that `/metrics` can show, those of a histogram's parts included.
fn shown() -> BTreeSet<String> {
    let gauges = Gauges {
        oldest_key: Some(1),
        process: Process {
            cpu_seconds: Some(1.0),
            resident_bytes: Some(1),
            open_fds: Some(1),
            max_fds: Some(1),
            start: 1,
        },
        ..Gauges::default()
    };
    let mut text = exposition(&Metrics::default(), &gauges);
    text += &to_metrics(&nothing(), &[], 0);
    let names = text.lines().filter(|line| !line.starts_with('#'));
    names
        .map(|line| line.split(['{', ' ']).next().unwrap().to_owned())
        .collect()
}

/// What `signet doctor` knows of a machine without anything.
fn nothing() -> Facts {
    Facts {
        domain: None,
        config: ConfigFacts::default(),
        keys: None,
        zones: Vec::new(),
        postfix: None,
        log: None,
        policy: PolicyFacts {
            domains: Vec::new(),
            host: None,
            given: Vec::new(),
            answers: Answers::default(),
        },
    }
}

/// The words of a text that look like names of metrics.
fn named(text: &str) -> BTreeSet<String> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .filter(|word| word.starts_with("signet_") || word.starts_with("process_"))
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_metric_of_the_dashboard_and_the_alerts_exists() {
    let shown = shown();
    for (file, text) in [
        (
            "rules",
            include_str!("../contrib/prometheus/signet.rules.yml"),
        ),
        ("dashboard", include_str!("../contrib/grafana/signet.json")),
    ] {
        let named = named(text);
        assert!(named.len() >= 5, "{file}: {named:?}");
        let strange: Vec<_> = named.difference(&shown).collect();
        assert!(strange.is_empty(), "{file} names {strange:?}");
    }
    serde_json::from_str::<serde_json::Value>(include_str!("../contrib/grafana/signet.json"))
        .unwrap();
}

#[test]
fn each_alert_says_what_to_do() {
    let rules = include_str!("../contrib/prometheus/signet.rules.yml");
    let count = |text: &str| rules.matches(text).count();
    assert_eq!(count("- alert: Signet"), 6);
    assert_eq!(count("description: "), 6);
}

#[test]
fn every_metric_is_documented_and_no_other() {
    let families: BTreeSet<_> = shown()
        .into_iter()
        .map(|name| {
            let part = ["_bucket", "_sum", "_count"];
            let family = part.iter().find_map(|part| name.strip_suffix(part));
            family.map_or(name.clone(), str::to_owned)
        })
        .collect();
    assert_eq!(families, named(include_str!("../docs/metrics.md")));
}

#[test]
fn every_result_is_documented_and_no_other() {
    let text = exposition(&Metrics::default(), &Gauges::default());
    let shown: BTreeSet<_> = text
        .lines()
        .filter_map(|line| line.split_once("{result=\"")?.1.split('"').next())
        .collect();
    assert_eq!(shown, documented("`result` is one of"));
}

#[test]
fn every_cause_of_a_broken_connection_is_documented_and_no_other() {
    let causes = Breach::ALL.iter().map(|breach| breach.as_str()).collect();
    assert_eq!(documented("`cause` is one of"), causes);
}

/// `tests/serve/reached.rs` then reaches each of them.
#[test]
fn every_limit_of_the_config_is_counted_and_documented() {
    let keys = Config::keys();
    let mut keys: BTreeSet<_> = keys
        .iter()
        .filter_map(|key| key.strip_prefix("limits."))
        .collect();
    // When that is up the daemon ends, and nobody is left to ask.
    assert!(keys.remove("grace"));
    assert!(keys.contains("header_bytes"), "{keys:?}");
    let counted = Limit::ALL.iter().map(|limit| limit.as_str()).collect();
    assert_eq!(keys, counted);
    assert_eq!(keys, documented("`limit` is one of"));
    let text = exposition(&Metrics::default(), &Gauges::default());
    let pages = include_str!("../docs/configuration.md");
    for key in keys {
        let sample = format!("signet_limit_reached_total{{limit=\"{key}\"}} 0");
        assert!(text.lines().any(|line| line == sample), "no {sample}");
        let row = format!("| `limits.{key}` | ");
        assert!(pages.lines().any(|line| line.starts_with(&row)), "no {row}");
    }
}

/// What stands in backticks, before the colon, in the list below `title`.
fn documented(title: &str) -> BTreeSet<&'static str> {
    let (_, list) = include_str!("../docs/metrics.md")
        .split_once(title)
        .unwrap();
    let lines = list
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with("* "));
    lines
        .filter_map(|line| line.split(": ").next())
        .flat_map(|names| names.split('`').skip(1).step_by(2))
        .collect()
}
