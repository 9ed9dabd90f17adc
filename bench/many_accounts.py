#!/usr/bin/env python3
"""Many accounts: how long from the start of the process to the first login, and the memory after
it.

usage: many_accounts.py [--corepost BINARY] [--accounts 20000] [--messages 50] [--shards N]
"""

import argparse
import imaplib
import os
import subprocess
import threading
import time

from lmtp import Lmtp
from servers import Server, default_binary, machine

RECIPIENTS = 100
CONNECTIONS = 8


def fill(server, accounts, messages):
    names = [f"u{n}@localhost" for n in range(accounts)]
    lines = "".join(f"{name}:{{PLAIN}}secret\n" for name in names)
    subprocess.run(
        [server.binary, "account", "import", "-", "--data-dir", server.data_dir],
        input=lines,
        text=True,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    groups = [names[n : n + RECIPIENTS] for n in range(0, accounts, RECIPIENTS)]

    def deliver(part):
        lmtp = Lmtp(server.place("lmtp"))
        for group in groups[part::CONNECTIONS]:
            for n in range(messages):
                body = "a line of text that fills a message\r\n" * 20
                lmtp.deliver(group, f"Subject: message {n}\r\n\r\n{body}".encode())

    threads = [threading.Thread(target=deliver, args=(part,)) for part in range(CONNECTIONS)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]


def first_login(server, name, messages):
    started = time.monotonic()
    server.start()
    ready = time.monotonic() - started
    client = imaplib.IMAP4(*server.place("imap"), timeout=120)
    client.login(name, "secret")
    kind, data = client.select("INBOX")
    assert kind == "OK" and int(data[0]) == messages, data
    elapsed = time.monotonic() - started
    client.logout()
    time.sleep(3)
    return ready, elapsed, server.pss_bytes()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corepost")
    parser.add_argument("--accounts", type=int, default=20_000)
    parser.add_argument("--messages", type=int, default=50)
    parser.add_argument("--shards", type=int, default=os.cpu_count())
    arguments = parser.parse_args()
    server = Server("many", arguments.corepost or default_binary(), arguments.shards)
    print(machine(), flush=True)
    try:
        started = time.monotonic()
        fill(server, arguments.accounts, arguments.messages)
        count = arguments.accounts * arguments.messages
        print(
            f"{count} messages delivered to {arguments.accounts} accounts in "
            f"{time.monotonic() - started:.0f} s, {server.disk_bytes() >> 20} MiB on disk",
            flush=True,
        )
        for how, stop in (("a clean stop", server.terminate), ("kill -9", server.kill)):
            stop()
            name = f"u{arguments.accounts // 2}@localhost"
            ready, elapsed, memory = first_login(server, name, arguments.messages)
            print(
                f"after {how}: ready in {ready:.2f} s, first login and SELECT at {elapsed:.2f} s, "
                f"{memory / 2**20:.0f} MiB of PSS",
                flush=True,
            )
    finally:
        server.stop()


if __name__ == "__main__":
    main()
