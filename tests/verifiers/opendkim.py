#!/usr/bin/python3
"""Every DKIM signature of the given messages, judged by OpenDKIM's test mode. See README.md for the form of input and output."""

import os
import re
import subprocess
import sys
import tempfile

OPENDKIM = "/usr/sbin/opendkim"
# In the Authentication-Results that OpenDKIM would add, one for every signature.
RESULT = re.compile(r"dkim=(\S+)(?: reason=\"([^\"]*)\")?(?: \([^)]*\))?((?: header\.\w+=\S+)*)")


def columns(path, match):
    verdict, reason, properties = match.groups()
    properties = dict(item.split("=", 1) for item in properties.rstrip(";").split())
    algorithm = properties.get("header.a", "-")
    verdict = "pass" if verdict == "pass" else "fail"
    if verdict == "fail" and algorithm.startswith("ed25519"):
        verdict = "unsupported"
    return [path, properties.get("header.d", "-"), properties.get("header.s", "-"), algorithm, verdict, reason or ""]


def main(records, paths):
    with tempfile.TemporaryDirectory() as directory:
        keys = os.path.join(directory, "keys")
        with open(records, encoding="ascii") as file, open(keys, "w", encoding="ascii") as out:
            for line in file:
                out.write(" ".join(line.split("\t", 1)))
        config = os.path.join(directory, "conf")
        with open(config, "w", encoding="ascii") as out:
            out.write("Mode v\nSocket inet:1@127.0.0.1\nTestPublicKeys %s\nTemporaryDirectory %s\n" % (keys, directory))
        for path in paths:
            command = [OPENDKIM, "-x", config, "-t", path, "-vv"]
            answer = subprocess.run(command, capture_output=True, check=False)
            text = re.sub(r"\n\t", " ", answer.stdout.decode("utf-8", "replace")).replace(";", " ;")
            found = [columns(path, match) for match in RESULT.finditer(text)]
            if not found and answer.returncode != 0:
                sys.exit("%s: %s" % (path, answer.stderr.decode("utf-8", "replace")))
            for row in found:
                print("\t".join(row))


if len(sys.argv) < 2:
    sys.exit("usage: opendkim.py RECORDS MESSAGE...")
main(sys.argv[1], sys.argv[2:])
