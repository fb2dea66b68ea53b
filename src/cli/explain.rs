//! `signet explain`: the daemon's decision about one message, on paper.
//!
//! The decision is the snapshot's own; this only puts each question and its answer
//! into words. It decides nothing.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::process::ExitCode;

use super::CommandResult;
use super::message_file::read_message;
use super::screen::{self, Ink};
use super::settings::Settings;
use super::streams;
use crate::config::{Config, OnFailure};
use crate::dkim::HeaderSection;
use crate::milter::mta::Message;
use crate::names::Address;
use crate::policy::{Decision, Origin, Reason, TrustedBy};
use crate::snapshot::Snapshot;

#[derive(clap::Args)]
#[command(mut_arg("listen", |listen| listen.hide(true)))]
pub struct Args {
    #[command(flatten)]
    settings: Settings,

    /// The author, as in the From field; not needed with MESSAGE
    #[arg(long, value_name = "ADDRESS", required_unless_present = "message")]
    from: Option<String>,

    /// The client's address
    #[arg(long, value_name = "IP", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    client: IpAddr,

    /// The client's name, for lists of clients that hold names
    #[arg(long, value_name = "HOST")]
    client_name: Option<String>,

    /// The name the client logged in with
    #[arg(long, value_name = "USER")]
    login: Option<String>,

    /// The name of the Postfix service (milter_macro_daemon_name)
    #[arg(long, value_name = "NAME")]
    daemon: Option<String>,

    /// A recipient (repeatable)
    #[arg(long, value_name = "ADDRESS")]
    rcpt: Vec<String>,

    /// A message whose header section is to be used; `-` is standard input
    message: Option<PathBuf>,
}

pub fn run(args: &Args) -> CommandResult {
    let config = args.settings.config()?;
    let snapshot = Snapshot::load(config)?;
    let section = section(args)?;
    let origin = Origin {
        client: Some(args.client),
        client_name: args.client_name.as_deref().map(str::as_bytes),
        login: args.login.as_deref().map(str::as_bytes),
        auth_type: args.login.as_ref().map(|_| &b"PLAIN"[..]),
        daemon_name: args.daemon.as_deref().map(str::as_bytes),
        macros: None,
    };
    let decision = snapshot.decide(&origin, &args.rcpt, &section);
    let mut paper = Paper {
        settings: &args.settings,
        config: snapshot.config(),
        decision: &decision,
        text: String::new(),
    };
    paper.origin(&origin, snapshot.decide_origin(&origin));
    paper.rest();
    paper.conclude();
    streams::print(paper.text)?;
    Ok(match decision {
        Decision::Sign { .. } => ExitCode::SUCCESS,
        Decision::Pass { .. } | Decision::Fail { .. } => ExitCode::from(1),
    })
}

fn section(args: &Args) -> Result<HeaderSection, Box<dyn std::error::Error + Send + Sync>> {
    let mut section = HeaderSection::new();
    if let Some(path) = &args.message {
        for (name, value) in Message::parse(&read_message(Some(path))?).fields {
            let replaced = args.from.is_some() && name.eq_ignore_ascii_case(b"from");
            if !replaced {
                section.push(&name, &value);
            }
        }
    }
    if let Some(from) = &args.from {
        Address::parse(from)?;
        section.push(b"From", format!(" <{from}>").as_bytes());
    }
    Ok(section)
}

/// The questions after the origin, in order, each with the reason that a "no" has.
const QUESTIONS: [(&str, &[Reason], &str); 6] = [
    (
        "Is no recipient excluded?",
        &[Reason::ExcludedRecipient],
        "exclude.recipients",
    ),
    (
        "Does it have one author?",
        &[
            Reason::FromMissing,
            Reason::FromUnparsable,
            Reason::FromRepeated,
            Reason::FromMultiple,
        ],
        "author_headers",
    ),
    (
        "Is the author's domain not excluded?",
        &[Reason::ExcludedDomain],
        "exclude.domains",
    ),
    (
        "May this login use this author?",
        &[Reason::SendAsDenied],
        "send_as",
    ),
    ("Is there a rule for the author?", &[Reason::NoRule], "rule"),
    ("Can its keys be used?", &[Reason::KeyUnusable], "keys"),
];

struct Paper<'p> {
    settings: &'p Settings,
    config: &'p Config,
    decision: &'p Decision,
    text: String,
}

impl Paper<'_> {
    fn origin(&mut self, origin: &Origin<'_>, answer: Result<TrustedBy, Reason>) {
        let question = "May mail of this client be signed?";
        let client = origin
            .client
            .map_or("without an address".to_owned(), |ip| ip.to_string());
        match answer {
            Ok(by) => {
                let (why, key) = match by {
                    TrustedBy::Network => ("is in a trusted network", "trust.networks"),
                    TrustedBy::Authentication => ("logged in", "trust.authenticated"),
                    TrustedBy::DaemonName => {
                        ("came through a trusted service", "trust.daemon_names")
                    }
                    TrustedBy::Macro => ("has a trusted macro", "trust.macros"),
                };
                self.answered(true, question, &format!("the client {client} {why}"));
                self.decided_by(key);
            }
            Err(reason) => {
                let (why, key) = match reason {
                    Reason::ExcludedNetwork => ("is in an excluded network", "trust.except"),
                    _ => (
                        "is in no trusted network, did not log in, and came through no trusted service",
                        "trust.networks",
                    ),
                };
                self.answered(false, question, &format!("the client {client} {why}"));
                self.decided_by(key);
            }
        }
    }

    fn rest(&mut self) {
        let stopped = match self.decision {
            Decision::Sign { .. } => None,
            Decision::Pass { reason, detail, .. } | Decision::Fail { reason, detail, .. } => {
                Some((*reason, detail.as_str()))
            }
        };
        if matches!(
            stopped,
            Some((Reason::UntrustedClient | Reason::ExcludedNetwork, _))
        ) {
            return;
        }
        for (question, reasons, key) in QUESTIONS {
            match stopped {
                Some((reason, detail)) if reasons.contains(&reason) => {
                    self.answered(false, question, detail);
                    self.decided_by(key);
                    return;
                }
                _ => self.answered(true, question, &self.yes(key)),
            }
        }
    }

    /// What there is to say about a question that was passed.
    fn yes(&self, key: &str) -> String {
        let Decision::Sign { author, rule, .. } = self.decision else {
            return String::new();
        };
        match (key, rule) {
            ("author_headers", _) => author.to_string(),
            ("rule", None) => format!(
                "without rules every key of {} in {} signs",
                author.domain,
                self.config.keys.display()
            ),
            ("rule", Some(pattern)) => {
                let mut rules = self.config.rules.iter();
                let place = rules.find(|rule| rule.pattern.to_string() == **pattern);
                let place = place
                    .map(|rule| rule.place.to_string())
                    .filter(|p| !p.is_empty());
                let at = place.map_or(String::new(), |place| format!(" ({place})"));
                format!("the rule \"{pattern}\"{at}")
            }
            _ => String::new(),
        }
    }

    /// The line of the config that a question was answered by.
    fn decided_by(&mut self, key: &str) {
        let place = self.settings.file().and_then(|file| {
            let text = std::fs::read_to_string(&file).ok()?;
            Config::place_of(&text, &file.to_string_lossy(), key)
        });
        self.text += &match place {
            Some(place) => format!("       decided by {key}, {place}\n"),
            None => format!("       decided by {key}, at its default\n"),
        };
    }

    fn answered(&mut self, yes: bool, question: &str, detail: &str) {
        let (ink, word) = match yes {
            true => (Ink::Good, "yes"),
            false => (Ink::Bad, "NO "),
        };
        let word = screen::out().paint(ink, word);
        self.text += &format!("  {word}  {question}\n");
        if !detail.is_empty() {
            self.text += &format!("       {detail}\n");
        }
    }

    fn conclude(&mut self) {
        let style = screen::out();
        let no = style.paint(Ink::Bad, "It would not be signed:");
        self.text.push('\n');
        self.text += &match self.decision {
            Decision::Sign { requests, .. } => {
                let yes = style.paint(Ink::Good, "It would be signed:");
                let signatures = requests.iter().map(|request| {
                    format!(
                        "  d={} s={} a={} c={} i={}\n",
                        request.domain,
                        request.selector,
                        request.key.key_type().algorithm(),
                        request.canonicalization,
                        request.identity.as_deref().unwrap_or("none"),
                    )
                });
                format!("{yes}\n{}", signatures.collect::<String>())
            }
            Decision::Pass { reason, .. } => format!(
                "{no} {reason}. It goes its way unsigned.\nTo change that: {}\n",
                remedy(*reason)
            ),
            Decision::Fail {
                reason, on_failure, ..
            } => {
                let fate = match on_failure {
                    OnFailure::Tempfail => "The sender is told to try again later.",
                    OnFailure::Unsigned => "It goes its way unsigned.",
                    OnFailure::Reject => "It is refused.",
                };
                format!(
                    "{no} {reason}. {fate}\nTo change that: {}\n",
                    remedy(*reason)
                )
            }
        };
    }
}

/// What would have to change for the message to be signed.
fn remedy(reason: Reason) -> &'static str {
    match reason {
        Reason::UntrustedClient => {
            "let the client log in, or add its network to trust.networks if all mail from there is yours"
        }
        Reason::ExcludedNetwork => "take the network out of trust.except",
        Reason::ExcludedRecipient => "take the recipient out of exclude.recipients",
        Reason::ExcludedDomain => "take the domain out of exclude.domains",
        Reason::AlreadySigned => "nothing; it carries a valid signature of ours",
        Reason::FromMissing => "have the program that writes the mail add a From field",
        Reason::FromUnparsable => {
            "have the program that writes the mail write From: name <user@domain>"
        }
        Reason::FromRepeated => "have the program that writes the mail write one From field",
        Reason::FromMultiple => "write one address into From, or name one Sender",
        Reason::SendAsDenied => "give the login this address in send_as",
        Reason::NoRule => {
            "make a key with `signet keygen DOMAIN`, or add a [[rule]] for the author"
        }
        Reason::KeyUnusable => "mend the key as said above, or make a new one with `signet keygen`",
        Reason::LimitExceeded => "raise the limit named above in [limits]",
        Reason::SignFailed => "see the log of the daemon",
        Reason::Aborted => "nothing; the client gave up",
    }
}
