"""Memory of idle sessions: PSS growth of a server's process tree per session."""

import ssl
import time

from peers import process_tree
from peers.client import Client

FIRST = 50
SETTLE_S = 3


def session(place, context, user, state):
    client = Client(place, context)
    client.login(user)
    if state != "authenticated":
        client.run(b"SELECT INBOX")
    if state == "idle":
        client.send(b"t IDLE\r\n")
        while not client.line().startswith(b"+"):
            pass
    return client


def grow(server, tls, count, users, state="idle", quiet_s=0):
    """Bytes per session, and the share of a core that the server takes while nothing happens."""
    context = ssl._create_unverified_context() if tls else None
    host, port = server.address("imaps" if tls else "imap").rsplit(":", 1)
    place, clients = (host, int(port)), []
    try:
        # The first of each user fill caches and pools that all share, and compute password hashes.
        first = max(FIRST, len(users))
        clients += [session(place, context, users[n % len(users)], state) for n in range(first)]
        time.sleep(SETTLE_S)
        before = process_tree.pss_bytes(server.roots)
        clients += [session(place, context, users[n % len(users)], state) for n in range(count)]
        time.sleep(SETTLE_S)
        after, cpu_ns = process_tree.pss_bytes(server.roots), process_tree.cpu_ns(server.roots)
        time.sleep(quiet_s)
        share = (process_tree.cpu_ns(server.roots) - cpu_ns) / 1e9 / quiet_s if quiet_s else 0
    finally:
        for client in clients:
            client.close()
    return (after - before) / count, share
