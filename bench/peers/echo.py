"""The floor: a server that knows the sizes of the answers and nothing else
(bench/src/bin/echo/)."""

import os

from peers.packages import Missing
from peers.peer import Peer


class Echo(Peer):
    name = "echo"
    holds_mail = False
    protocols = ("imap",)
    durability = "It keeps nothing"

    def version(self):
        return f"an event loop that sends answers of the same sizes, {self.options.commit}"

    def configuration(self):
        return " ".join(self.command())

    def prepare(self, users):
        if not self.options.echo or not os.path.exists(self.options.echo):
            raise Missing("no such binary")

    def command(self):
        return [
            self.options.echo,
            self.address("imap"),
            f"--threads={self.options.shards}",
            "--reply-bytes=32",
            "--fetch-bytes=4096",
            "--messages=100",
        ]
