"""What the measurements were made on and with."""

import os
import pathlib
import platform
import subprocess

DOMAIN = "bench.example"
SELECTOR = "s1"


def build(root):
    """Builds the release binary and returns its path."""
    subprocess.run(["cargo", "build", "--release", "--quiet"], cwd=root, check=True)
    target = os.environ.get("CARGO_TARGET_DIR", "target")
    return root / target / "release" / "signet"


def make_key(scratch):
    """One RSA-2048 key for every peer, in the layout of a key directory."""
    key = scratch / "keys" / DOMAIN / f"{SELECTOR}.pem"
    key.parent.mkdir(parents=True, mode=0o700)
    key.parent.parent.chmod(0o700)
    old = os.umask(0o077)
    try:
        subprocess.run(
            ["openssl", "genpkey", "-quiet", "-algorithm", "RSA", "-pkeyopt",
             "rsa_keygen_bits:2048", "-out", str(key)],
            check=True, stderr=subprocess.DEVNULL,
        )
    finally:
        os.umask(old)
    return key


def facts(root, peers):
    """Machine and versions, as they go into docs/performance.md."""
    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "memory_mib": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20,
        "system": f"{platform.system()} {platform.release()}, {distribution()}",
        "rustc": output(["rustc", "--version"]),
        "commit": output(["git", "-C", str(root), "describe", "--always", "--dirty"]),
        "versions": {peer.name: peer.version() for peer in peers},
        "load_average": os.getloadavg()[0],
    }


def processor():
    info = pathlib.Path("/proc/cpuinfo").read_text()
    names = [line.split(":", 1)[1].strip() for line in info.splitlines() if line.startswith("model name")]
    flags = "AVX-512 IFMA" if "avx512ifma" in info else "no AVX-512 IFMA"
    return f"{names[0] if names else platform.machine()} ({flags})"


def distribution():
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", "")
    except OSError:
        return ""


def output(command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return done.stdout.strip().splitlines()[0]
