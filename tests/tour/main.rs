//! `docs/tour.md` is a tour that was taken: every command on the page is run, in its order, on a small machine made for it, and says what
//! the page shows.
//!
//! `SIGNET_WRITE=1 cargo test --test tour` writes it anew. On the page a line `$ COMMAND` of a `console` block is a command,
//! what follows is its output, `[...]` stands for lines that are left out, and outside of blocks `<!-- tour: WHAT -->` for what happens
//! without a command.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests fail by panicking, and so may all that serves them"
)]

#[path = "../left_out/mod.rs"]
mod left_out;
mod machine;
mod page;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use machine::Machine;
use page::{Part, alike, fresh, parts};

#[test]
fn the_tour_says_what_the_commands_say() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/tour.md");
    let page = fs::read_to_string(&file).unwrap();
    let Some(mut machine) = Machine::start() else {
        return;
    };
    let write = std::env::var_os("SIGNET_WRITE").is_some();
    let mut written = String::new();
    let mut commands = 0;
    for part in parts(&page) {
        match part {
            Part::Text(text) => written += text,
            Part::Event(line, what) => {
                machine.happens(what);
                written += line;
            }
            Part::Command(line, command, shown) => {
                commands += 1;
                let (said, _) = machine.run(command);
                machine.settles(command);
                written += line;
                written += &fresh(shown, &said);
                assert!(
                    write || alike(shown, &said),
                    "docs/tour.md is not current (SIGNET_WRITE=1 cargo test --test tour)\n$ {command}\n\
                     ---- the page\n{shown}---- the command\n{said}"
                );
            }
        }
    }
    if write {
        fs::write(&file, &written).unwrap();
    }
    let page = fs::read_to_string(&file).unwrap();
    assert!(commands > 15, "the tour has lost its commands: {commands}");
    assert!(
        page.lines().count() <= 250,
        "the tour is too long to be read"
    );
    // One and the same tour from its beginning to its end.
    let prints: BTreeSet<_> = page
        .split("SHA256:")
        .skip(1)
        .map(|rest| rest.split_whitespace().next())
        .collect();
    assert_eq!(prints.len(), 1, "{prints:?}");
}
