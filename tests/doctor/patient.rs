//! What the doctor looks at: a key directory, name servers, and what it says of them.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;

use rsa::RsaPrivateKey;
use rsa::pkcs8::{EncodePrivateKey, LineEnding};
use rsa::rand_core::OsRng;
use serde_json::Value;
use tempfile::TempDir;

use crate::left_out::program;
use crate::place::{Place, SIGNET, stdout};
use crate::tools::{Server, run};

pub const DOMAIN: &str = "example.com";

/// Keys that are made once for a target directory.
static KEYS: LazyLock<PathBuf> = LazyLock::new(|| {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("doctor");
    let kinds: [(&str, &[&str]); 3] = [
        ("rsa", &["--bits", "2048"]),
        ("other", &["--bits", "2048"]),
        ("ed25519", &["--algorithm", "ed25519"]),
    ];
    for (name, kind) in kinds {
        if directory.join(format!("{DOMAIN}/{name}.pem")).exists() {
            continue;
        }
        let mut keygen = Command::new(SIGNET);
        keygen
            .args(["keygen", DOMAIN, "--selector", name])
            .args(kind);
        run(keygen.arg("--keys").arg(&directory));
    }
    // keygen makes no key of 1024 bits.
    let weak = directory.join(format!("{DOMAIN}/weak.pem"));
    if !weak.exists() {
        let key = RsaPrivateKey::new(&mut OsRng, 1024).unwrap();
        let pem = key.to_pkcs8_pem(LineEnding::LF).unwrap();
        fs::write(&weak, pem).unwrap();
        fs::set_permissions(&weak, fs::Permissions::from_mode(0o600)).unwrap();
    }
    directory
});

/// The record of one of the keys that are made once.
pub fn record(name: &str) -> String {
    let mut dns = Command::new(SIGNET);
    dns.args([
        "dns",
        DOMAIN,
        "--selector",
        name,
        "--format",
        "plain",
        "--keys",
    ]);
    let printed = stdout(&run(dns.arg(&*KEYS)));
    printed.trim_end().to_owned()
}

/// A text as the strings of a zone file, at most `length` bytes each.
pub fn strings(text: &str, length: usize) -> String {
    let strings = text.as_bytes().chunks(length).map(|string| {
        let string = String::from_utf8_lossy(string);
        format!("\"{}\"", string.replace('\\', "\\\\").replace('"', "\\\""))
    });
    strings.collect::<Vec<_>>().join(" ")
}

pub fn quoted(text: &str) -> String {
    strings(text, 255)
}

/// BIND with these zones, or none where it is missing: a name and the records in it; without records the zone cannot be loaded. The
/// top-level domains above them have nothing else.
pub fn bind(zones: &[(&str, Option<&str>)]) -> Option<(Server, TempDir)> {
    bind_with("recursion no;", zones, "")
}

/// The same with other options, and statements behind the zones.
pub fn bind_with(
    options: &str,
    zones: &[(&str, Option<&str>)],
    statements: &str,
) -> Option<(Server, TempDir)> {
    let (Some(named), Some(_)) = (program("named", "bind9"), program("dig", "bind9-dnsutils"))
    else {
        return None;
    };
    let home = TempDir::new().unwrap();
    let write = |name: &str, text: &str| fs::write(home.path().join(name), text).unwrap();
    let mut listed = String::new();
    let known = |name: &&str| zones.iter().any(|(zone, _)| zone == name);
    let mut tops: Vec<_> = zones
        .iter()
        .filter_map(|(zone, _)| zone.rsplit('.').next())
        .filter(|top| !known(top))
        .collect();
    tops.sort_unstable();
    tops.dedup();
    let tops = tops.into_iter().map(|top| (top, Some("")));
    // For the sign of life.
    for (zone, records) in zones
        .iter()
        .copied()
        .chain(tops)
        .chain([("alive.test", Some(""))])
    {
        listed += &format!("zone \"{zone}\" {{ type primary; file \"{zone}\"; }};\n");
        if let Some(records) = records {
            let text = match records.contains(" SOA ") {
                true => records.to_owned(),
                false => format!(
                    "$TTL 60\n@ IN SOA ns root 1 3600 600 86400 60\n@ NS ns.elsewhere.example.\n{records}\n"
                ),
            };
            write(zone, &text);
        }
    }
    let config = home.path().join("named.conf");
    let server = Server::start("alive.test", |port| {
        let text = format!(
            "options {{ directory \"{}\"; pid-file none; session-keyfile none; listen-on port {port} {{ 127.0.0.1; }};\n\
             listen-on-v6 {{ none; }}; allow-query {{ any; }}; {options} }};\ncontrols {{ }};\n{listed}{statements}\n",
            home.path().display()
        );
        fs::write(&config, text).unwrap();
        let mut command = Command::new(&named);
        command.args(["-f", "-4", "-n", "1", "-c"]).arg(&config);
        command
    });
    Some((server, home))
}

/// A key directory and what doctor says about it.
pub struct Patient {
    pub place: Place,
}

impl Patient {
    pub fn new() -> Self {
        Self {
            place: Place::new(),
        }
    }

    /// Puts one of the keys that are made once into the key directory.
    pub fn give(&self, key: &str, domain: &str, selector: &str) -> PathBuf {
        let path = self.place.key(domain, selector);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        // The mode is copied too.
        fs::copy(KEYS.join(format!("{DOMAIN}/{key}.pem")), &path).unwrap();
        path
    }

    /// `signet doctor ARGUMENTS`, which are parted by spaces, with a resolver and name servers.
    pub fn doctor(&self, arguments: &str, resolver: SocketAddr, servers: &[SocketAddr]) -> Output {
        let mut command = Command::new(SIGNET);
        command
            .args(["doctor", "--no-postfix"])
            .args(arguments.split_whitespace());
        command.arg("--keys").arg(self.place.keys());
        command.args(["--resolver", &resolver.to_string()]);
        for server in servers {
            command.args(["--name-server", &server.to_string()]);
        }
        command.output().unwrap()
    }

    /// The findings about DNS and keys: what each is about, and its codes.
    pub fn findings(
        &self,
        arguments: &str,
        resolver: SocketAddr,
        servers: &[SocketAddr],
    ) -> Findings {
        Findings::of(&self.doctor(&format!("{arguments} --json"), resolver, servers))
    }
}

/// What `--json` says.
pub struct Findings {
    pub code: Option<i32>,
    /// Subject to code, `what` and the lines of `mend`.
    pub by_subject: BTreeMap<String, Vec<(String, String, String)>>,
    /// Every code, in the order of the report.
    pub found: Vec<String>,
    pub text: String,
}

impl Findings {
    pub fn of(output: &Output) -> Self {
        let text = stdout(output);
        let json: Value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{output:?}"));
        let mut by_subject: BTreeMap<_, Vec<_>> = BTreeMap::new();
        let mut found = Vec::new();
        for section in json["sections"].as_array().unwrap() {
            for finding in section["findings"].as_array().unwrap() {
                let field = |name: &str| finding[name].as_str().unwrap().to_owned();
                assert!(field("why").len() > 20, "{finding}");
                let mend: Vec<_> = finding["mend"].as_array().unwrap().iter().collect();
                let mend: Vec<_> = mend.iter().map(|line| line.as_str().unwrap()).collect();
                assert!(!mend.is_empty(), "{finding}");
                found.push(field("code"));
                let entry = (field("code"), field("what"), mend.join("\n"));
                by_subject.entry(field("subject")).or_default().push(entry);
            }
        }
        Self {
            code: output.status.code(),
            by_subject,
            found,
            text,
        }
    }

    /// The codes that concern the configuration, the keys, and their records.
    pub fn codes(&self) -> Vec<&str> {
        self.codes_of(&["config-", "key-", "dns-"])
    }

    /// The codes that begin with any of these.
    pub fn codes_of(&self, kinds: &[&str]) -> Vec<&str> {
        let all = self.found.iter().map(String::as_str);
        all.filter(|code| kinds.iter().any(|kind| code.starts_with(kind)))
            .collect()
    }

    /// The codes of what was found about a subject.
    pub fn about(&self, subject: &str) -> Vec<&str> {
        let about = self.by_subject.get(subject).into_iter().flatten();
        about.map(|(code, ..)| code.as_str()).collect()
    }
}
