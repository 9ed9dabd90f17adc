"""As little of an IMAP client as sessions that only idle need."""

import socket

from peers.peer import PASSWORD


class Client:
    """A session. Its commands bring no literals."""

    def __init__(self, place, context=None, timeout=120):
        self.stream = socket.create_connection(place, timeout=timeout)
        if context:
            self.stream = context.wrap_socket(self.stream)
        self.buffer = b""
        self.line()

    def line(self):
        while b"\r\n" not in self.buffer:
            part = self.stream.recv(65536)
            if not part:
                raise ConnectionError(f"the server closed the connection: {self.buffer!r}")
            self.buffer += part
        line, self.buffer = self.buffer.split(b"\r\n", 1)
        return line

    def send(self, data):
        self.stream.sendall(data)

    def answer(self, tag):
        """Reads to the tagged answer, which must be OK."""
        while True:
            line = self.line()
            if line.startswith(tag + b" "):
                if not line.startswith(tag + b" OK"):
                    raise ConnectionError(line.decode("latin1"))
                return

    def run(self, command):
        self.send(b"t " + command + b"\r\n")
        self.answer(b"t")

    def login(self, user):
        self.run(f"LOGIN {user} {PASSWORD}".encode())

    def close(self):
        self.stream.close()
