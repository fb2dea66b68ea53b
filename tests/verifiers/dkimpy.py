#!/usr/bin/python3
"""Every DKIM signature of the given messages, judged by dkimpy. See README.md for the form of input and output."""

import logging
import sys

import dkim

MAXIMUM_SIGNATURES = 50


def read_records(path):
    records = {}
    with open(path, encoding="ascii") as file:
        for line in file:
            name, text = line.rstrip("\n").split("\t", 1)
            records[name.rstrip(".").lower()] = text.encode("ascii")
    return records


class Complaints(logging.Handler):
    """dkimpy tells some of its reasons only to its logger."""

    def __init__(self):
        super().__init__(logging.WARNING)
        self.lines = []

    def emit(self, record):
        self.lines.append(record.getMessage())


def judge(message, index, find):
    complaints = Complaints()
    logger = logging.Logger("dkimpy")
    logger.addHandler(complaints)
    verifier = dkim.DKIM(message, logger=logger)
    try:
        passed = verifier.verify(idx=index, dnsfunc=find)
        why = "" if passed else "; ".join(complaints.lines) or "bad signature"
    except Exception as error:  # whatever dkimpy dies of is its verdict on that signature
        passed, why = False, "%s: %s" % (type(error).__name__, error)
    tags = {name: value.decode("utf-8", "replace") for name, value in verifier.signature_fields.items()}
    return [tags.get(b"d", "-"), tags.get(b"s", "-"), tags.get(b"a", "-"), "pass" if passed else "fail", why]


def main(arguments):
    records = read_records(arguments[0])

    def find(name, timeout=0):
        name = name.decode("ascii") if isinstance(name, bytes) else name
        return records.get(name.rstrip(".").lower())

    for path in arguments[1:]:
        with open(path, "rb") as file:
            message = file.read()
        signatures = [name for name, _ in dkim.DKIM(message).headers if name.lower() == b"dkim-signature"]
        for index in range(min(len(signatures), MAXIMUM_SIGNATURES)):
            columns = [path] + judge(message, index, find)
            print("\t".join(" ".join(column.split()) for column in columns))


if len(sys.argv) < 2:
    sys.exit("usage: dkimpy.py RECORDS MESSAGE...")
main(sys.argv[1:])
