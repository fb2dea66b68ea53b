//! A table in the form of Postfix's `smtpd_sender_login_maps`, as its source text:
//! `ADDRESS LOGIN[,LOGIN...]`, where `@DOMAIN` stands for every address of a domain.
//!
//! A line that begins with white space continues the one before, as postmap(1) has it.

use super::table::Table;
use super::{ConfigErrors, LoginPattern, Place};

/// One entry: who may use this address.
#[derive(Debug, Clone, PartialEq)]
pub struct LoginEntry {
    pub pattern: LoginPattern,
    /// In lower case.
    pub logins: Vec<String>,
    pub place: Place,
}

/// The entries of a table file's text, in order. `file` is the name that the errors
/// show.
///
/// # Errors
/// Every mistake in the text.
pub fn parse(text: &[u8], file: &str) -> Result<Vec<LoginEntry>, ConfigErrors> {
    let mut table = Table::new(text, file);
    let mut logical: Option<(usize, String)> = None;
    let mut entries = Vec::new();
    loop {
        let line = table.next_line();
        if let (Some(line), Some((_, text))) = (&line, &mut logical)
            && line.indented
        {
            text.push(' ');
            text.push_str(line.text);
            continue;
        }
        if let Some((number, text)) = logical.take() {
            match entry(&text) {
                Ok((pattern, logins)) => entries.push(LoginEntry {
                    pattern,
                    logins,
                    place: table.place(number),
                }),
                Err(problem) => table.wrong(number, problem),
            }
        }
        match line {
            Some(line) if line.indented => {
                table.wrong(
                    line.number,
                    "the line continues none; remove the white space before it",
                );
            }
            Some(line) => logical = Some((line.number, line.text.to_owned())),
            None => return table.finish(entries),
        }
    }
}

fn entry(text: &str) -> Result<(LoginPattern, Vec<String>), String> {
    let (address, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let logins: Vec<String> = rest
        .split(|c: char| c == ',' || c.is_whitespace())
        .filter(|login| !login.is_empty())
        .map(str::to_lowercase)
        .collect();
    if logins.is_empty() {
        return Err(format!(
            "\"{address}\" has no second field; write ADDRESS LOGIN[,LOGIN...]"
        ));
    }
    if !address.contains('@') {
        return Err(format!(
            "\"{address}\" names no domain; write {address}@DOMAIN, or @{address} for every address of a domain"
        ));
    }
    let pattern = address
        .parse()
        .map_err(|error: crate::names::NameError| error.to_string())?;
    Ok((pattern, logins))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_read_as_postmap_reads_it() {
        let text = b"# who may write as whom\nAlice@Example.com  alice\nsales@example.com alice, Bob\n  carol\n\
                     @example.org\tdave eve\n";
        let entries = parse(text, "logins").unwrap();
        let shown: Vec<_> = entries
            .iter()
            .map(|entry| {
                format!(
                    "{} {} {}",
                    entry.place.line,
                    entry.pattern,
                    entry.logins.join(",")
                )
            })
            .collect();
        assert_eq!(
            shown,
            [
                "2 alice@example.com alice",
                "3 sales@example.com alice,bob,carol",
                "5 @example.org dave,eve",
            ]
        );
    }

    #[test]
    fn each_mistake_names_its_line() {
        let text = b" first\na@example.com\nalice alice\na@b@ x\na@example.com ,\n";
        let errors = parse(text, "logins").unwrap_err();
        let lines: Vec<_> = errors.0.iter().map(ToString::to_string).collect();
        assert!(
            lines[0].starts_with("logins:1: the line continues none"),
            "{lines:#?}"
        );
        assert!(lines[1].starts_with("logins:2: \"a@example.com\" has no second field"));
        assert!(lines[2].starts_with("logins:3: \"alice\" names no domain"));
        assert!(lines[3].starts_with("logins:4: "));
        assert!(lines[4].starts_with("logins:5: "));
        assert_eq!(lines.len(), 5);
    }
}
