//! Colours and lines as values: what a text looks like on a terminal. Whether
//! there is such a terminal is the command line's to find out; everything else is given
//! a [`Style`] and asks nobody.

/// Whether the text goes to a terminal that shows colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Style {
    #[default]
    Plain,
    Coloured,
}

/// What a piece of text is, which decides how it looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ink {
    /// The title of what follows.
    Heading,
    /// Beside the point: a label, a tag's name.
    Aside,
    Good,
    Bad,
    Warning,
    Note,
    /// To be typed or copied.
    Command,
}

impl Ink {
    /// The parameters of SGR (ECMA-48 section 8.3.117). Only the eight colours that
    /// every terminal has, and that its user has chosen.
    fn sgr(self) -> &'static str {
        match self {
            Self::Heading => "1",
            Self::Aside => "2",
            Self::Good => "32",
            Self::Bad => "1;31",
            Self::Warning => "33",
            Self::Note => "36",
            Self::Command => "36",
        }
    }
}

impl Style {
    pub fn paint(self, ink: Ink, text: &str) -> String {
        match self {
            Self::Coloured if !text.is_empty() => format!("\x1b[{}m{text}\x1b[0m", ink.sgr()),
            _ => text.to_owned(),
        }
    }
}

/// How wide a line of words may be.
const WIDTH: usize = 78;

/// Words broken into lines, the first from `column` on, the others behind so many spaces
/// as `indent`. A word that is too long stays whole.
pub fn wrapped(words: &str, column: usize, indent: usize) -> String {
    let mut text = String::new();
    let mut column = column;
    for (place, word) in words.split(' ').enumerate() {
        let length = word.chars().count();
        if place > 0 && column + 1 + length > WIDTH {
            text += &format!("\n{}", " ".repeat(indent));
            column = indent;
        } else if place > 0 {
            text.push(' ');
            column += 1;
        }
        text += word;
        column += length;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_stays_as_it_is() {
        assert_eq!(Style::Plain.paint(Ink::Bad, "no"), "no");
        assert_eq!(
            Style::Coloured.paint(Ink::Good, "yes"),
            "\x1b[32myes\x1b[0m"
        );
        assert_eq!(Style::Coloured.paint(Ink::Good, ""), "");
    }
}
