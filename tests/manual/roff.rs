//! From the Markdown of our documents to the roff of a manual page: as much of both as the documents use.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// A document as a manual page.
pub fn page(name: &str, section: &str, markdown: &str) -> String {
    let mut page = Page::default();
    page.line(&format!(".TH {name} {section}"));
    page.line(".nh\n.ad l");
    let mut lines = markdown.lines().peekable();
    while let Some(line) = lines.next() {
        if let Some(title) = line.strip_prefix("# ") {
            page.line(".SH NAME");
            page.line(&format!("{name} \\- {}", text(&title.to_lowercase())));
            page.line(".SH DESCRIPTION");
        } else if let Some(title) = line.strip_prefix("## ") {
            page.line(&format!(".SH {}", title.replace('`', "")));
        } else if let Some(title) = line.strip_prefix("### ") {
            page.line(&format!(".SS {}", title.replace('`', "")));
        } else if line.starts_with("```") {
            page.line(".PP\n.RS 4\n.nf");
            for code in lines.by_ref().take_while(|line| !line.starts_with("```")) {
                page.line(&literal(code));
            }
            page.line(".fi\n.RE");
        } else if let Some(row) = line.strip_prefix("| ") {
            // The head of a table, and the line below it, say nothing here.
            if lines.next_if(|next| next.starts_with("|---")).is_none() {
                page.row(row);
            }
        } else if let Some(item) = line.strip_prefix("* ") {
            page.line(".IP \\(bu 2");
            page.line(&text(item));
        } else if line.is_empty() {
            page.paragraph();
        } else {
            page.line(&text(line.trim_start()));
        }
    }
    page.0
}

#[derive(Default)]
struct Page(String);

impl Page {
    fn line(&mut self, line: &str) {
        // After a heading a paragraph needs no request of its own.
        if line.starts_with(".SH") || line.starts_with(".SS") || line.starts_with(".IP") {
            self.unparagraph();
        }
        writeln!(self.0, "{line}").unwrap();
    }

    fn paragraph(&mut self) {
        self.unparagraph();
        self.0.push_str(".PP\n");
    }

    fn unparagraph(&mut self) {
        if self.0.ends_with("\n.PP\n") {
            self.0.truncate(self.0.len() - ".PP\n".len());
        }
    }

    /// A row of a table: its first cell is what the others are about.
    fn row(&mut self, row: &str) {
        let cells: Vec<_> = row.trim_end_matches(" |").split(" | ").collect();
        let [name, about @ .., meaning] = cells.as_slice() else {
            return;
        };
        self.unparagraph();
        self.line(".TP");
        let name = text(name);
        match about {
            [kind, default] => {
                self.line(&name);
                self.line(&format!("{}, default {}.", text(kind), text(default)));
            }
            _ => self.line(&name),
        }
        self.line(&text(meaning));
    }
}

/// A line of running text: code in bold, links by their words.
fn text(line: &str) -> String {
    let mut out = String::new();
    for (index, part) in line.split('`').enumerate() {
        match index % 2 {
            0 => out.push_str(&literal(&without_links(part)).replace('*', "")),
            _ => write!(out, "\\fB{}\\fR", literal(part)).unwrap(),
        }
    }
    out
}

fn without_links(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, link)) = rest.split_once('[') {
        let Some((words, behind)) = link.split_once("](") else {
            break;
        };
        let Some((_, after)) = behind.split_once(')') else {
            break;
        };
        out.push_str(before);
        out.push_str(words);
        rest = after;
    }
    out + rest
}

/// Text that roff takes for text.
fn literal(text: &str) -> String {
    let mut out = text.replace('\\', "\\e").replace('-', "\\-");
    for (letter, name) in [
        ("…", "..."),
        ("§", "\\(sc"),
        ("–", "\\(en"),
        ("ü", "\\(:u"),
        ("µ", "\\(mc"),
    ] {
        out = out.replace(letter, name);
    }
    match out.starts_with(['.', '\'']) {
        true => format!("\\&{out}"),
        false => out,
    }
}

/// What groff has to say against a page; none without groff.
pub fn complaints(groff: &Path, page: &[u8]) -> String {
    let mut groff = Command::new(groff)
        .args(["-man", "-Tutf8", "-ww", "-z"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    groff.stdin.take().unwrap().write_all(page).unwrap();
    let output = groff.wait_with_output().unwrap();
    String::from_utf8_lossy(&output.stderr).into_owned()
}
