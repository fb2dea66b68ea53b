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
        if self.rules:
            what = self.tables()
        else:
            what = f"Domain {DOMAIN}\nSelector {SELECTOR}\nKeyFile {self.key}\n"
        config.write_text(
            "Mode s\n"
            f"{what}"
            "Canonicalization relaxed/relaxed\n"
            "Syslog no\n"
            "LogResults no\n"
            "Background no\n"
            "RequireSafeKeys no\n"
        )
        return ["opendkim", "-f", "-x", str(config), "-p", f"inet:{port}@127.0.0.1"]

    def tables(self):
        """The rules as OpenDKIM's manual shows them: patterns in a refile."""
        keys = self.scratch / "KeyTable"
        keys.write_text(f"key {DOMAIN}:{SELECTOR}:{self.key}\n")
        patterns = self.scratch / "SigningTable"
        with open(patterns, "w") as out:
            out.writelines(f"*@{domain} key\n" for domain in self.rules.domains())
        return f"KeyTable {keys}\nSigningTable refile:{patterns}\n"
