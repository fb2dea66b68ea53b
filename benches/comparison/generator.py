"""Runs `signet bench` on its own core and reads its JSON."""

import json
import subprocess

from .machine import DOMAIN


class Generator:
    def __init__(self, program, core):
        self.program = program
        self.core = core

    def primitive(self, name, core):
        """Microseconds of processor time per bare signature, on the milters' core."""
        return self._run(core, "--primitive", name)["median_us"]

    def load(self, socket, pids, connections, size, *, seconds=None, messages=None, rate=None, evenly=False, authors=None):
        arguments = ["--connections", connections, "--size", size]
        if messages is not None:
            arguments += ["--messages", messages]
        else:
            arguments += ["--seconds", seconds]
        if rate is not None:
            arguments += ["--rate", f"{rate:.3f}"]
        if evenly:
            arguments += ["--evenly"]
        return self._bench(socket, pids, arguments, authors)

    def idle(self, socket, pids, connections, size):
        return self._bench(socket, pids, ["--idle", connections, "--size", size])

    def _bench(self, socket, pids, arguments, authors=None):
        for author in authors or [f"ada@{DOMAIN}"]:
            arguments = [*arguments, "--from", author]
        for pid in pids:
            arguments = [*arguments, "--pid", pid]
        return self._run(self.core, "--socket", socket, *map(str, arguments))

    def _run(self, core, *arguments):
        command = ["taskset", "-c", core, str(self.program), "bench", "--json", *arguments]
        done = subprocess.run(command, capture_output=True, text=True)
        # 1: measured, but not every message was signed. The result says so itself.
        if done.returncode not in (0, 1):
            raise RuntimeError(f"{' '.join(command[:12])}: {done.stderr.strip()}")
        return json.loads(done.stdout)
