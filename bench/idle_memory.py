#!/usr/bin/env python3
"""Memory and CPU of idle sessions: PSS growth of the server's process tree per session.

usage: idle_memory.py [--corepost BINARY] [--sessions 2000] [--shards N] [--state authenticated|selected|idle]
"""
import argparse
import os
import resource
import socket
import ssl
import time

from servers import Server, default_binary, machine

QUIET_S = 20


def answer(stream, tag):
    data = b""
    while not (data.startswith(tag) or b"\n" + tag in data):
        part = stream.recv(4096)
        if not part:
            raise SystemExit("the server closed a session: " + data.decode("latin1"))
        data += part
    return data


def session(server, context, state):
    address = server.addresses["imaps" if context else "imap"]
    host, port = address.rsplit(":", 1)
    stream = socket.create_connection((host, int(port)), timeout=60)
    if context:
        stream = context.wrap_socket(stream)
    answer(stream, b"* OK")
    commands = [b"a LOGIN idle@localhost secret"]
    if state != "authenticated":
        commands.append(b"a SELECT INBOX")
    for command in commands:
        stream.sendall(command + b"\r\n")
        reply = answer(stream, b"a ")
        assert b"a OK" in reply, reply
    if state == "idle":
        stream.sendall(b"a IDLE\r\n")
        answer(stream, b"+")
    return stream


def grow(server, context, count, state):
    # The first sessions fill caches and pools that all share.
    first = [session(server, context, state) for _ in range(50)]
    time.sleep(3)
    before = server.pss_bytes()
    rest = [session(server, context, state) for _ in range(count)]
    time.sleep(5)
    after, cpu = server.pss_bytes(), server.cpu_seconds()
    time.sleep(QUIET_S)
    share = (server.cpu_seconds() - cpu) / QUIET_S
    for stream in first + rest:
        stream.close()
    return (after - before) / count, share


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corepost")
    parser.add_argument("--sessions", type=int, default=2000)
    parser.add_argument("--shards", type=int, default=os.cpu_count())
    parser.add_argument("--state", default="selected", choices=["authenticated", "selected", "idle"])
    arguments = parser.parse_args()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    binary = arguments.corepost or default_binary()[0]
    context = ssl._create_unverified_context()
    print(machine())
    for name, tls in (("plaintext", None), ("TLS", context)):
        server = Server("idle", binary, arguments.shards)
        try:
            server.add_account("idle@localhost", "secret")
            per_session, share = grow(server, tls, arguments.sessions, arguments.state)
            print(f"{arguments.sessions} {name} sessions, {arguments.state}: {per_session / 1024:.1f} KiB of PSS each, "
                  f"{share * 100:.2f} % of a core while idle", flush=True)
        finally:
            server.stop()


if __name__ == "__main__":
    main()
