//! The status as a page for people: HTML and CSS, no script, nothing from elsewhere.

use std::fmt::{self, Display, Write};

use super::words::{ago, many, milliseconds, span};
use super::{Count, Key, Status};

/// What stands between `<style>` and `</style>`, byte for byte.
pub const STYLE: &str = include_str!("page.css");

/// The whole page.
pub fn render(status: &Status) -> String {
    let mut page = String::with_capacity(16 << 10);
    // Writing to a `String` cannot fail.
    let _ = write(&mut page, status);
    page
}

fn write(page: &mut String, status: &Status) -> fmt::Result {
    let word = if status.ready { "ready" } else { "not ready" };
    write!(
        page,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"refresh\" content=\"30\">\n\
         <title>signet: {word}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n\
         <header><h1>signet</h1><p class=\"soft\">version {}, running for {}</p></header>\n",
        Text(&status.version),
        span(status.now.saturating_sub(status.started)),
    )?;
    state(page, status)?;
    figures(page, status)?;
    messages(page, status)?;
    keys(page, status)?;
    write!(
        page,
        "<footer class=\"soft\"><p>Counted since the daemon began. The same for programs: \
         <a href=\"/status.json\">status.json</a>, <a href=\"/metrics\">metrics</a>, \
         <a href=\"/readyz\">readyz</a>, <a href=\"/healthz\">healthz</a>.</p></footer>\n\
         </body>\n</html>\n"
    )
}

/// Whether all is well, in one line, and if not, why.
fn state(page: &mut String, status: &Status) -> fmt::Result {
    let class = if status.ready { "good" } else { "bad" };
    write!(page, "<section class=\"state {class}\">\n<strong>")?;
    let keys = status.keys.usable + status.keys.unread;
    match (status.ready, status.stopping) {
        (_, true) => page.write_str("Stopping: open connections may finish")?,
        (true, _) => write!(
            page,
            "Signing for {} with {}",
            many(status.domains, "domain"),
            many(keys, "key")
        )?,
        (false, _) => page.write_str("Something that should be signed cannot be")?,
    }
    page.write_str("</strong>\n")?;
    list(page, &status.troubles)?;
    let reload = &status.reload;
    let loaded = ago(status.now, reload.loaded);
    match &reload.failed {
        None => writeln!(page, "<p>Configuration loaded {loaded}.</p>")?,
        Some(failure) => {
            let when = ago(status.now, failure.at);
            writeln!(
                page,
                "<p class=\"trouble\">The last reload, {when}, failed; the configuration \
                 of {loaded} is in force.</p>"
            )?;
            let lines: Vec<_> = failure.why.lines().collect();
            list(page, &lines)?;
        }
    }
    page.write_str("</section>\n")
}

fn list(page: &mut String, items: &[impl AsRef<str>]) -> fmt::Result {
    if items.is_empty() {
        return Ok(());
    }
    page.write_str("<ul>\n")?;
    for item in items {
        writeln!(page, "<li>{}</li>", Text(item.as_ref()))?;
    }
    page.write_str("</ul>\n")
}

fn figures(page: &mut String, status: &Status) -> fmt::Result {
    let latency = |seconds: Option<f64>| match seconds {
        Some(seconds) => milliseconds(seconds),
        None if status.result("signed") > 0 => "over 50 ms".to_owned(),
        None => "–".to_owned(),
    };
    let messages = &status.messages;
    let connections = &status.connections;
    let last = messages
        .last
        .map_or("never".to_owned(), |at| ago(status.now, at));
    page.write_str("<dl>\n")?;
    let mut figures = vec![
        ("Signed", status.result("signed").to_string()),
        ("Not ours to sign", status.result("skipped").to_string()),
        ("Deferred", status.result("tempfail").to_string()),
    ];
    // What a config may ask for and seldom does.
    for (name, result) in [("Refused", "rejected"), ("Left unsigned", "failed")] {
        match status.result(result) {
            0 => {}
            count => figures.push((name, count.to_string())),
        }
    }
    figures.extend([
        ("Last message", last),
        ("Half signed in", latency(messages.p50_seconds)),
        ("99 of 100 in", latency(messages.p99_seconds)),
        (
            "Connections",
            format!("{} of {}", connections.open, connections.limit),
        ),
    ]);
    for (name, value) in figures {
        writeln!(page, "<div><dt>{name}</dt><dd>{}</dd></div>", Text(&value))?;
    }
    page.write_str("</dl>\n")
}

fn messages(page: &mut String, status: &Status) -> fmt::Result {
    page.write_str("<h2>Messages that were not signed</h2>\n")?;
    let reasons = &status.messages.not_signed;
    if reasons.is_empty() {
        return page.write_str("<p class=\"soft\">None so far.</p>\n");
    }
    page.write_str(
        "<table class=\"narrow\">\n<thead><tr><th>Reason</th><th class=\"number\">Messages</th></tr></thead>\n<tbody>\n",
    )?;
    for Count { name, count } in reasons {
        let name = Text(name);
        writeln!(
            page,
            "<tr><td>{name}</td><td class=\"number\">{count}</td></tr>"
        )?;
    }
    page.write_str("</tbody>\n</table>\n")
}

fn keys(page: &mut String, status: &Status) -> fmt::Result {
    page.write_str("<h2>Keys</h2>\n")?;
    if status.keys.listed.is_empty() {
        return page.write_str("<p class=\"soft\">There is none.</p>\n");
    }
    page.write_str(
        "<table class=\"keys\">\n<thead><tr><th>Domain</th><th>Selector</th><th>Algorithm</th>\
         <th>Written</th><th>Last used</th><th class=\"number\">Signed</th><th>Fingerprint</th></tr></thead>\n<tbody>\n",
    )?;
    for key in &status.keys.listed {
        row(page, key, status.now)?;
    }
    page.write_str("</tbody>\n</table>\n")?;
    let all = status.keys.usable + status.keys.unusable + status.keys.unread;
    match all.saturating_sub(status.keys.listed.len() as u64) {
        0 => Ok(()),
        more => writeln!(
            page,
            "<p class=\"soft\">And {}.</p>",
            many(more, "more key")
        ),
    }
}

fn row(page: &mut String, key: &Key, now: u64) -> fmt::Result {
    let when = |at: Option<u64>, none: &str| at.map_or(none.to_owned(), |at| ago(now, at));
    page.write_str("<tr>")?;
    let cells = [
        ("Domain", key.domain.clone()),
        ("Selector", key.selector.clone()),
        ("Algorithm", algorithm(key)),
        ("Written", when(key.written, "–")),
        ("Last used", when(key.last_used, "never")),
    ];
    for (name, value) in cells {
        write!(page, "<td data-name=\"{name}\">{}</td>", Text(&value))?;
    }
    let signed = key
        .signed
        .map_or("–".to_owned(), |signed| signed.to_string());
    write!(
        page,
        "<td data-name=\"Signed\" class=\"number\">{signed}</td>"
    )?;
    let last = key.trouble.as_ref().map_or("Fingerprint", |_| "Trouble");
    write!(page, "<td data-name=\"{last}\">")?;
    match (&key.trouble, &key.fingerprint) {
        (Some(trouble), _) => write!(page, "<span class=\"trouble\">{}</span>", Text(trouble))?,
        (None, Some(print)) => write!(page, "<code>{}</code>", Text(print))?,
        (None, None) => {
            page.write_str("<span class=\"soft\">read with its first message</span>")?
        }
    }
    page.write_str("</td></tr>\n")
}

/// `rsa 2048`, `ed25519`, or nothing that is known.
pub fn algorithm(key: &Key) -> String {
    match (&key.algorithm, key.bits) {
        (Some(name), Some(bits)) if name == "rsa" => format!("{name} {bits}"),
        (Some(name), _) => name.clone(),
        (None, _) => "–".to_owned(),
    }
}

/// Text that HTML takes for text, within elements and quoted attributes.
struct Text<'a>(&'a str);

impl Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_becomes_markup() {
        let shown = Text("<b>\"a\" & 'b'</b>").to_string();
        assert_eq!(shown, "&lt;b&gt;&quot;a&quot; &amp; &#39;b&#39;&lt;/b&gt;");
    }
}
