//! The page in its parts, and when what a command says is what the page shows: what differs from one time to the next is left out of
//! the comparison.

/// The line that stands for others.
const LEFT_OUT: &str = "[...]\n";

/// A part of the page; together they are the page.
#[derive(Debug, PartialEq)]
pub enum Part<'p> {
    Text(&'p str),
    /// The line, and what happens.
    Event(&'p str, &'p str),
    /// The line, the command, and what the page shows of its output.
    Command(&'p str, &'p str, &'p str),
}

pub fn parts(page: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut inside = false;
    let mut rest = page;
    while !rest.is_empty() {
        let (line, behind) = rest.split_at(rest.find('\n').map_or(rest.len(), |end| end + 1));
        rest = behind;
        let event = line.trim_end().strip_prefix("<!-- tour: ");
        if let Some(what) = event.and_then(|event| event.strip_suffix(" -->")) {
            parts.push(Part::Event(line, what));
        } else if let Some(command) = line.strip_prefix("$ ").filter(|_| inside) {
            let ends = rest
                .match_indices('\n')
                .map(|(at, _)| at + 1)
                .find(|at| is_end(rest.get(*at..).unwrap_or_default()));
            let length = if is_end(rest) {
                0
            } else {
                ends.unwrap_or(rest.len())
            };
            let (shown, behind) = rest.split_at(length);
            parts.push(Part::Command(line, command.trim_end(), shown));
            rest = behind;
        } else {
            inside = match line.trim_end() {
                "```console" => true,
                "```" => false,
                _ => inside,
            };
            parts.push(Part::Text(line));
        }
    }
    parts
}

/// Whether a command's output does not go on here.
fn is_end(rest: &str) -> bool {
    ["$ ", "```"].iter().any(|end| rest.starts_with(end))
}

/// Whether the page shows what the command said.
pub fn alike(shown: &str, said: &str) -> bool {
    let (shown, said) = (masked(shown), masked(said));
    let mut pieces = shown.split(LEFT_OUT);
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = said.strip_prefix(first) else {
        return false;
    };
    let pieces: Vec<_> = pieces.collect();
    let Some((last, middle)) = pieces.split_last() else {
        return rest.is_empty();
    };
    for piece in middle {
        match rest.split_once(piece) {
            Some((_, behind)) => rest = behind,
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// What the command said, with the lines left out that the page leaves out; all of it when the page shows something else.
pub fn fresh(shown: &str, said: &str) -> String {
    if !alike(shown, said) {
        return said.to_owned();
    }
    let lines: Vec<_> = said.split_inclusive('\n').collect();
    let pieces: Vec<_> = shown.split(LEFT_OUT).collect();
    let (first, last) = match pieces.as_slice() {
        [_] => return said.to_owned(),
        [first, last] => (first.lines().count(), last.lines().count()),
        // What is between two gaps is not looked for.
        _ => return shown.to_owned(),
    };
    let (begin, end) = (
        lines.iter().take(first),
        lines.iter().skip(lines.len() - last),
    );
    begin.chain([&LEFT_OUT]).chain(end).copied().collect()
}

/// Whether a character belongs to it.
type Kind = fn(char) -> bool;

/// What stands before something that is different every time, of any of these characters.
const VARYING: [(&str, Kind); 10] = [
    ("Postfix:  ", is_number),
    ("Postfix 3", is_number),
    ("signet 0", is_number),
    ("arrived    after ", is_number),
    ("micros=", is_number),
    ("  t=", is_number),
    ("user 0, id ", |c| c.is_ascii_alphanumeric()),
    ("queue_id=", |c| c.is_ascii_alphanumeric()),
    ("running for ", |c| c != '\n'),
    ("signed within ", |c| c != '\n'),
];

fn is_number(c: char) -> bool {
    c.is_ascii_digit() || c == '.'
}

/// The text with a `*` in the place of all that varies.
fn masked(text: &str) -> String {
    let mut text = without_secrets(text);
    for (marker, varies) in VARYING {
        let mut pieces = text.split(marker);
        let mut out = pieces.next().unwrap_or_default().to_owned();
        for piece in pieces {
            out += marker;
            out.push('*');
            out += piece.trim_start_matches(varies);
        }
        text = out;
    }
    text.split_inclusive('\n').map(without_times).collect()
}

/// The line with a `*` for "3 seconds ago", "just now" and the date of a signature, and single spaces: columns are as wide as what is
/// in them.
fn without_times(line: &str) -> String {
    let start = line.len() - line.trim_start_matches(' ').len();
    let (indent, text) = line.split_at(start);
    let mut words: Vec<&str> = Vec::new();
    for word in text.trim_end().split(' ').filter(|word| !word.is_empty()) {
        match (words.as_slice(), word) {
            ([.., _, _], "ago") => {
                words.truncate(words.len() - 2);
                words.push("*");
            }
            ([.., "just"], "now") => {
                words.pop();
                words.push("*");
            }
            ([.., "signed", "on", _, _], "UTC,") => {
                words.truncate(words.len() - 2);
            }
            _ => words.push(word),
        }
    }
    let end = if line.ends_with('\n') { "\n" } else { "" };
    format!("{indent}{}{end}", words.join(" "))
}

/// Keys, fingerprints, hashes and numbers of mails: long, and of capitals, small letters and digits together.
fn without_secrets(text: &str) -> String {
    let in_base64 = |c: char| c.is_ascii_alphanumeric() || "+/=".contains(c);
    let mut out = String::new();
    let mut run = String::new();
    for c in text.chars().chain(['\0']) {
        if in_base64(c) {
            run.push(c);
            continue;
        }
        let has = |kind: fn(&char) -> bool| run.chars().any(|c| kind(&c));
        let secret = run.len() >= 20
            && has(char::is_ascii_uppercase)
            && has(char::is_ascii_lowercase)
            && has(char::is_ascii_digit);
        out += if secret { "*" } else { &run };
        run.clear();
        if c != '\0' {
            out.push(c);
        }
    }
    out
}

#[test]
fn a_page_is_its_parts() {
    let page =
        "Text\n```console\n$ a | b\nout\n$ c\n$ d\nmore\n```\n# Title\n<!-- tour: it rains -->\n";
    let expected = [
        Part::Text("Text\n"),
        Part::Text("```console\n"),
        Part::Command("$ a | b\n", "a | b", "out\n"),
        Part::Command("$ c\n", "c", ""),
        Part::Command("$ d\n", "d", "more\n"),
        Part::Text("```\n"),
        Part::Text("# Title\n"),
        Part::Event("<!-- tour: it rains -->\n", "it rains"),
    ];
    assert_eq!(parts(page), expected);
}

#[test]
fn what_is_written_anew_leaves_out_the_same() {
    let said = "a 1 second ago\nb\nc\n";
    assert_eq!(
        fresh("a just now\n[...]\nc\n", said),
        "a 1 second ago\n[...]\nc\n"
    );
    assert_eq!(
        fresh("a just now\n[...]\n", said),
        "a 1 second ago\n[...]\n"
    );
    assert_eq!(fresh("a\n[...]\n", said), said);
}

#[test]
fn what_varies_may_differ_and_nothing_else() {
    let key = "AbCdEfGhIjKlMnOpQrSt0123456789+/";
    let other = "zyXwVuTsRqPoNmLkJiHg9876543210/+";
    for (shown, said, expected) in [
        ("a\n", "a\n", true),
        ("a\n", "a\nb\n", false),
        ("2 faults\n", "0 faults\n", false),
        ("a\n[...]\nd\n", "a\nb\nc\nd\n", true),
        ("a\n[...]\nd\n", "a\nb\nc\ne\n", false),
        ("a\n[...]\nc\n[...]\n", "a\nb\nc\nd\n", true),
        ("a\n[...]\nx\n[...]\n", "a\nb\nc\nd\n", false),
        (key, other, true),
        (key, "AbCdEfGhIjKlMnOp", false),
        (
            "arrived    after 0.1 s\n",
            "arrived    after 12.0 s\n",
            true,
        ),
        ("loaded 1 second ago\n", "loaded 5 minutes ago\n", true),
        ("a  1 second ago   2\n", "a  just now  2\n", true),
        ("loaded 1 second ago\n", "read 1 second ago\n", false),
        (
            "/var/lib/signet/keys/example",
            "/var/lib/signet/keys/elpmaxe",
            false,
        ),
    ] {
        assert_eq!(alike(shown, said), expected, "{shown:?} and {said:?}");
    }
}
