//! The terminal that a person looks at, if there is one: whether it is to show colours,
//! and a line that says what takes so long. In a pipe or a file there is neither.

use std::io::{self, IsTerminal, Write};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

pub use crate::paint::{Ink, Style};

/// What is done sooner needs no words.
const PATIENCE: Duration = Duration::from_secs(1);

/// How standard output is to look.
pub fn out() -> Style {
    style(&io::stdout())
}

/// How standard error is to look.
pub fn err() -> Style {
    style(&io::stderr())
}

/// Colours are for a terminal that has them, and for a user who wants them
/// (no-color.org).
pub fn colours_are_unwanted() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()) || is_dumb()
}

fn style(stream: &impl IsTerminal) -> Style {
    match stream.is_terminal() && !colours_are_unwanted() {
        true => Style::Coloured,
        false => Style::Plain,
    }
}

/// A terminal that can do nothing but print: an editor's, a serial line.
fn is_dumb() -> bool {
    std::env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb")
}

/// A line on standard error about what is being done, with the seconds it has taken;
/// gone when this is dropped. It appears after a second, on a terminal only.
pub struct Progress {
    line: Option<(Sender<String>, JoinHandle<()>)>,
}

impl Progress {
    pub fn start(what: impl Into<String>) -> Self {
        if !io::stderr().is_terminal() || is_dumb() {
            return Self { line: None };
        }
        let (said, heard) = mpsc::channel::<String>();
        let mut what = what.into();
        let thread = std::thread::spawn(move || {
            let began = Instant::now();
            let mut shown = 0;
            loop {
                match heard.recv_timeout(PATIENCE) {
                    Ok(next) => what = next,
                    Err(RecvTimeoutError::Timeout) => {
                        let line = format!("{what} … {} s", began.elapsed().as_secs());
                        erase(shown);
                        shown = line.chars().count();
                        let _ = write!(io::stderr(), "{line}");
                    }
                    Err(RecvTimeoutError::Disconnected) => return erase(shown),
                }
            }
        });
        Self {
            line: Some((said, thread)),
        }
    }

    /// Goes on to something else.
    pub fn now(&self, what: impl Into<String>) {
        if let Some((said, _)) = &self.line {
            let _ = said.send(what.into());
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some((said, thread)) = self.line.take() {
            drop(said);
            let _ = thread.join();
        }
    }
}

/// With spaces: the one way that every terminal knows.
fn erase(width: usize) {
    if width > 0 {
        let _ = write!(io::stderr(), "\r{:width$}\r", "");
    }
}
