"""How long a milter takes from its start to its first signature."""

import contextlib
import socket
import struct
import time

from .machine import DOMAIN

OPTNEG = struct.pack("!III", 6, 0x1FF, 0x1FFFFF)
ACCEPTED, INSERTED, ADDED = b"a", b"i", b"h"


def seconds(peer, kind):
    """Starts the milter and sends it a message as soon as it listens."""
    began = time.monotonic()
    with peer.running(kind, wait=False) as (address, _):
        _, host, port = address.split(":")
        with connection(host, int(port), began + 60) as stream:
            signed = exchange(stream)
            took = time.monotonic() - began
    if not signed:
        raise RuntimeError(f"{peer.name} did not sign the first message")
    return took


@contextlib.contextmanager
def connection(host, port, deadline):
    while True:
        try:
            stream = socket.create_connection((host, port), 60)
            break
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.0005)
    with stream:
        yield stream


def exchange(stream):
    """Sends a message, waiting for the replies that were negotiated; whether it was signed.

    What comes before a reply is one write, as Postfix flushes: in pieces, each would wait
    for the acknowledgement of the last, 40 ms and no doing of the milter's."""
    flight = bytearray(packet(b"O", OPTNEG))
    _, agreed = ask(stream, flight)
    protocol = struct.unpack("!III", agreed[:12])[2]

    def say(command, payload, unwanted, unanswered):
        if protocol & unwanted:
            return
        flight.extend(packet(command, payload))
        if not protocol & unanswered:
            ask(stream, flight)

    say(b"C", b"localhost\0004" + struct.pack("!H", 4000) + b"127.0.0.1\0", 0x1, 0x1000)
    say(b"H", b"localhost\0", 0x2, 0x2000)
    say(b"M", f"<ada@{DOMAIN}>\0".encode(), 0x4, 0x4000)
    say(b"R", b"<grace@recipient.example>\0", 0x8, 0x8000)
    say(b"T", b"", 0x200, 0x10000)
    for name, value in (("From", f" ada@{DOMAIN}"), ("To", " grace@recipient.example"), ("Subject", " first")):
        say(b"L", f"{name}\0{value}\0".encode(), 0x20, 0x80)
    say(b"N", b"", 0x40, 0x40000)
    say(b"B", b"text\r\n", 0x10, 0x80000)
    flight.extend(packet(b"E", b""))
    command, payload = ask(stream, flight)
    signed = False
    while True:
        signed |= command in (INSERTED, ADDED) and b"DKIM-Signature" in payload
        if command not in (INSERTED, ADDED, b"p"):
            return signed
        command, payload = receive(stream)


def packet(command, payload):
    return struct.pack("!I", len(payload) + 1) + command + payload


def ask(stream, flight):
    """Sends what has gathered, and returns the reply to it."""
    stream.sendall(flight)
    flight.clear()
    return receive(stream)


def receive(stream):
    length = struct.unpack("!I", exactly(stream, 4))[0]
    packet = exactly(stream, length)
    return packet[:1], packet[1:]


def exactly(stream, length):
    data = b""
    while len(data) < length:
        piece = stream.recv(length - len(data))
        if not piece:
            raise RuntimeError("the milter hung up")
        data += piece
    return data
