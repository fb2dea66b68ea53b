//! The status page in Chromium, at the width of a desk and of a telephone.

use std::fs;
use std::process::Command;

use crate::daemon::Peer;
use crate::http::get;
use crate::{Stand, left_out, place::Place};

const CHROMIUM: &str = "/usr/bin/chromium";

/// Chromium with a profile of its own that ends with the test.
fn chromium(place: &Place, arguments: &[&str]) -> String {
    let profile = tempfile::tempdir_in(place.directory.path()).unwrap();
    let output = Command::new(CHROMIUM)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
        ])
        .args(["--no-first-run", "--disable-background-networking"])
        .args(["--disable-component-update", "--disable-sync"])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .args(arguments)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// With `SIGNET_SCREENSHOTS=DIR` the pictures stay there, for somebody to look at.
#[test]
fn the_page_fits_a_desk_and_a_telephone() {
    if !left_out::installed("chromium", &[CHROMIUM]) {
        return;
    }
    let mut stand = Stand::start();
    for domain in [
        "example.net",
        "a-domain-with-a-long-name.of-a-long-zone.example",
    ] {
        let keygen = format!("keygen {domain} --algorithm ed25519 --selector s2026-11-23");
        stand.place.ok(&keygen);
    }
    stand.place.ok("keygen example.org --selector s1");
    let mut peer = Peer::connect(&stand.socket);
    for author in ["ada@example.com", "ada@example.com", "ada@other.example"] {
        peer.send(author);
    }
    pictures(&stand, "good");
    stand.break_key();
    peer.send("ada@example.com");
    pictures(&stand, "bad");
}

fn pictures(stand: &Stand, state: &str) {
    let place = &stand.place;
    let page = get(stand.status, "/").body;
    for (name, width) in [("desk", 1280), ("telephone", 360)] {
        // Chromium's window is never narrower than 500 pixels; a frame is.
        let wrapper = place.directory.path().join("wrapper.html");
        let escaped = page.replace('&', "&amp;").replace('"', "&quot;");
        fs::write(
            &wrapper,
            format!(
                "<!DOCTYPE html><body style=\"margin:0\"><iframe style=\"border:0;width:{width}px;height:1600px\" \
                 srcdoc=\"{escaped}\"></iframe><p id=wide></p><script>onload = () => \
                 {{ const page = document.querySelector('iframe').contentDocument.documentElement; \
                 wide.textContent = page.scrollWidth <= page.clientWidth ? 'it fits' : 'too wide' }}</script>"
            ),
        )
        .unwrap();
        let address = format!("file://{}", wrapper.display());
        let dom = chromium(place, &["--dump-dom", &address]);
        assert!(dom.contains(">it fits<"), "{name}: {dom}");

        let directory = std::env::var("SIGNET_SCREENSHOTS");
        let directory = directory.unwrap_or_else(|_| place.directory.path().display().to_string());
        let picture = format!("{directory}/status-{state}-{name}.png");
        let screenshot = format!("--screenshot={picture}");
        // The desk's picture is of the page with its headers, as a person sees it.
        let address = match name {
            "desk" => format!("http://{}/", stand.status),
            _ => address,
        };
        let size = format!("--window-size={},1600", width.max(500));
        chromium(place, &[&screenshot, &size, &address]);
        let bytes = fs::read(picture).unwrap();
        assert!(bytes.starts_with(b"\x89PNG"), "{name}");
    }
    // The address itself, with its headers, shows the same page.
    let dom = chromium(place, &["--dump-dom", &format!("http://{}/", stand.status)]);
    assert!(
        dom.contains("Fingerprint") && dom.contains("example.com"),
        "{dom}"
    );
}
