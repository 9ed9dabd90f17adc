"""Delivers by LMTP, many recipients at a time, for scripts that need a full store quickly."""

import socket


class Lmtp:
    def __init__(self, place):
        self.stream = socket.create_connection(place, timeout=120)
        self.file = self.stream.makefile("rb")
        self.expect(b"220")
        self.say("LHLO bench.example.org", b"250")

    def expect(self, code):
        while True:
            line = self.file.readline()
            if not line.startswith(code):
                raise SystemExit(f"lmtp: {line!r}")
            if line[3:4] == b" ":
                return

    def say(self, text, code):
        self.stream.sendall(text.encode() + b"\r\n")
        self.expect(code)

    def deliver(self, recipients, message):
        """Pipelined: one packet for the envelope, one for the message."""
        lines = (
            ["MAIL FROM:<sender@example.org>"]
            + [f"RCPT TO:<{name}>" for name in recipients]
            + ["DATA"]
        )
        self.stream.sendall("\r\n".join(lines).encode() + b"\r\n")
        for _ in range(len(recipients) + 1):
            self.expect(b"250")
        self.expect(b"354")
        self.stream.sendall(message + b".\r\n")
        for _ in recipients:
            self.expect(b"250")
