"""rspamd as Debian builds it, with nothing loaded but what signs."""

import json
import pathlib
import subprocess
import time

from .machine import DOMAIN, SELECTOR
from .peer import Peer


class Rspamd(Peer):
    name = "rspamd"
    program = "rspamd"

    def version(self):
        shown = subprocess.run(["rspamd", "--version"], capture_output=True, text=True, check=True)
        return shown.stdout.strip()

    def command(self, port):
        run = self.scratch / "rspamd"
        run.mkdir(exist_ok=True)
        # A short list of top-level domains spares it many seconds at start.
        (run / "tld").write_text("com\nexample\n")
        config = {
            "options": {
                "control_socket": f"{run}/control", "tempdir": str(run), "hs_cache_dir": str(run),
                "url_tld": f"{run}/tld", "filters": "dkim", "dns": {"nameserver": "127.0.0.1:1"},
            },
            "logging": {"type": "console", "level": "error"},
            "dkim": {},
            "dkim_signing": {
                "sign_local": True, "sign_networks": ["127.0.0.0/8"], "use_esld": False,
                "use_redis": False, "check_pubkey": False, "allow_username_mismatch": True,
                "allow_hdrfrom_mismatch": True,
                **(self.maps(run) if self.rules else {"domain": {DOMAIN: {"selectors": [
                    {"selector": SELECTOR, "path": str(self.key)},
                ]}}}),
            },
            "modules": {"path": "/usr/share/rspamd/plugins/dkim_signing.lua"},
            "worker": {"rspamd_proxy": {
                "bind_socket": f"127.0.0.1:{port}", "milter": True, "count": 1, "timeout": 120,
                "upstream": {"local": {"default": True, "self_scan": True}},
            }},
        }
        path = run / "rspamd.conf"
        path.write_text(json.dumps(config, indent=1))
        return ["rspamd", "--insecure", "-f", "-c", str(path)]

    def maps(self, run):
        """The rules as rspamd's manual has it for many domains. Each signs for itself: rspamd knows no other."""
        selectors, paths = run / "selectors", run / "paths"
        selectors.write_text("".join(f"{domain} {SELECTOR}\n" for domain in self.rules.domains()))
        paths.write_text("".join(f"{domain} {self.key}\n" for domain in self.rules.domains()))
        return {"selector_map": str(selectors), "path_map": str(paths)}

    def pids(self, process):
        """The parent and what it has started, which is some time after it listens."""
        children = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children")
        deadline = time.monotonic() + 20
        while not (started := children.read_text().split()) and time.monotonic() < deadline:
            time.sleep(0.005)
        return [process.pid, *map(int, started)]
