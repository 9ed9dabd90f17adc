"""Looks at a server's process tree again and again while a load runs.

The load generator says when its measurement began and how long it was; what the server had used at
those two moments lies between two looks and is interpolated, so that the preparation (connecting,
logging in, filling) does not count.
"""

import threading
import time

from peers import process_tree

PAUSE_S = 0.1
# A look at a thousand processes costs; it may take this share of the time.
SHARE = 0.05

FIELDS = ("cpu_ns", "written_bytes", "disk_bytes")


def look(peer):
    return (
        time.time(),
        process_tree.cpu_ns(peer.roots),
        process_tree.written_bytes(peer.roots),
        process_tree.disk_written_bytes(peer.folder) or 0,
    )


def at(samples, moment, field):
    """The value of a field at a moment, on the line between the two looks around it."""
    n = 1 + FIELDS.index(field)
    before = samples[0]
    for after in samples[1:]:
        if after[0] >= moment:
            share = (moment - before[0]) / (after[0] - before[0]) if after[0] > before[0] else 0
            return before[n] + (after[n] - before[n]) * min(1, max(0, share))
        before = after
    return before[n]


class Sampler(threading.Thread):
    """`with Sampler(peer) as sampler: ...`, then `sampler.used(started_at_s, window_s)`."""

    def __init__(self, peer):
        super().__init__(daemon=True)
        self.peer, self.samples, self.done = peer, [], threading.Event()

    def run(self):
        while not self.done.wait(self.step()):
            pass

    def step(self):
        started = time.monotonic()
        self.samples.append(look(self.peer))
        return max(PAUSE_S, (time.monotonic() - started) / SHARE)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        self.join()
        self.samples.append(look(self.peer))

    def used(self, started_at_s, window_s):
        return {
            field: at(self.samples, started_at_s + window_s, field)
            - at(self.samples, started_at_s, field)
            for field in FIELDS
        }
