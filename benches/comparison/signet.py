"""signet itself."""

import subprocess

from .peer import Peer


class Signet(Peer):
    name = "signet"

    def is_installed(self):
        return True

    def version(self):
        shown = subprocess.run([self.signet, "--version"], capture_output=True, text=True, check=True)
        return shown.stdout.strip()

    def command(self, port):
        config = self.scratch / "signet.toml"
        config.write_text(
            '[signing]\ncanonicalization = "relaxed/relaxed"\n\n[log]\nlevel = "error"\n'
        )
        return [
            str(self.signet), "serve", "--config", str(config),
            "--listen", f"inet:127.0.0.1:{port}", "--keys", str(self.key.parent.parent),
        ]
