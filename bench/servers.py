"""Starts a server with the command line of `corepost demo` and measures its whole process tree."""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile

from peers import process_tree, run
from peers.peer import free_port_base

HERE = os.path.dirname(os.path.abspath(__file__))


class Server:
    def __init__(self, name, binary, shards, data_root=None):
        self.name, self.binary, self.shards = name, binary, shards
        self.data_dir = tempfile.mkdtemp(prefix=f"bench-{name}-", dir=data_root)
        self.port_base = free_port_base()
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            [
                self.binary,
                "demo",
                "--json",
                "--shards",
                str(self.shards),
                "--data-dir",
                self.data_dir,
                "--port-base",
                str(self.port_base),
            ],
            stdout=subprocess.PIPE,
            stderr=open(self.data_dir + ".log", "a"),
            text=True,
        )
        for line in self.process.stdout:
            if line.startswith("{"):
                self.addresses = json.loads(line)
                return
        sys.exit(f"{self.name} did not come up: {open(self.data_dir + '.log').read()}")

    def kill(self):
        self.process.kill()
        self.process.wait()

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(120)

    def place(self, protocol):
        host, port = self.addresses[protocol].rsplit(":", 1)
        return host, int(port)

    def disk_bytes(self):
        """What the data directory takes on the disk."""
        total = 0
        for folder, _, names in os.walk(self.data_dir):
            for name in names:
                try:
                    total += os.stat(os.path.join(folder, name)).st_blocks * 512
                except OSError:
                    pass
        return total

    def add_account(self, name, password):
        subprocess.run(
            [
                self.binary,
                "account",
                "add",
                name,
                "--password",
                password,
                "--data-dir",
                self.data_dir,
            ],
            check=True,
            stdout=subprocess.DEVNULL,
        )

    @property
    def roots(self):
        return [self.process.pid]

    def address(self, protocol):
        return self.addresses[protocol]

    def cpu_seconds(self):
        """User and system time of the tree, ended children included."""
        return process_tree.cpu_ns(self.roots) / 1e9

    def pss_bytes(self):
        return process_tree.pss_bytes(self.roots)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
        shutil.rmtree(self.data_dir, ignore_errors=True)
        if os.path.exists(self.data_dir + ".log"):
            os.remove(self.data_dir + ".log")


def machine():
    return f"{run.machine()}, {run.commit()}"


def default_binary():
    """The release binary, built now."""
    options = argparse.Namespace(corepost=None)
    run.build(options, ("corepost",))
    return options.corepost
