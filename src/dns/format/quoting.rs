//! How the text of a record is put between the quotation marks of a shell, of HCL and
//! of tinydns. A key record holds none of the characters that would need it, but a
//! note in it (`n=`) may.

/// One word for a POSIX shell.
pub(super) fn shell(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// One word in double quotes: for a POSIX shell, and the same to PowerShell and cmd.exe
/// as long as nothing has to be escaped.
pub(super) fn shell_double(text: &str) -> String {
    let mut word = String::from("\"");
    for character in text.chars() {
        if matches!(character, '"' | '$' | '`' | '\\') {
            word.push('\\');
        }
        word.push(character);
    }
    word + "\""
}

/// A string of HCL, Terraform's language: `${` and `%{` would begin a template.
pub(super) fn hcl(text: &str) -> String {
    let escaped = text
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace("${", "$${")
        .replace("%{", "%%{");
    format!("\"{escaped}\"")
}

/// The name of a resource in HCL: letters, digits, `_` and `-`.
pub(super) fn hcl_name(text: &str) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let name: String = text
        .chars()
        .map(|c| if fits(c) { c } else { '_' })
        .collect();
    format!("dkim_{name}")
}

/// A field of a line of tinydns-data: `:` ends a field, `\` begins an octal byte.
pub(super) fn tinydns(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b':' | b'\\' | ..=31 | 127.. => format!("\\{byte:03o}"),
            _ => char::from(byte).to_string(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_end_or_start_something_is_escaped() {
        assert_eq!(shell("it's"), r"'it'\''s'");
        assert_eq!(shell_double(r#"a"$`\b"#), r#""a\"\$\`\\b""#);
        assert_eq!(hcl(r#"a"${b}%{c}\"#), r#""a\"$${b}%%{c}\\""#);
        assert_eq!(
            hcl_name("s1._domainkey.a-b.example"),
            "dkim_s1__domainkey_a-b_example"
        );
        assert_eq!(tinydns("a:b\\c ü"), r"a\072b\134c \303\274");
    }
}
