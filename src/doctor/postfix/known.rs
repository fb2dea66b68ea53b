//! Milters that machines have beside signet: what they are called, where they usually
//! listen, and whether what they do to a message can break a signature.
//!
//! Knows names, ports and habits. What one of them is set to is not decided here.

/// A milter with a name.
#[derive(Debug, PartialEq, Eq)]
pub struct Known {
    pub name: &'static str,
    /// What its program is called, or the path of its socket; parts of either.
    words: &'static [&'static str],
    /// Where its packages and instructions have it listen.
    ports: &'static [&'static str],
    pub habit: Habit,
}

/// What a milter does to messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Habit {
    /// It refuses or lets pass, and adds or removes fields that signet never signs:
    /// Authentication-Results, Received-SPF, ARC-*, X-*.
    Judges,
    /// It makes DKIM signatures, when it is set to.
    Signs(Dialect),
    /// It changes fields or bodies, as said here.
    Changes(&'static str),
}

/// Whose settings say whether it signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    OpenDkim,
    Dkimpy,
    Rspamd,
    /// Settings that nothing is known of.
    Foreign,
}

/// In the order in which they are looked for.
static KNOWN: &[Known] = &[
    Known {
        name: "OpenDKIM",
        words: &["opendkim"],
        ports: &["8891", "12301"],
        habit: Habit::Signs(Dialect::OpenDkim),
    },
    Known {
        name: "dkimpy-milter",
        words: &["dkimpy"],
        ports: &["8892"],
        habit: Habit::Signs(Dialect::Dkimpy),
    },
    Known {
        name: "rspamd",
        words: &["rspamd"],
        ports: &["11332"],
        habit: Habit::Signs(Dialect::Rspamd),
    },
    Known {
        name: "dkim-milter",
        words: &["dkim-milter", "dkim-filter"],
        ports: &[],
        habit: Habit::Signs(Dialect::Foreign),
    },
    Known {
        name: "OpenDMARC",
        words: &["opendmarc"],
        ports: &["8893"],
        habit: Habit::Judges,
    },
    // It seals what others signed: behind signet it covers our signature, too.
    Known {
        name: "OpenARC",
        words: &["openarc"],
        ports: &[],
        habit: Habit::Judges,
    },
    Known {
        name: "authentication_milter",
        words: &["authentication_milter", "authentication-milter"],
        ports: &[],
        habit: Habit::Judges,
    },
    Known {
        name: "sid-milter",
        words: &["sid-milter", "sid-filter"],
        ports: &[],
        habit: Habit::Judges,
    },
    Known {
        name: "spf-milter",
        words: &["spf-milter", "spfmilter"],
        ports: &[],
        habit: Habit::Judges,
    },
    // "AddHeader Replace" replaces X-Virus-* alone.
    Known {
        name: "clamav-milter",
        words: &["clamav", "clmilter"],
        ports: &["7357"],
        habit: Habit::Judges,
    },
    Known {
        name: "milter-greylist",
        words: &["greylist"],
        ports: &[],
        habit: Habit::Judges,
    },
    Known {
        name: "milter-regex",
        words: &["milter-regex"],
        ports: &[],
        habit: Habit::Judges,
    },
    // It changes envelopes.
    Known {
        name: "postsrsd",
        words: &["postsrsd"],
        ports: &[],
        habit: Habit::Judges,
    },
    Known {
        name: "spamass-milter",
        words: &["spamass"],
        ports: &[],
        habit: Habit::Changes("rewrites the Subject and the body of what it takes for spam"),
    },
    Known {
        name: "amavisd-milter",
        words: &["amavis"],
        ports: &[],
        habit: Habit::Changes("marks the Subject of what it takes for spam, and may add a footer"),
    },
    Known {
        name: "MIMEDefang",
        words: &["mimedefang"],
        ports: &[],
        habit: Habit::Changes("rewrites bodies"),
    },
];

impl Known {
    /// The milter that listens there, by its program when that can be seen, or else by
    /// what the address in the list says.
    pub fn find(address: &str, command: Option<&[String]>) -> Option<&'static Self> {
        let path = address.split_once(':').filter(|(kind, _)| *kind != "inet");
        let by_name = command
            .and_then(program)
            .and_then(|name| Self::called(&name))
            .or_else(|| Self::called(path?.1));
        // A port says nothing once another program is seen there.
        by_name.or_else(|| {
            let port = address.strip_prefix("inet:")?.rsplit(':').next()?;
            let known = KNOWN.iter().find(|known| known.ports.contains(&port));
            known.filter(|_| command.is_none())
        })
    }

    fn called(text: &str) -> Option<&'static Self> {
        let text = text.to_ascii_lowercase();
        let known = |known: &&Self| known.words.iter().any(|word| text.contains(word));
        KNOWN.iter().find(known)
    }
}

/// The name of a program by how it was started: of a script, not of its interpreter.
/// Some put a title with a colon in its place.
fn program(command: &[String]) -> Option<String> {
    let name = |word: &String| {
        let word = word.split([':', ' ']).next().unwrap_or_default();
        word.rsplit('/').next().unwrap_or_default().to_owned()
    };
    let first = name(command.first()?);
    let interprets = ["python", "perl", "ruby", "sh"]
        .iter()
        .any(|start| first.starts_with(start));
    match command.get(1) {
        Some(script) if interprets => Some(name(script)),
        _ => Some(first),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(address: &str, command: &[&str]) -> Option<&'static str> {
        let words: Vec<String> = command.iter().map(|word| (*word).to_owned()).collect();
        let command = Some(&words[..]).filter(|words| !words.is_empty());
        Known::find(address, command).map(|known| known.name)
    }

    #[test]
    fn a_milter_is_known_by_its_program_then_by_its_socket_then_by_its_port() {
        let at = "inet:127.0.0.1:8893";
        assert_eq!(
            found(at, &["/usr/sbin/opendkim", "-x", "f"]),
            Some("OpenDKIM")
        );
        assert_eq!(
            found(at, &["rspamd: rspamd_proxy process (localhost:11332)"]),
            Some("rspamd")
        );
        let script = ["/usr/bin/python3", "/usr/bin/dkimpy-milter", "/etc/c"];
        assert_eq!(found(at, &script), Some("dkimpy-milter"));
        assert_eq!(found(at, &[]), Some("OpenDMARC"));
        // Somebody else has its port.
        assert_eq!(found(at, &["/usr/bin/mine", "/run/opendkim"]), None);
        assert_eq!(
            found("unix:/run/clamav/milter.sock", &["/usr/bin/mine"]),
            Some("clamav-milter")
        );
        assert_eq!(found("inet:opendkim.example:1", &[]), None);
    }
}
