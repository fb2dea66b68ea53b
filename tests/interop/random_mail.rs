//! Messages that try a canonicalization, made from a seed: white space everywhere,
//! folds, empty values, repeated fields, 8-bit, blank lines in every place.

/// splitmix64: every seed gives the same messages for ever.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit as u64).unwrap()
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }

    fn some(&mut self, at_most: usize, of: &[&str]) -> String {
        let count = self.below(at_most + 1);
        (0..count).map(|_| self.one(of)).collect()
    }
}

const WORDS: [&str; 12] = [
    "a",
    "Zed",
    "b=c;",
    "42",
    "ü",
    "日本",
    "<x@y.example>",
    "\"q\"",
    ":",
    "=?utf-8?q?=C3=BC?=",
    ".",
    "--",
];
const SPACES: [&str; 8] = [
    " ", "  ", "\t", " \t ", "\r\n ", "\r\n\t", " \r\n \t", "\t\r\n  ",
];
const NAMES: [&str; 10] = [
    "Subject",
    "To",
    "CC",
    "X-Loop",
    "x-loop",
    "Received",
    "List-Unsubscribe",
    "MIME-Version",
    "References",
    "X_odd.name!",
];
const BODY: [&str; 16] = [
    "\r\n", "\r\n", "\r\n", " ", "  ", "\t", " \t", "word", "Zed 42", "ü", ".", "..", "From ",
    " \r\n", "\t\r\n", "\r\n\r\n",
];

fn value(random: &mut Random) -> String {
    let mut value = random.some(1, &[" ", "", "\t", "  "]);
    for _ in 0..random.below(8) {
        value += random.one(&WORDS);
        value += &random.some(2, &SPACES);
    }
    // A fold has something after it, or it would be the end of the header section to
    // some programs and not to others.
    if value.trim_end_matches([' ', '\t']).ends_with("\r\n") {
        value += "end";
    }
    value
}

/// A message with CRLF line ends; one From field, whatever else there is.
pub fn message(random: &mut Random) -> Vec<u8> {
    let mut fields: Vec<String> = (0..random.below(9))
        .map(|_| format!("{}:{}\r\n", random.one(&NAMES), value(random)))
        .collect();
    let from = format!(
        "From:{}<ann@example.com>{}\r\n",
        random.one(&["", " ", "\t", " Ann\r\n\t", "  Ünn  "]),
        random.one(&["", " ", "\t"])
    );
    fields.insert(random.below(fields.len() + 1), from);
    let body = match random.below(8) {
        0 => String::new(),
        1 => random.some(6, &["\r\n", " \r\n", "\t", " "]),
        _ => random.some(30, &BODY),
    };
    // SMTP ends every body with a line end. Without one dkimpy and Mail::DKIM keep white
    // space or leave out the CRLF that RFC 6376 §3.4 adds.
    let end = if body.is_empty() || body.ends_with("\r\n") {
        ""
    } else {
        "\r\n"
    };
    (fields.concat() + "\r\n" + &body + end).into_bytes()
}
