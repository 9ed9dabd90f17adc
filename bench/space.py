#!/usr/bin/env python3
"""Expunges most of the mail under readers, with a kill -9 in the middle: space returns, what is
left is intact.

usage: space.py [--corepost BINARY] [--megabytes 2048] [--shards N]
Four messages of five are expunged. Exits non-zero when a body is damaged or the space does not come
back.
"""

import argparse
import hashlib
import imaplib
import os
import random
import sys
import threading
import time

from lmtp import Lmtp
from servers import Server, default_binary, machine

ACCOUNTS = 8
MESSAGE_BYTES = 100_000
KEPT_OF = 5
SEGMENT_BYTES = 64 << 20
PATIENCE_S = 300


def message(account, n):
    rng = random.Random(account * 1_000_003 + n)
    line = "".join(rng.choice("abcdefghijklmnopqrstuvwxyz ") for _ in range(76))
    body = (line + "\r\n") * (MESSAGE_BYTES // 78)
    return f"Subject: {account} {n}\r\nX-Seed: {rng.random()}\r\n\r\n{body}".encode()


def digest(raw):
    """Without what the delivery put in front."""
    return hashlib.sha1(raw[raw.index(b"Subject: ") :]).hexdigest()


class Mail:
    def __init__(self, server, per_account):
        self.server, self.per_account = server, per_account
        self.bad, self.reads, self.stop = [], 0, False

    def client(self, account):
        deadline = time.monotonic() + 60
        while True:
            try:
                client = imaplib.IMAP4(*self.server.place("imap"), timeout=120)
                client.login(f"space{account}@localhost", "secret")
                client.select("INBOX")
                return client
            except (OSError, imaplib.IMAP4.error):
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)

    def fill(self, account):
        lmtp = Lmtp(self.server.place("lmtp"))
        for n in range(1, self.per_account + 1):
            lmtp.deliver([f"space{account}@localhost"], message(account, n))

    def check(self, client, account, n):
        kind, data = client.uid("FETCH", str(n), "(BODY.PEEK[])")
        if (
            kind != "OK"
            or not data
            or data[0] is None
            or digest(data[0][1]) != digest(message(account, n))
        ):
            self.bad.append((account, n))
        self.reads += 1

    def read(self, account):
        rng, client = random.Random(account), self.client(account)
        while not self.stop:
            try:
                self.check(
                    client, account, rng.randrange(1, self.per_account // KEPT_OF + 1) * KEPT_OF
                )
            except (OSError, imaplib.IMAP4.error):
                client = self.client(account)

    def expunge(self, account):
        for first in range(1, self.per_account + 1, 50):
            uids = ",".join(
                str(n) for n in range(first, min(first + 50, self.per_account + 1)) if n % KEPT_OF
            )
            while True:
                try:
                    client = self.client(account)
                    client.uid("STORE", uids, "+FLAGS.SILENT", "(\\Deleted)")
                    client.uid("EXPUNGE", uids)
                    client.logout()
                    break
                except (OSError, imaplib.IMAP4.error):
                    time.sleep(0.2)


def all_at_once(work, wait=True):
    threads = [threading.Thread(target=work, args=(account,)) for account in range(ACCOUNTS)]
    [thread.start() for thread in threads]
    if wait:
        [thread.join() for thread in threads]
    return threads


def run(server, mail):
    for account in range(ACCOUNTS):
        server.add_account(f"space{account}@localhost", "secret")
    all_at_once(mail.fill)
    full = server.disk_bytes()
    print(f"{full >> 20} MiB on disk", flush=True)
    readers = all_at_once(mail.read, wait=False)
    expungers = all_at_once(mail.expunge, wait=False)
    time.sleep(3)
    server.kill()
    server.start()
    [thread.join() for thread in expungers]
    print(f"expunged, {mail.reads} bodies read meanwhile, {len(mail.bad)} bad", flush=True)
    # A fifth is kept; segments are emptied when that is worth it, and each shard has two in hand.
    bound = full * 0.3 + server.shards * 2 * SEGMENT_BYTES
    deadline = time.monotonic() + PATIENCE_S
    while server.disk_bytes() > bound and time.monotonic() < deadline:
        time.sleep(1)
    mail.stop = True
    [thread.join() for thread in readers]
    left = server.disk_bytes()
    print(
        f"{left >> 20} MiB on disk after {PATIENCE_S - (deadline - time.monotonic()):.0f} s",
        flush=True,
    )
    for account in range(ACCOUNTS):
        client = mail.client(account)
        kind, data = client.uid("SEARCH", "ALL")
        wanted = [b"%d" % n for n in range(KEPT_OF, mail.per_account + 1, KEPT_OF)]
        if data[0].split() != wanted:
            mail.bad.append((account, "the list of UIDs"))
        for n in range(KEPT_OF, mail.per_account + 1, KEPT_OF):
            mail.check(client, account, n)
    print(f"{mail.reads} bodies read in all, bad: {mail.bad[:5]}")
    return not mail.bad and left <= bound


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corepost")
    parser.add_argument("--megabytes", type=int, default=2048)
    parser.add_argument("--shards", type=int, default=os.cpu_count())
    arguments = parser.parse_args()
    server = Server("space", arguments.corepost or default_binary(), arguments.shards)
    print(machine(), flush=True)
    per_account = arguments.megabytes * 2**20 // MESSAGE_BYTES // ACCOUNTS
    try:
        good = run(server, Mail(server, per_account))
    finally:
        server.stop()
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
