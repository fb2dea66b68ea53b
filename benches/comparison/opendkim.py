"""OpenDKIM as Debian builds it."""

import subprocess

from .machine import DOMAIN, SELECTOR
from .peer import Peer


class OpenDkim(Peer):
    name = "opendkim"
    program = "opendkim"

    def version(self):
        package = subprocess.run(
            ["dpkg-query", "-W", "-f", "${Version}", "opendkim"], capture_output=True, text=True
        )
        if package.returncode == 0:
            return package.stdout.strip()
        shown = subprocess.run(["opendkim", "-V"], capture_output=True, text=True)
        return shown.stdout.strip().splitlines()[0]

    def command(self, port):
        config = self.scratch / "opendkim.conf"
        config.write_text(
            "Mode s\n"
            f"Domain {DOMAIN}\n"
            f"Selector {SELECTOR}\n"
            f"KeyFile {self.key}\n"
            "Canonicalization relaxed/relaxed\n"
            "Syslog no\n"
            "LogResults no\n"
            "Background no\n"
            "RequireSafeKeys no\n"
        )
        return ["opendkim", "-f", "-x", str(config), "-p", f"inet:{port}@127.0.0.1"]
