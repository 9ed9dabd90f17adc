"""Corepost as `corepost serve` runs it, one shard a core."""

import subprocess

from peers.peer import PASSWORD, Peer, make_certificate

CONFIG = """\
data_dir = "{dir}/data"
shards = {shards}

[listen]
imap = ["127.0.0.1:{imap}"]
imaps = ["127.0.0.1:{imaps}"]
lmtp = ["127.0.0.1:{lmtp}"]
admin = "127.0.0.1:{admin}"

[tls]
certificates = [ {{ chain = "{dir}/cert.pem", key = "{dir}/key.pem" }} ]

[log]
level = "warn"
"""


class Corepost(Peer):
    name = "corepost"
    durability = "APPEND, LMTP and STORE are on the disk before they are answered"

    def version(self):
        result = subprocess.run(
            [self.options.corepost, "--version"], text=True, stdout=subprocess.PIPE
        )
        return f"{result.stdout.strip()}, {self.options.commit}"

    def configuration(self):
        return CONFIG.format(dir=self.folder, shards=self.options.shards, **self.ports)

    def prepare(self, users):
        make_certificate(self.folder)
        self.write("corepost.toml", self.configuration())

    def command(self):
        return [self.options.corepost, "serve", "--config", f"{self.folder}/corepost.toml"]

    def started(self, users):
        # Kept as a slow hash; what is measured is the check of a password that was right before.
        lines = "".join(f"{user}:{{PLAIN}}{PASSWORD}\n" for user in users)
        subprocess.run(
            [self.options.corepost, "account", "import", "-", "--data-dir", f"{self.folder}/data"],
            input=lines,
            text=True,
            check=True,
            stdout=subprocess.DEVNULL,
        )
