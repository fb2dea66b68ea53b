use super::*;

fn read(text: &str) -> Config {
    Config::from_toml(text, "/etc/signet/signet.toml").unwrap()
}

fn errors(text: &str) -> Vec<String> {
    let errors = Config::from_toml(text, "signet.toml").unwrap_err();
    errors.0.iter().map(ConfigError::to_string).collect()
}

const EVERYTHING: &str = r#"
listen = ["inet:127.0.0.1:8891", { address = "unix:/run/s.sock", mode = "0600", owner = "signet", group = 105 }]
keys = "keys"
author_headers = ["List-Post", "From"]
rule_tables = ["rules", "/etc/more-rules"]
user = "signet"
group = 115
confine = false
[trust]
networks = ["192.0.2.0/24", "!192.0.2.9", ".lan.example"]
macros = ["verified", "{customer}=yes"]
except = "192.0.2.128/25"
authenticated = false
daemon_names = ["ORIGINATING"]
[signing]
canonicalization = "relaxed/simple"
oversign = ["From", "Subject"]
oversign_present = []
sign = ["X-Mine", "To"]
expiry = "7d"
on_failure = "reject"
batch = "off"
batch_library = "/opt/lib/libcrypto_mb.so"
[exclude]
recipients = ["archive@example.com", ".lists.example"]
domains = "internal.example"
[send_as]
tables = "logins"
on_mismatch = "reject"
recipient_delimiter = "+"
[send_as.logins]
"alice" = ["alice@example.com", "example.org"]
"bob \"x\"" = "@example.net"
[limits]
packet_bytes = 100_000
header_bytes = 50_000
header_fields = 300
recipients = 20
connections = 7
connections_per_peer = 3
idle = 60
message = "1h"
write = "30s"
[log]
level = "debug"
format = "journald"
journal_socket = "/run/j"
[metrics]
listen = "[::1]:9891"
textfile = "signet.prom"
[[rule]]
pattern = "news@example.com"
domain = "news.example"
selectors = ["s2", "s1"]
identity = "@%d.news.example"
canonicalization = "simple/simple"
oversign = []
expiry = "1h"
on_failure = "unsigned"
[[rule]]
pattern = ".example.com"
multiple = true
request_reports = true
[[key]]
domain = "Example.com"
selector = "s1"
file = "/etc/opendkim/mail.private"
[[key]]
domain = "*"
selector = "any"
file = "any.key"
"#;

#[test]
fn an_empty_file_is_the_defaults() {
    let config = read("");
    assert_eq!(config, Config::default());
    assert_eq!(config.listen[0].address.to_string(), "inet:127.0.0.1:8891");
    assert!(
        config
            .trust
            .networks
            .contains("127.0.0.1".parse().ok(), None)
    );
    assert!(config.trust.networks.contains("::1".parse().ok(), None));
    assert!(config.trust.authenticated);
}

#[test]
fn every_key_is_read() {
    let config = read(EVERYTHING);
    assert_eq!(config.listen.len(), 2);
    assert_eq!(config.listen[1].mode, Some(0o600));
    assert_eq!(config.listen[1].group.as_deref(), Some("105"));
    assert_eq!(config.keys, PathBuf::from("/etc/signet/keys"));
    assert_eq!(config.user.as_deref(), Some("signet"));
    assert_eq!(config.group.as_deref(), Some("115"));
    assert!(!config.confine);
    assert!(!config.trust.authenticated);
    assert_eq!(config.trust.daemon_names, ["ORIGINATING"]);
    assert_eq!(config.signing.expiry, Some(Duration::from_secs(604_800)));
    assert_eq!(config.signing.on_failure, OnFailure::Reject);
    assert_eq!(config.batch.mode, BatchMode::Off);
    assert_eq!(
        config.batch.library,
        Some("/opt/lib/libcrypto_mb.so".into())
    );
    assert_eq!(
        config.signing.canonicalization.to_string(),
        "relaxed/simple"
    );
    let names = |names: &[crate::names::FieldName]| {
        names.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(
        names(config.signing.header_set.oversign()),
        ["from", "subject"]
    );
    assert!(config.signing.header_set.oversign_present().is_empty());
    assert_eq!(names(config.signing.header_set.sign()), ["x-mine", "to"]);
    assert_eq!(config.author_headers[0].as_str(), "list-post");
    assert_eq!(config.trust.macros[1].to_string(), "customer=yes");
    assert!(
        config
            .trust
            .except
            .contains("192.0.2.200".parse().ok(), None)
    );
    assert_eq!(config.exclude.recipients[1].to_string(), ".lists.example");
    assert_eq!(config.exclude.domains[0].to_string(), "internal.example");
    assert_eq!(config.rule_tables[0], PathBuf::from("/etc/signet/rules"));
    let send_as = config.send_as.as_ref().unwrap();
    assert_eq!(send_as.tables, [PathBuf::from("/etc/signet/logins")]);
    assert_eq!(send_as.on_mismatch, OnFailure::Reject);
    assert_eq!(send_as.logins[0].1[1].to_string(), "@example.org");
    assert_eq!(send_as.logins[1].0, "bob \"x\"");
    let [first, second] = config.rules.as_slice() else {
        panic!()
    };
    assert_eq!(first.domain.as_ref().unwrap().as_str(), "news.example");
    assert_eq!(first.selectors[0].as_str(), "s2");
    assert_eq!(first.signing.canonicalization.to_string(), "simple/simple");
    assert_eq!(first.signing.on_failure, OnFailure::Unsigned);
    let line = EVERYTHING
        .lines()
        .position(|line| line == "[[rule]]")
        .unwrap();
    assert_eq!(first.place.line, line + 1);
    // What the second rule does not say, [signing] says.
    assert!(second.multiple && second.signing.request_reports);
    assert_eq!(second.signing.expiry, config.signing.expiry);
    let [named, any] = config.key_files.as_slice() else {
        panic!()
    };
    assert_eq!(named.domain.as_ref().unwrap().as_str(), "example.com");
    assert_eq!(named.file, PathBuf::from("/etc/opendkim/mail.private"));
    assert_eq!(any.domain, None);
    assert_eq!(any.file, PathBuf::from("/etc/signet/any.key"));
    assert_eq!(config.limits.recipients, 20);
    assert_eq!(config.limits.connections, 7);
    assert_eq!(config.limits.connections_per_peer, Some(3));
    assert_eq!(config.limits.header_fields, 300);
    assert_eq!(config.limits.idle, Duration::from_secs(60));
    assert_eq!(config.limits.message, Duration::from_secs(3600));
    assert_eq!(config.limits.write, Duration::from_secs(30));
    assert_eq!(config.log.level, LogLevel::Debug);
    assert_eq!(config.log.format, LogFormat::Journald);
    assert_eq!(config.log.journal_socket, PathBuf::from("/run/j"));
    assert_eq!(config.metrics.listen, "[::1]:9891".parse().ok());
    assert_eq!(
        config.metrics.textfile,
        Some("/etc/signet/signet.prom".into())
    );
}

#[test]
fn the_effective_config_reads_back_to_the_same() {
    for config in [Config::default(), read(EVERYTHING)] {
        let printed = config.to_toml();
        let mut again = read(&printed);
        // The rules and keys stand on other lines now.
        for (again, key) in again.key_files.iter_mut().zip(&config.key_files) {
            again.place = key.place.clone();
        }
        for (again, rule) in again.rules.iter_mut().zip(&config.rules) {
            again.place = rule.place.clone();
        }
        assert_eq!(again, config, "{printed}");
    }
}

#[test]
fn an_unknown_key_names_file_line_and_the_nearest_key() {
    assert_eq!(
        errors("keys = \"k\"\n[trust]\nnetwork = []\n"),
        [
            r#"signet.toml:3: trust.network: is not a key that signet knows; did you mean "networks"?"#
        ]
    );
    assert_eq!(
        errors("[log]\ncolour = true\n"),
        [
            "signet.toml:2: log.colour: is not a key that signet knows; the keys here are level, format, journal_socket"
        ]
    );
}

#[test]
fn all_mistakes_are_reported_at_once_in_the_order_of_the_file() {
    let found = errors(
        "listen = 8891\nkyes = \"k\"\n[trust]\nnetworks = [\"10.0.0.1/8\",\n  7]\n\
         authenticated = \"yes\"\n[signing]\non_failure = \"accept\"\nexpiry = \"soon\"\n[limits]\nidle = 0\n",
    );
    let lines: Vec<_> = found
        .iter()
        .map(|e| e.split(": ").take(2).collect::<Vec<_>>())
        .collect();
    assert_eq!(
        lines,
        [
            ["signet.toml:1", "listen"],
            ["signet.toml:2", "kyes"],
            ["signet.toml:4", "trust.networks"],
            ["signet.toml:5", "trust.networks"],
            ["signet.toml:6", "trust.authenticated"],
            ["signet.toml:8", "signing.on_failure"],
            ["signet.toml:9", "signing.expiry"],
            ["signet.toml:11", "limits.idle"],
        ],
        "{found:#?}"
    );
}

#[test]
fn a_mistake_of_syntax_names_its_line() {
    let found = errors("keys = \"k\"\n[trust\nnetworks = []\n");
    assert!(found[0].starts_with("signet.toml:2: "), "{found:?}");
}

#[test]
fn a_relative_socket_is_postfix_s_notation_and_says_so() {
    let found = errors("listen = \"unix:signet/signet.sock\"\n");
    assert!(
        found[0].contains("unix:/var/spool/postfix/signet/signet.sock"),
        "{found:?}"
    );
}

#[test]
fn a_mode_is_octal_or_nothing() {
    let listen = |mode: &str| format!("listen = {{ address = \"unix:/s\", mode = {mode} }}\n");
    assert_eq!(read(&listen("0o660")).listen[0].mode, Some(0o660));
    assert_eq!(read(&listen("\"660\"")).listen[0].mode, Some(0o660));
    for mode in ["660", "\"rw\"", "\"1777\"", "true"] {
        assert!(errors(&listen(mode))[0].contains("octal"), "{mode}");
    }
}

#[test]
fn a_key_file_has_all_of_its_keys() {
    let found = errors(
        "[[key]]\ndomain = \"example.com\"\nselector = \"s1\"\n\
         [[key]]\ndomain = \"%\"\nselector = \"s1\"\nfile = \"\"\n",
    );
    assert!(
        found[0].starts_with("signet.toml:1: key: a key has three keys"),
        "{found:#?}"
    );
    assert!(found[1].starts_with("signet.toml:5: key.domain: "));
    assert_eq!(found.len(), 2, "{found:#?}");
}

#[test]
fn a_list_that_is_left_out_keeps_its_default() {
    let set = read("[signing]\noversign = [\"from\"]\n")
        .signing
        .header_set
        .clone();
    assert_eq!(set.oversign().len(), 1);
    assert_eq!(
        set.oversign_present(),
        Config::default().signing.header_set.oversign_present()
    );
}

#[test]
fn a_field_that_is_never_signed_is_a_mistake() {
    let found =
        errors("[signing]\nsign = [\n  \"Subject\",\n  \"Received\",\n  \"not a name\",\n]\n");
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(
        found[0].starts_with("signet.toml:4: signing.sign: \"received\" cannot be signed"),
        "{found:?}"
    );
    assert!(
        found[1]
            .starts_with("signet.toml:5: signing.sign: \"not a name\" is not a header field name"),
        "{found:?}"
    );
}

#[test]
fn a_rule_that_can_do_nothing_says_why() {
    let found = errors(
        "[[rule]]\ndomain = \"example.com\"\n[[rule]]\npattern = \"@example.com\"\n\
         [[rule]]\npattern = \"example.com\"\nidentity = \"@example.org\"\nselectors = [\"a\", \"A\"]\n\
         [[rule]]\npatern = \"example.com\"\n",
    );
    assert!(
        found[0].starts_with("signet.toml:1: rule: the rule has no pattern"),
        "{found:#?}"
    );
    assert!(
        found[1].starts_with("signet.toml:4: rule.pattern: ")
            && found[1].contains("write example.com")
    );
    assert!(
        found[2].starts_with("signet.toml:7: rule.identity: ") && found[2].contains("example.com")
    );
    assert!(found[3].starts_with("signet.toml:8: rule.selectors: ") && found[3].contains("twice"));
    assert!(found[4].contains("no pattern"));
    assert!(found[5].starts_with("signet.toml:10: rule.patern: "));
}

#[test]
fn the_metrics_want_an_address_and_a_port() {
    let found = errors("[metrics]\nlisten = \"localhost\"\n");
    assert!(found[0].contains("127.0.0.1:9891"), "{found:?}");
}
