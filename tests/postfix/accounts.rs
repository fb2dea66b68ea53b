//! People with a password, known to Cyrus SASL in a database of their own: no saslauthd, no PAM, nothing of the machine's.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt, chown};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::instance::{Setup, account};

/// Everybody's password.
pub const PASSWORD: &str = "correct horse";

/// What Postfix takes for the realm of a login without one: its own name.
const REALM: &str = "mail.example.net";

/// Accounts that an unchrooted smtpd can ask about.
pub struct Accounts {
    home: TempDir,
}

impl Accounts {
    pub fn new(names: &[&str]) -> Self {
        let home = tempfile::Builder::new()
            .prefix("signet-sasl-")
            .tempdir()
            .unwrap();
        fs::set_permissions(home.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let database = home.path().join("sasldb2");
        for name in names {
            let mut child = Command::new("/usr/sbin/saslpasswd2")
                .args(["-p", "-c", "-u", REALM, "-f"])
                .arg(&database)
                .arg(name)
                .stdin(Stdio::piped())
                .spawn()
                .unwrap();
            let mut stdin = child.stdin.take().unwrap();
            stdin.write_all(PASSWORD.as_bytes()).unwrap();
            drop(stdin);
            assert!(child.wait().unwrap().success(), "saslpasswd2 {name}");
        }
        // smtpd has dropped root by the time it asks.
        chown(&database, Some(account("passwd", "postfix")), None).unwrap();
        Self { home }
    }

    /// Postfix with these people, who can log in to every service.
    pub fn setup(&self) -> Setup {
        let database = self.home.path().join("sasldb2");
        let smtpd_conf = format!(
            "pwcheck_method: auxprop\nauxprop_plugin: sasldb\nsasldb_path: {}\nmech_list: PLAIN\n",
            database.display()
        );
        let main_cf = [
            "smtpd_sasl_auth_enable = yes",
            "smtpd_tls_auth_only = no",
            // Where Debian's Postfix looks anyway.
            "cyrus_sasl_config_path = $config_directory/sasl",
        ];
        Setup {
            // The database lies outside of the queue directory.
            chroot: false,
            main_cf: main_cf.map(str::to_owned).to_vec(),
            files: vec![("sasl/smtpd.conf", smtpd_conf)],
            ..Setup::default()
        }
    }
}
