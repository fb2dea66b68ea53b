"""A milter under test: how it is started on one core, watched and ended."""

import contextlib
import shutil
import socket
import subprocess
import time

from .machine import DOMAIN, SELECTOR


class Peer:
    """One milter. A subclass says what to run; see opendkim.py for an example."""

    name = ""
    program = ""
    # With more it needs minutes for what is measured in seconds.
    most_rules = 100_000
    # Served at once; None: as many as come in any scenario.
    most_connections = None

    def __init__(self, signet, keys, scratch, core):
        self.signet = signet
        self.keys = keys
        # The one of the kind that is measured.
        self.key = None
        self.scratch = scratch
        self.core = core
        self.port = None
        # From exec to the first connection, of the last start.
        self.start_seconds = None
        # The rules to sign by, when they are what is measured (rules.Case).
        self.rules = None

    def is_installed(self):
        return shutil.which(self.program) is not None

    def version(self):
        raise NotImplementedError

    def log(self):
        return self.scratch / f"{self.name}.log"

    def command(self, port):
        """The command line of a milter in the foreground on 127.0.0.1:port that
        signs with self.key and writes no log."""
        raise NotImplementedError

    def reload(self, pid):
        """Seconds until the process has read its configuration again; None where
        nothing tells."""
        return None

    def pids(self, process):
        """The processes that do the work; one unless a subclass knows better."""
        return [process.pid]

    @contextlib.contextmanager
    def running(self, kind="rsa", deadline=20, wait=True):
        """Yields (socket, pids) of a fresh process that has keys of this kind (see
        machine.make_keys); ends it afterwards."""
        port = free_port()
        self.key = self.keys[kind] / DOMAIN / f"{SELECTOR}.pem"
        log = self.log()
        command = ["taskset", "-c", self.core, *self.command(port)]
        began = time.monotonic()
        with open(log, "wb") as errors:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL, stdout=errors, stderr=errors,
            )
        try:
            if wait:
                wait_until_listening(process, port, log, deadline)
            self.start_seconds = time.monotonic() - began
            yield f"inet:127.0.0.1:{port}", self.pids(process)
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_until_listening(process, port, log, seconds):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.005)
    raise RuntimeError(f"{process.args} does not listen: {log.read_text(errors='replace')[-500:]}")
