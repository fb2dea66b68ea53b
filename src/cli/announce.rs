//! What `keygen` and `dns` print: the record for a person, or in the formats asked for.
//!
//! With `--format` standard output holds that text alone, so that it can go straight
//! into a zone file; what there is to explain goes to standard error.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use super::screen::{self, Ink, Style};
use super::settings;
use super::streams::{self, PrintError};
use crate::dkim::{KeyType, SigningKey};
use crate::dns::format::{self, DEFAULT_TTL, FORMATS};
use crate::dns::{Format, Publication};
use crate::keys::KeyEntry;

/// A key on disk with the record that announces it to the world.
pub(super) struct Announcement {
    publication: Publication,
    path: PathBuf,
    kind: String,
    fingerprint: String,
    advice: &'static str,
}

impl Announcement {
    pub(super) fn new(entry: KeyEntry, key: &SigningKey) -> Self {
        let public_key = key.public_key();
        Self {
            publication: Publication::new(entry.domain, entry.selector, &public_key),
            path: entry.path,
            kind: match key.key_type() {
                KeyType::Rsa => format!("RSA, {} bits", key.bits()),
                KeyType::Ed25519 => "Ed25519".to_owned(),
            },
            fingerprint: public_key.fingerprint(),
            advice: match key.key_type() {
                KeyType::Rsa if key.is_weak() => {
                    "Warning:         an RSA key of less than 2048 bits is weak; make a new one\n"
                }
                KeyType::Rsa => "",
                KeyType::Ed25519 => {
                    "Note:            many receivers check RSA only; have an RSA key as well\n"
                }
            },
        }
    }

    /// The whole story, for a person.
    fn story(&self, style: Style) -> String {
        let value = format::DEFAULT.render(std::slice::from_ref(&self.publication));
        let directory = self.key_directory();
        let usual = settings::key_directory(None);
        let keys = match usual.is_ok_and(|usual| usual == Path::new(&directory)) {
            true => String::new(),
            false => format!(" --keys {directory}"),
        };
        let again = format!(
            "signet dns {} --selector {}{keys} --format NAME",
            self.publication.domain, self.publication.selector,
        );
        let other_formats: Vec<_> = FORMATS.iter().skip(1).map(|format| format.name).collect();
        format!(
            "{facts}\n\
             {publish}\n\
             Name:            {name}\n\
             Within the zone: {relative} (if the zone is {domain}; most consoles add the rest)\n\
             TTL:             {DEFAULT_TTL}\n\
             Value:\n\n\
             {value}\n\n\
             {size}{how}\n\
             For other consoles, zone files and tools:\n  \
             {again}\n\
             where NAME is {formats}.\n",
            facts = self.facts(style),
            publish = style.paint(Ink::Heading, "Publish one TXT record."),
            value = style.paint(Ink::Command, value.trim_end()),
            again = style.paint(Ink::Command, &again),
            name = self.publication.name(),
            relative = self.publication.relative_name(),
            domain = self.publication.domain,
            size = self.size_note(),
            how = format::DEFAULT.how,
            formats = wrapped(&other_formats),
        )
    }

    fn facts(&self, style: Style) -> String {
        let advice = match self.advice.split_once(':') {
            Some((word, rest)) => style.paint(Ink::Warning, &format!("{word}:")) + rest,
            None => String::new(),
        };
        let Publication {
            domain, selector, ..
        } = &self.publication;
        format!(
            "Signing domain:  {domain}\n\
             Selector:        {selector} ({})\n\
             Private key:     {} (keep it secret)\n\
             Fingerprint:     {} (of the public key)\n\
             {advice}",
            self.kind,
            self.path.display(),
            self.fingerprint,
        )
    }

    /// A line when the answer of DNS is so long that it needs more than plain UDP.
    fn size_note(&self) -> String {
        match self.publication.answer_size().note() {
            Some(note) => format!("Note: {note}.\n\n"),
            None => String::new(),
        }
    }

    fn next_step(&self, style: Style) -> String {
        let keys = self.key_directory();
        let of_root = std::fs::metadata(&self.path).is_ok_and(|metadata| metadata.uid() == 0);
        let ownership = if of_root {
            format!(
                "The key belongs to root. If signet runs as another user, give it the keys:\n  \
                 chown -R USER {keys}\n"
            )
        } else {
            String::new()
        };
        format!(
            "{next} wait until the record is seen,\n  \
             {dig}\n\
             then start or reload signet. It signs with every key in {keys} from then on.\n\
             {ownership}",
            next = style.paint(Ink::Heading, "Next:"),
            dig = style.paint(
                Ink::Command,
                &format!("dig +short TXT {}", self.publication.name())
            ),
        )
    }

    fn key_directory(&self) -> String {
        let directory = self.path.parent().and_then(|domain| domain.parent());
        directory.unwrap_or(&self.path).display().to_string()
    }
}

/// Words with commas, cut into lines.
fn wrapped(words: &[&str]) -> String {
    let mut text = String::new();
    let mut column = "where NAME is ".len();
    for (place, word) in words.iter().enumerate() {
        if place > 0 {
            text.push(',');
            let fits = column + word.len() < 78;
            text.push(if fits { ' ' } else { '\n' });
            column = if fits { column + 2 } else { 0 };
        }
        text.push_str(word);
        column += word.len();
    }
    text
}

/// Prints the announcements; `is_new` when the keys have just been made.
pub(super) fn print(
    announcements: &[Announcement],
    formats: &[Format],
    is_new: bool,
) -> Result<(), PrintError> {
    let mut text = String::new();
    let mut explanation = String::new();
    let publications: Vec<_> = announcements
        .iter()
        .map(|announcement| announcement.publication.clone())
        .collect();
    for format in formats {
        text += &format.render(&publications);
    }
    for (place, announcement) in announcements.iter().enumerate() {
        let told = if formats.is_empty() {
            &mut text
        } else {
            &mut explanation
        };
        if place > 0 {
            told.push('\n');
        }
        if formats.is_empty() {
            told.push_str(&announcement.story(screen::out()));
        } else {
            told.push_str(&announcement.facts(screen::err()));
            told.push_str(&format!(
                "Record name:     {}\n",
                announcement.publication.name()
            ));
            told.push_str(&announcement.size_note());
        }
        if is_new {
            told.push('\n');
            told.push_str(&announcement.next_step(match formats.is_empty() {
                true => screen::out(),
                false => screen::err(),
            }));
        }
    }
    for format in formats.iter().filter(|format| !format.how.is_empty()) {
        explanation.push('\n');
        explanation.push_str(format.how);
    }
    // First what a person should know, in case both go to one terminal.
    streams::tell(explanation);
    streams::print(text)
}

/// What `--format` asks for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Form {
    One(Format),
    /// The list of the formats.
    List,
}

/// The formats among what was asked for; none when the list of them was printed
/// instead.
pub(super) fn formats(forms: &[Form]) -> Result<Option<Vec<Format>>, PrintError> {
    let mut formats = Vec::new();
    for form in forms {
        match form {
            Form::One(format) => formats.push(*format),
            Form::List => {
                let lines = FORMATS
                    .iter()
                    .map(|format| format!("{:<22}{}\n", format.name, format.about));
                streams::print(lines.collect::<String>())?;
                return Ok(None);
            }
        }
    }
    Ok(Some(formats))
}

/// Reads `--format` and lists the formats in the help.
pub(super) fn form_parser() -> impl TypedValueParser<Value = Form> {
    let names = FORMATS.iter().map(|format| {
        PossibleValue::new(format.name)
            .aliases(format.aliases)
            .help(format.about)
    });
    let list = PossibleValue::new("list").help("print this list");
    PossibleValuesParser::new(names.chain([list])).try_map(|name| {
        if name == "list" {
            return Ok(Form::List);
        }
        name.parse::<Format>().map(Form::One)
    })
}
