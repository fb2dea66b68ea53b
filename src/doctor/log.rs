//! The lines that Postfix logs about milters, in words. Only what was logged since
//! Postfix last read its settings counts.

use super::{Code, Section};

/// Part of a line, and what it means.
const KNOWN: [(&str, Code); 22] = [
    (": No such file or directory", Code::LogNoSuchFile),
    (": Permission denied", Code::LogPermissionDenied),
    (": Connection refused", Code::LogConnectionRefused),
    (": Connection timed out", Code::LogTimedOut),
    (": Operation timed out", Code::LogTimedOut),
    (" not found: ", Code::LogHostNotFound),
    (": Cannot assign requested address", Code::LogHostNotFound),
    ("needs transport:endpoint", Code::LogNeedsTransport),
    ("invalid transport name", Code::LogInvalidTransport),
    ("garbage after numerical service", Code::LogSendmailAddress),
    ("unix-domain name too long", Code::LogPathTooLong),
    ("bad protocol information", Code::LogBadProtocol),
    ("unrecognized default action", Code::LogBadAction),
    ("unreasonable packet length", Code::LogNotAMilter),
    ("in initial handshake", Code::LogNotAMilter),
    ("conflict with MTA", Code::LogNotAMilter),
    ("unexpected filter response", Code::LogNotAMilter),
    (
        "reply packet header: Connection timed out",
        Code::LogTimedOut,
    ),
    ("can't read SMFIC_", Code::LogClosed),
    ("can't write", Code::LogClosed),
    // What another milter refuses for its own reasons is its business.
    ("4.7.1 Service unavailable", Code::LogMilterReject),
    ("4.3.5 Server configuration problem", Code::LogMilterReject),
];

/// The end of Postfix's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogFacts {
    Text(String),
    /// There is none that can be read: where it was looked for, and what was there.
    Nowhere(Vec<String>),
}

pub(super) fn check(log: Option<&LogFacts>) -> Section {
    let mut section = Section::new("The log of Postfix");
    let log = match log {
        Some(LogFacts::Text(log)) => log,
        Some(LogFacts::Nowhere(places)) => {
            let what = format!("could not be looked at: {}", places.join("; "));
            let mend = vec![
                "run doctor as root, or name the file that Postfix logs to:".to_owned(),
                "signet doctor --mail-log /var/log/mail.log".to_owned(),
            ];
            section.add(Code::LogUnknown, "log", what, mend);
            return section;
        }
        None => return section,
    };
    let mut found: Vec<(Code, usize, &str)> = Vec::new();
    for line in since_last_start(log) {
        let Some(code) = meaning(line) else { continue };
        match found.iter_mut().find(|(known, ..)| *known == code) {
            Some((_, count, last)) => {
                *count += 1;
                *last = line;
            }
            None => found.push((code, 1, line)),
        }
    }
    for (code, count, last) in &found {
        let times = match count {
            1 => "once".to_owned(),
            count => format!("{count} times"),
        };
        let what = format!("{times} since Postfix read its settings: {}", shown(last));
        let mend = vec![format!("signet doctor --explain {code}")];
        section.add(*code, "log", what, mend);
    }
    if found.is_empty() && !log.is_empty() {
        let good = "no trouble with milters since Postfix read its settings";
        section.good.push(good.to_owned());
    }
    section
}

fn since_last_start(log: &str) -> impl Iterator<Item = &str> {
    let starts = |line: &&str| {
        line.contains("reload -- version") || line.contains("daemon started -- version")
    };
    let lines: Vec<&str> = log.lines().collect();
    let from = lines.iter().rposition(starts).map_or(0, |at| at + 1);
    lines.into_iter().skip(from)
}

/// What a line says about milters, if anything.
fn meaning(line: &str) -> Option<Code> {
    let concerns = [
        "ilter",
        "garbage after numerical service",
        "unix-domain name too long",
        "host or service",
    ];
    if !concerns.iter().any(|part| line.contains(part)) {
        return None;
    }
    KNOWN
        .iter()
        .find(|(part, _)| line.contains(part))
        .map(|(_, code)| *code)
}

/// A line of the log without its date, not too long.
fn shown(line: &str) -> String {
    let text = line
        .find("postfix")
        .and_then(|at| line.get(at..))
        .unwrap_or(line);
    text.chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_came_since_the_last_start_counts() {
        let old = "Nov 1 postfix/smtpd[1]: warning: connect to Milter service unix:a: No such file or directory\n";
        let start =
            "Nov 1 postfix/master[1]: reload -- version 3.7.11, configuration /etc/postfix\n";
        let codes = |log: &str| -> Vec<Code> {
            let section = check(Some(&LogFacts::Text(log.to_owned())));
            section
                .findings
                .iter()
                .map(|finding| finding.code)
                .collect()
        };
        assert_eq!(codes(old), [Code::LogNoSuchFile]);
        assert_eq!(codes(&format!("{old}{start}")), []);
        assert_eq!(
            codes(&format!("{old}{start}{old}{old}")),
            [Code::LogNoSuchFile]
        );
    }

    #[test]
    fn a_lookup_that_failed_elsewhere_is_not_about_milters() {
        let line = "postfix/smtp[1]: connect to mx.example.org[192.0.2.1]:25: Connection refused";
        assert_eq!(meaning(line), None);
    }
}
