//! The manual pages and the shells' completions in `contrib` are those of the program as it is.
//!
//! They are made here, from the command line's own definitions and from `docs/configuration.md`:
//! `SIGNET_WRITE=1 cargo test --test manual` writes them.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests may fail by panicking"
)]

#[path = "../left_out/mod.rs"]
mod left_out;
mod roff;

use std::fs;
use std::path::Path;

use clap_complete::Shell;
use clap_mangen::Man;
use signet::cli;

/// The name of a file below `contrib`, and what it must hold.
type Page = (String, Vec<u8>);

fn pages() -> Vec<Page> {
    let mut command = cli::command();
    command.build();
    let mut pages = vec![page(&command, "signet", "8")];
    for subcommand in command.get_subcommands() {
        let name = subcommand.get_name();
        if name != "help" {
            let section = if name == "serve" { "8" } else { "1" };
            pages.push(page(subcommand, &format!("signet-{name}"), section));
        }
    }
    let configuration = include_str!("../../docs/configuration.md");
    let text = roff::page("signet.toml", "5", configuration);
    pages.push(("man/signet.toml.5".to_owned(), text.into_bytes()));
    pages
}

fn page(command: &clap::Command, name: &str, section: &str) -> Page {
    let mut text = Vec::new();
    Man::new(command.clone())
        .title(name)
        .section(section)
        .render(&mut text)
        .unwrap();
    (format!("man/{name}.{section}"), text)
}

fn completions() -> Vec<Page> {
    let files = [
        (Shell::Bash, "signet.bash"),
        (Shell::Zsh, "_signet"),
        (Shell::Fish, "signet.fish"),
    ];
    let completion = |(shell, file)| {
        let mut text = Vec::new();
        clap_complete::generate(shell, &mut cli::command(), "signet", &mut text);
        (format!("completions/{file}"), text)
    };
    files.map(completion).into()
}

/// Asserts that these files are there as they should be, and no others; or makes it so.
fn assert_current(directory: &str, pages: &[Page]) {
    let contrib = Path::new(env!("CARGO_MANIFEST_DIR")).join("contrib");
    let write = std::env::var_os("SIGNET_WRITE").is_some();
    let mut stale = Vec::new();
    for (name, text) in pages {
        let file = contrib.join(name);
        if write {
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(&file, text).unwrap();
        } else if fs::read(&file).ok().as_ref() != Some(text) {
            stale.push(name.clone());
        }
    }
    for entry in fs::read_dir(contrib.join(directory)).unwrap() {
        let entry = entry.unwrap();
        let name = format!("{directory}/{}", entry.file_name().to_str().unwrap());
        if pages.iter().all(|(known, _)| *known != name) {
            match write {
                true => fs::remove_file(entry.path()).unwrap(),
                false => stale.push(name),
            }
        }
    }
    assert!(
        stale.is_empty(),
        "run SIGNET_WRITE=1 cargo test --test manual; not current in contrib: {stale:#?}"
    );
}

#[test]
fn the_manual_pages_are_current() {
    assert_current("man", &pages());
}

#[test]
fn the_completions_are_current() {
    assert_current("completions", &completions());
}

#[test]
fn every_key_is_in_the_manual() {
    let (_, page) = pages().pop().unwrap();
    let page = String::from_utf8(page).unwrap();
    for key in signet::config::Config::keys() {
        let tables = [
            "trust", "exclude", "send_as", "signing", "limits", "log", "metrics",
        ];
        let told = page.contains(&format!("\\fB{}\\fR", key.replace('-', "\\-")));
        assert!(told || tables.contains(&key.as_str()), "{key}");
    }
}

/// groff warns of what it does not understand.
#[test]
fn groff_understands_every_page() {
    let Some(groff) = left_out::program("groff", "groff-base") else {
        return;
    };
    for (name, text) in pages() {
        assert_eq!(roff::complaints(&groff, &text), "", "{name}");
    }
}
