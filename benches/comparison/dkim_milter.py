"""The crate dkim-milter ("cargo install dkim-milter")."""

import subprocess

from .machine import DOMAIN, SELECTOR
from .peer import Peer


class DkimMilter(Peer):
    name = "dkim-milter"
    program = "dkim-milter"
    most_rules = 10_000
    # It lets further ones wait until one of these ends.
    most_connections = 100

    def version(self):
        shown = subprocess.run(["dkim-milter", "--version"], capture_output=True, text=True, check=True)
        return shown.stdout.strip().splitlines()[0]

    def command(self, port):
        senders = self.rules.domains() if self.rules else [DOMAIN]
        tables = {
            "signing_keys": [f"rsa <{self.key}"],
            "signing_senders": [f"{sender} {DOMAIN} {SELECTOR} rsa" for sender in senders],
        }
        config = self.scratch / "dkim-milter.conf"
        lines = [
            f"socket = inet:127.0.0.1:{port}", "mode = sign", "trusted_networks = loopback",
            "canonicalization = relaxed/relaxed", "log_destination = stderr", "log_level = error",
        ]
        for name, table in tables.items():
            path = self.scratch / f"dkim-milter.{name}"
            path.write_text("\n".join([*table, ""]))
            lines.append(f"{name} = {path}")
        config.write_text("\n".join([*lines, ""]))
        return ["dkim-milter", "--config-file", str(config)]
