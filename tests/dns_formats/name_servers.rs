//! The forms for running name servers: the record is put in and asked for.

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::left_out::program;
use crate::place::stdout;
use crate::records::{DOMAIN, Records, SELECTORS, joined, name};
use crate::tools::{Server, run};

/// BIND with a TSIG key that may change key records and nothing else, as `signet dns` advises.
fn bind(home: &Path, named: &Path) -> Server {
    fs::write(
        home.join("zone"),
        "$TTL 60\n@ IN SOA ns root 1 3600 600 86400 60\n@ NS ns\nns A 127.0.0.1\n",
    )
    .unwrap();
    let key =
        "key signet-key { algorithm hmac-sha256; secret \"c2lnbmV0IHRlc3RzIHRoZSBmb3Jtcw==\"; };\n";
    fs::write(home.join("key.conf"), key).unwrap();
    let home = home.to_owned();
    let named = named.to_owned();
    Server::start(DOMAIN, move |port| {
        let config = home.join("named.conf");
        let directory = home.display();
        fs::write(
            &config,
            format!(
                "{key}options {{ directory \"{directory}\"; pid-file none; session-keyfile none;\n\
                 listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }}; recursion no; dnssec-validation no; }};\n\
                 controls {{ }};\nzone \"example.com\" {{ type primary; file \"zone\";\n\
                 update-policy {{ grant signet-key wildcard *._domainkey.example.com. TXT; }}; }};\n"
            ),
        )
        .unwrap();
        let mut command = Command::new(named);
        command.args(["-f", "-4", "-n", "1", "-c"]).arg(config);
        command
    })
}

#[test]
fn nsupdate_publishes_in_bind_and_replaces_what_was_there() {
    let (Some(named), Some(nsupdate), Some(_)) = (
        program("named", "bind9"),
        program("nsupdate", "bind9-dnsutils"),
        program("dig", "bind9-dnsutils"),
    ) else {
        return;
    };
    let home = TempDir::new().unwrap();
    let server = bind(home.path(), &named);
    let records = Records::new();
    let script = home.path().join("script");
    // Without this line nsupdate would ask the machine's resolver for the zone.
    let first = format!("server 127.0.0.1 {}\n", server.address.port());
    let old = format!(
        "update add {}. 300 TXT \"v=DKIM1; p=\"\nsend\n",
        name(SELECTORS[0])
    );
    for update in [old, records.format("nsupdate"), records.format("nsupdate")] {
        fs::write(&script, format!("{first}{update}")).unwrap();
        run(Command::new(&nsupdate)
            .arg("-k")
            .arg(home.path().join("key.conf"))
            .arg(&script));
    }
    for selector in SELECTORS {
        assert_eq!(server.txt(&name(selector)), records.plain(selector));
    }
}

#[test]
fn unbound_answers_with_the_record() {
    let (Some(unbound), Some(check), Some(_)) = (
        program("unbound", "unbound"),
        program("unbound-checkconf", "unbound"),
        program("dig", "bind9-dnsutils"),
    ) else {
        return;
    };
    let records = Records::new();
    let config = records.place.directory.path().join("unbound.conf");
    let data = records.format("unbound");
    let server = Server::start(DOMAIN, |port| {
        let text = format!(
            "server:\n  chroot: \"\"\n  username: \"\"\n  pidfile: \"\"\n  use-syslog: no\n  do-daemonize: no\n  interface: 127.0.0.1\n  \
             port: {port}\n  module-config: \"iterator\"\n  local-zone: {DOMAIN} static\n  \
             local-data: '{DOMAIN}. 60 IN SOA ns root 1 60 60 60 60'\n  {}\nremote-control:\n  control-enable: no\n",
            data.replace('\n', "\n  ")
        );
        fs::write(&config, text).unwrap();
        run(Command::new(&check).arg(&config));
        let mut command = Command::new(&unbound);
        command.args(["-d", "-c"]).arg(&config);
        command
    });
    for selector in SELECTORS {
        assert_eq!(server.txt(&name(selector)), records.plain(selector));
    }
}

#[test]
fn pdnsutil_stores_the_record_and_replaces_what_was_there() {
    let (Some(pdnsutil), Some(sqlite)) = (
        program("pdnsutil", "pdns-server"),
        program("sqlite3", "sqlite3"),
    ) else {
        return;
    };
    let schema = Path::new("/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql");
    assert!(
        schema.exists(),
        "the Debian package pdns-backend-sqlite3 is missing"
    );
    let home = TempDir::new().unwrap();
    let database = home.path().join("zones.sqlite");
    fs::write(
        home.path().join("pdns.conf"),
        format!(
            "launch=gsqlite3\ngsqlite3-database={}\n",
            database.display()
        ),
    )
    .unwrap();
    run(Command::new(sqlite)
        .arg(&database)
        .arg(format!(".read {}", schema.display())));
    let config = format!("--config-dir={}", home.path().display());
    run(Command::new(&pdnsutil)
        .arg(&config)
        .args(["create-zone", DOMAIN, "ns.example.net"]));
    let records = Records::new();
    let old = format!(
        "pdnsutil add-record {DOMAIN} {}._domainkey TXT 300 '\"v=DKIM1; p=\"'\n",
        SELECTORS[0]
    );
    for line in (old + &records.format("pdnsutil")).lines() {
        // The line as an administrator runs it, in a shell.
        let line = line.replacen("pdnsutil ", &format!("{} {config} ", pdnsutil.display()), 1);
        run(Command::new("sh").args(["-ec", &line]));
    }
    let zone = stdout(&run(Command::new(&pdnsutil)
        .arg(&config)
        .args(["list-zone", DOMAIN])));
    for selector in SELECTORS {
        let lines: Vec<_> = zone
            .lines()
            .filter(|line| line.starts_with(&name(selector)))
            .collect();
        assert_eq!(lines.len(), 1, "{zone}");
        assert_eq!(
            joined(lines[0].split_once("TXT").unwrap().1),
            records.plain(selector)
        );
    }
    run(Command::new(&pdnsutil)
        .arg(&config)
        .args(["check-zone", DOMAIN]));
}

#[test]
fn tinydns_serves_the_record() {
    let (Some(data), Some(get)) = (
        program("tinydns-data", "tinydns"),
        program("tinydns-get", "tinydns"),
    ) else {
        return;
    };
    let records = Records::new();
    let home = TempDir::new().unwrap();
    let zone = format!(".{DOMAIN}:127.0.0.1:ns:300\n{}", records.format("tinydns"));
    fs::write(home.path().join("data"), zone).unwrap();
    run(Command::new(data).current_dir(home.path()));
    for selector in SELECTORS {
        let answer = stdout(&run(Command::new(&get)
            .args(["txt", &name(selector)])
            .current_dir(home.path())));
        let line = answer
            .lines()
            .find(|line| line.starts_with("answer: "))
            .unwrap();
        let (_, shown) = line.split_once(" 16 ").unwrap();
        assert_eq!(strings(&octal(shown)), records.plain(selector), "{answer}");
    }
}

/// Bytes as tinydns-get shows them: `\177` for what is no letter or digit.
fn octal(shown: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = shown.as_bytes();
    while let Some((&first, behind)) = rest.split_first() {
        if first == b'\\' {
            let digits = std::str::from_utf8(&behind[..3]).unwrap();
            bytes.push(u8::from_str_radix(digits, 8).unwrap());
            rest = &behind[3..];
        } else {
            bytes.push(first);
            rest = behind;
        }
    }
    bytes
}

/// The character-strings of a TXT record, joined: each has its length before it.
fn strings(mut data: &[u8]) -> String {
    let mut text = Vec::new();
    while let Some((&length, rest)) = data.split_first() {
        let (string, behind) = rest.split_at(usize::from(length));
        text.extend_from_slice(string);
        data = behind;
    }
    String::from_utf8(text).unwrap()
}
