#!/usr/bin/env python3
"""Memory and CPU of idle sessions: PSS growth of the server's process tree per session.

usage: idle_memory.py [--corepost BINARY] [--sessions 2000] [--shards N]
                      [--state authenticated|selected|idle]
"""

import argparse
import os

from peers import idle
from peers.run import settle
from servers import Server, default_binary, machine

QUIET_S = 20


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corepost")
    parser.add_argument("--sessions", type=int, default=2000)
    parser.add_argument("--shards", type=int, default=os.cpu_count())
    parser.add_argument(
        "--state", default="selected", choices=["authenticated", "selected", "idle"]
    )
    arguments = parser.parse_args()
    settle()
    binary = arguments.corepost or default_binary()
    print(machine())
    for name, tls in (("plaintext", False), ("TLS", True)):
        server = Server("idle", binary, arguments.shards)
        try:
            server.add_account("idle@localhost", "secret")
            per_session, share = idle.grow(
                server, tls, arguments.sessions, ["idle@localhost"], arguments.state, QUIET_S
            )
            print(
                f"{arguments.sessions} {name} sessions, {arguments.state}: "
                f"{per_session / 1024:.1f} KiB of PSS each, "
                f"{share * 100:.2f} % of a core while idle",
                flush=True,
            )
        finally:
            server.stop()


if __name__ == "__main__":
    main()
