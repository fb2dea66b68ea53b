"""What the measurements were made on and with."""

import os
import pathlib
import platform
import shutil
import subprocess

DOMAIN = "bench.example"
SELECTOR = "s1"


def build(root):
    """Builds the release binary and returns its path."""
    subprocess.run(["cargo", "build", "--release", "--quiet"], cwd=root, check=True)
    target = os.environ.get("CARGO_TARGET_DIR", "target")
    return root / target / "release" / "signet"


def make_key(directory, algorithm, selector=SELECTOR):
    """One key in the layout of a key directory."""
    key = directory / DOMAIN / f"{selector}.pem"
    key.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    directory.chmod(0o700)
    kind = {"rsa": ["RSA", "-pkeyopt", "rsa_keygen_bits:2048"], "ed25519": ["ED25519"]}[algorithm]
    old = os.umask(0o077)
    try:
        subprocess.run(
            ["openssl", "genpkey", "-quiet", "-algorithm", *kind, "-out", str(key)],
            check=True, stderr=subprocess.DEVNULL,
        )
    finally:
        os.umask(old)
    return key


def make_keys(scratch):
    """Key directories by name: one key in most, and one with a hundred domains."""
    keys = {name: scratch / name for name in ("rsa", "ed25519", "both", "hundred")}
    for directory in keys.values():
        directory.mkdir()
    rsa = make_key(keys["rsa"], "rsa")
    ed25519 = make_key(keys["ed25519"], "ed25519")
    shutil.copytree(rsa.parent, keys["both"] / DOMAIN)
    shutil.copy(ed25519, keys["both"] / DOMAIN / "s2.pem")
    shutil.copytree(rsa.parent, keys["hundred"] / DOMAIN)
    for number in range(99):
        shutil.copytree(rsa.parent, keys["hundred"] / f"{number}.{DOMAIN}")
    for directory in keys.values():
        directory.chmod(0o700)
    return keys


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
