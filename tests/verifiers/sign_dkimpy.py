#!/usr/bin/python3
"""Signs every NAME.eml of a directory with dkimpy, under every canonicalization, into NAME.HEADER-BODY.signed.
Usage: sign_dkimpy.py rsa|ed25519 KEY SELECTOR DOMAIN DIRECTORY"""

import pathlib
import sys

import dkim

algorithm, key, selector, domain, directory = sys.argv[1:]
key = pathlib.Path(key).read_bytes()
for path in sorted(pathlib.Path(directory).glob("*.eml")):
    message = path.read_bytes()
    for header in (b"simple", b"relaxed"):
        for body in (b"simple", b"relaxed"):
            signer = dkim.DKIM(message, signature_algorithm=algorithm.encode() + b"-sha256")
            # Sign every field; by itself dkimpy refuses Received, as RFC 6376 section 5.4.1 advises.
            signer.should_not_sign.clear()
            names = [name for name, _ in signer.headers] + [b"From"]
            field = signer.sign(
                selector.encode(), domain.encode(), key, canonicalize=(header, body), include_headers=names
            )
            name = "%s.%s-%s.signed" % (path.stem, header.decode(), body.decode())
            path.with_name(name).write_bytes(field + message)
