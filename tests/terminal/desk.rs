//! What the commands are run on: a key, a message, records; and every command, with arguments that need no other program.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use signet::cli;
use tempfile::TempDir;

pub const SIGNET: &str = env!("CARGO_BIN_EXE_signet");

/// A key, a message, and where the commands find them.
pub struct Desk {
    home: TempDir,
    pub commands: Vec<String>,
}

impl Desk {
    pub fn new() -> Self {
        let home = TempDir::new().unwrap();
        let keys = home.path().join("keys").display().to_string();
        let path = |name: &str| home.path().join(name).display().to_string();
        let of_keys = |command: &str| format!("{command} --keys {keys}");
        let made = signet(&of_keys("keygen example.com --selector s1"));
        assert!(made.status.success(), "{made:?}");
        fs::write(path("draft"), "From: a@example.com\r\n\r\nHello\r\n").unwrap();
        let signed = signet(&of_keys(&format!("sign {}", path("draft"))));
        fs::write(path("signed"), signed.stdout).unwrap();
        let records = signet(&of_keys("dns example.com --format bind"));
        fs::write(path("records"), records.stdout).unwrap();
        fs::write(path("config"), "keys = 7\n").unwrap();
        let commands = vec![
            of_keys("setup example.com --resolver 127.0.0.1:1"),
            of_keys("keygen example.org"),
            of_keys("dns example.com"),
            of_keys("doctor --no-postfix --resolver 127.0.0.1:1"),
            format!("check --config {}", path("config")),
            "status --at 127.0.0.1:1".to_owned(),
            of_keys("explain --from a@example.net"),
            format!("verify --dns-file {} {}", path("records"), path("signed")),
            "selftest".to_owned(),
            of_keys(&format!("sign {}", path("nothing"))),
            of_keys("test --from a@example.com --smtp 127.0.0.1:1 a@example.org"),
            "serve --config /nonexistent".to_owned(),
            "bench --socket unix:/nonexistent".to_owned(),
            "import rspamd /nonexistent --out /nonexistent".to_owned(),
            "nonsense".to_owned(),
        ];
        for name in names() {
            let named = |command: &String| command.split(' ').next() == Some(&name);
            assert!(commands.iter().any(named), "{name} is not on the desk");
        }
        Self { home, commands }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// As if the commands had not made anything yet.
    pub fn forget(&self) {
        for made in ["keys/example.org", "out"] {
            let _ = fs::remove_dir_all(self.path(made));
        }
    }
}

/// The names of all commands.
pub fn names() -> Vec<String> {
    let command = cli::command();
    let names = command.get_subcommands().map(|each| each.get_name());
    names.map(str::to_owned).collect()
}

pub fn signet(arguments: &str) -> Output {
    let arguments = arguments.split(' ');
    Command::new(SIGNET).args(arguments).output().unwrap()
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
