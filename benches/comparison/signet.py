"""signet itself: signing one message at a time, in batches, and with a line in the log for every message."""

import os
import signal
import subprocess
import time

from .peer import Peer


class Signet(Peer):
    name = "signet"
    most_rules = 10_000_000
    batch = 'batch = "off"'
    log_level = "error"

    def is_installed(self):
        return True

    def version(self):
        shown = subprocess.run([self.signet, "--version"], capture_output=True, text=True, check=True)
        return shown.stdout.strip()

    def command(self, port):
        config = self.scratch / f"{self.name}.toml"
        keys, rules, level = self.key.parent.parent, "", self.log_level
        if self.rules:
            # The line about a reload is at info, and so are those about messages; what
            # is compared with each other pays for them alike.
            keys, level = self.rules.keys, "info"
            rules = f'rule_tables = "{self.rules.table}"\n\n'
        config.write_text(
            f'{rules}[signing]\ncanonicalization = "relaxed/relaxed"\n{self.batch}\n\n'
            f'[log]\nlevel = "{level}"\n'
        )
        return [
            str(self.signet), "serve", "--config", str(config),
            "--listen", f"inet:127.0.0.1:{port}", "--keys", str(keys),
        ]

    def reload(self, pid):
        with open(self.log()) as log:
            log.seek(0, os.SEEK_END)
            began = time.monotonic()
            os.kill(pid, signal.SIGHUP)
            while time.monotonic() < began + 120:
                line = log.readline()
                if "not reloaded" in line:
                    raise RuntimeError(line)
                if " reloaded" in line:
                    return time.monotonic() - began
                if not line:
                    time.sleep(0.002)
        raise RuntimeError("no line about a reload")


class SignetBatch(Signet):
    """With the crypto_mb library of SIGNET_BATCH_LIBRARY (see tests/crypto_mb)."""

    name = "signet-batch"
    library = os.environ.get("SIGNET_BATCH_LIBRARY", "")
    batch = f'batch_library = "{library}"'

    def is_installed(self):
        return bool(self.library)


class SignetLog(Signet):
    name = "signet-log"
    log_level = "info"
