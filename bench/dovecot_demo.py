#!/usr/bin/env python3
"""Dovecot behind the command line of `corepost demo`, so that the same tests and figures run
against both.

  dovecot_demo.py demo --data-dir D --port-base N [--shards N] --json
  dovecot_demo.py account add NAME --password P --data-dir D

Needs dovecot-imapd and dovecot-lmtpd, and root (Dovecot gives every process a user of its own).
The transcripts run against it with COREPOST_TEST_BIN=bench/dovecot_demo.py.
"""

import argparse
import json
import os
import signal
import sys
import types

from peers.dovecot import Dovecot
from peers.packages import Missing
from peers.peer import PORTS
from peers.run import unpacked


class Demo(Dovecot):
    """In a folder that is given, with accounts that come while it runs."""

    name, form, clients = "dovecot", "sdbox", 1
    # A file for each account: Dovecot looks at a shared one again only after a second.
    users = "{dir}/users/%Lu"
    userdb = """\
  driver = passwd-file
  args = {dir}/users/%Lu
  default_fields = uid=mail gid=mail home={dir}/mail/%u"""

    def __init__(self, data_dir, port_base):
        self.options = types.SimpleNamespace(unpacked=unpacked(), shards=2)
        self.folder, self.memory = data_dir, f"{data_dir}/run-time"
        os.makedirs(self.memory, exist_ok=True)
        os.chmod(data_dir, 0o755)
        self.ports = {protocol: port_base + n for n, protocol in enumerate(PORTS)}

    def write_users(self, users):
        os.makedirs(f"{self.folder}/users", exist_ok=True)
        if not os.listdir(f"{self.folder}/users"):
            add_account(self.folder, "demo@localhost", "demo")


def add_account(data_dir, name, password):
    if "@" not in name:
        name += "@localhost"
    with open(f"{data_dir}/users/{name.lower()}", "w") as user:
        user.write(f"{name.lower()}:{password}::::::\n")


def demo(arguments):
    server = Demo(os.path.abspath(arguments.data_dir), arguments.port_base)
    server.start([])
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: server.process.terminate())
    print(
        json.dumps(
            {
                **{protocol: server.address(protocol) for protocol in PORTS},
                "account": "demo@localhost",
                "password": "demo",
            }
        ),
        flush=True,
    )
    server.process.wait()
    sys.exit(0)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    serve = commands.add_parser("demo")
    serve.add_argument("--data-dir", required=True)
    serve.add_argument("--port-base", type=int, required=True)
    serve.add_argument("--shards", type=int)
    serve.add_argument("--json", action="store_true")
    account = commands.add_parser("account")
    account.add_argument("action", choices=["add"])
    account.add_argument("name")
    account.add_argument("--password", required=True)
    account.add_argument("--data-dir", required=True)
    arguments = parser.parse_args()
    if arguments.command == "demo":
        try:
            demo(arguments)
        except Missing as error:
            sys.exit(str(error))
    else:
        add_account(arguments.data_dir, arguments.name, arguments.password)


if __name__ == "__main__":
    main()
