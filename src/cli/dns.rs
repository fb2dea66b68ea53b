//! `signet dns`: prints the records of keys that are there already.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::announce::{self, Announcement, Form};
use super::settings;
use super::streams;
use super::{CommandResult, with_causes};
use crate::keys::{KeyDirectory, KeyEntry, Scan};
use crate::names::{DomainName, Selector};

#[derive(clap::Args)]
pub struct Args {
    /// The signing domain
    #[arg(value_name = "DOMAIN", required_unless_present = "format")]
    domain: Option<DomainName>,

    /// The key [default: every key of the domain]
    #[arg(long, value_name = "SELECTOR")]
    selector: Option<Selector>,

    /// The key directory [default: that of the config file, or /var/lib/signet/keys]
    #[arg(long, value_name = "DIR")]
    keys: Option<PathBuf>,

    /// Print the record in this form and nothing else (may be repeated); "list" names
    /// the forms
    #[arg(long, value_name = "FORMAT", value_parser = announce::form_parser())]
    format: Vec<Form>,
}

impl Args {
    fn wants(&self, selector: Option<&Selector>) -> bool {
        match (&self.selector, selector) {
            (Some(wanted), Some(selector)) => wanted == selector,
            _ => true,
        }
    }
}

pub fn run(args: &Args) -> CommandResult {
    let Some(formats) = announce::formats(&args.format)? else {
        return Ok(ExitCode::SUCCESS);
    };
    // Without a domain there is the list of the formats only.
    let domain = args
        .domain
        .as_ref()
        .ok_or("name the domain: signet dns DOMAIN --format FORMAT")?;
    let directory = KeyDirectory::open(settings::key_directory(args.keys.as_deref())?)?;
    let scan = directory.scan();
    let mut unusable: Vec<String> = scan
        .problems
        .iter()
        .filter(|problem| problem.domain.as_ref() == Some(domain))
        .filter(|problem| args.wants(problem.selector.as_ref()))
        .map(|problem| with_causes(&problem.error))
        .collect();
    let mut announcements = Vec::new();
    let (of_domain, others): (Vec<&KeyEntry>, Vec<&KeyEntry>) =
        scan.keys.iter().partition(|key| key.domain == *domain);
    for entry in of_domain
        .iter()
        .filter(|key| args.wants(Some(&key.selector)))
    {
        match directory.load(&entry.path) {
            Ok(key) => announcements.push(Announcement::new((*entry).clone(), &key)),
            Err(error) => unusable.push(with_causes(&error)),
        }
    }
    if announcements.is_empty() && unusable.is_empty() {
        return Err(absent(domain, args, directory.path(), &of_domain, &others, &scan).into());
    }
    for problem in &unusable {
        streams::tell(format_args!("signet: {problem}\n"));
    }
    if !announcements.is_empty() {
        announce::print(&announcements, &formats, false)?;
    }
    Ok(if unusable.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// That there is no such key, and what there is instead.
fn absent(
    domain: &DomainName,
    args: &Args,
    directory: &Path,
    of_domain: &[&KeyEntry],
    others: &[&KeyEntry],
    scan: &Scan,
) -> String {
    let keys = directory.display();
    if let Some(selector) = &args.selector
        && !of_domain.is_empty()
    {
        let there = list(of_domain.iter().map(|key| &key.selector));
        return format!(
            "{domain} has no key with the selector {selector} in {keys}; there is: {there}"
        );
    }
    let there = if others.is_empty() {
        "there is none at all".to_owned()
    } else {
        format!(
            "there are keys for: {}",
            list(others.iter().map(|key| &key.domain))
        )
    };
    let near = scan
        .ignored
        .iter()
        .filter(|file| file.path.starts_with(directory.join(domain.as_str())))
        .map(|file| format!("; {} is passed over: {}", file.path.display(), file.reason));
    format!(
        "{domain} has no key in {keys}, {there}{}",
        near.collect::<String>()
    )
}

/// Each name once, in order, not more than a screen can hold.
fn list<T: Display + Ord>(names: impl Iterator<Item = T>) -> String {
    const MOST: usize = 20;
    let names: BTreeSet<T> = names.collect();
    let shown: Vec<String> = names.iter().take(MOST).map(T::to_string).collect();
    match names.len().checked_sub(MOST) {
        None | Some(0) => shown.join(", "),
        Some(more) => format!("{} and {more} more", shown.join(", ")),
    }
}
