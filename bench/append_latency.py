#!/usr/bin/env python3
"""How long a client waits for APPEND of 4 KB that sends the literal and the end of its line apart,
with and without Nagle's algorithm (imaplib leaves it on, and so do many clients).

usage: append_latency.py ADDRESS:PORT ACCOUNT PASSWORD
"""
import imaplib
import socket
import sys
import time

APPENDS = 200
MESSAGE = b"Subject: how long\r\n\r\n" + b"0123456789012345678901234567890\r\n" * 124


def waits(host, port, account, password, nodelay):
    client = imaplib.IMAP4(host, port)
    client.login(account, password)
    if nodelay:
        client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    taken = []
    for _ in range(APPENDS):
        start = time.perf_counter()
        answer, _ = client.append("INBOX", None, None, MESSAGE)
        assert answer == "OK", answer
        taken.append(time.perf_counter() - start)
    client.logout()
    return sorted(taken)


def main():
    host, port = sys.argv[1].rsplit(":", 1)
    for name, nodelay in (("Nagle", False), ("TCP_NODELAY", True)):
        taken = waits(host, int(port), sys.argv[2], sys.argv[3], nodelay)
        print(f"{name}: p50 {taken[APPENDS // 2] * 1e3:.2f} ms, max {taken[-1] * 1e3:.2f} ms")


if __name__ == "__main__":
    main()
