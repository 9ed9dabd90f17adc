#!/usr/bin/env python3
"""Durable APPENDs of Corepost beside what the disk alone can do, in one run.

usage: durable.py [--rounds 3] [--seconds 10] [--shards N] [--corepost B] [--loadgen B]
Corepost is loaded first. Then its log is read: how many batches, and how long each was. fio writes
batches of the same lengths in the same shares, as many writers as shards, each batch with O_DIRECT
and one fdatasync, into files that are allocated beforehand and never written, as segments are, and
into files written before. The rates of batches are compared: what Corepost reaches of the first is
the ratio.
"""

import argparse
import collections
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import urllib.request

from peers import load, packages
from peers.corepost import Corepost
from peers.packages import Missing
from peers.rows import ROWS
from peers.run import build, commit, settle, machine, unpacked

BLOCK = 4096
HEADER_BYTES = 64
MAGIC = b"CPBATCH1"
FILE_BYTES = 1 << 30
# fio takes so many different lengths.
LENGTHS_MAX = 60


def batches(store):
    """The lengths of all batches in the segments of a store, in blocks."""
    lengths = collections.Counter()
    for name in sorted(os.listdir(store)):
        if not name.startswith("seg-"):
            continue
        with open(f"{store}/{name}", "rb") as segment:
            # The first block is the segment's own.
            segment.seek(BLOCK)
            while True:
                head = segment.read(BLOCK)
                if not head.startswith(MAGIC):
                    break
                blocks = -(-(HEADER_BYTES + int.from_bytes(head[12:16], "little")) // BLOCK)
                lengths[blocks] += 1
                segment.seek((blocks - 1) * BLOCK, os.SEEK_CUR)
    return lengths


def shares(lengths):
    """What fio calls bssplit: the lengths and their shares in per cent, rare ones added to their
    neighbours."""
    total, groups, carried = sum(lengths.values()), [], 0
    for blocks in sorted(lengths):
        carried += lengths[blocks]
        if carried * 100 >= total or blocks == max(lengths):
            groups.append([blocks, round(carried * 100 / total)])
            carried = 0
    groups = [group for group in groups if group[1] > 0][-LENGTHS_MAX:]
    largest = max(groups, key=lambda group: group[1])
    largest[1] += 100 - sum(share for _, share in groups)
    return groups


def fio_command(folder, groups, writers, seconds, fresh):
    """Synchronous batches one behind the other, as a shard's log makes them."""
    split = ":".join(f"{blocks * BLOCK // 1024}k/{share}" for blocks, share in groups)
    return [
        "fio",
        "--name=log",
        f"--directory={folder}",
        "--rw=write",
        "--direct=1",
        "--ioengine=psync",
        "--fdatasync=1",
        f"--bssplit={split}",
        f"--numjobs={writers}",
        f"--filesize={FILE_BYTES}",
        f"--size={FILE_BYTES}",
        "--fallocate=native",
        f"--overwrite={0 if fresh else 1}",
        "--time_based",
        f"--runtime={seconds}",
        "--group_reporting",
        "--output-format=json",
    ]


def fio(folder, groups, writers, seconds, fresh):
    """Batches per second of the disk alone."""
    part = tempfile.mkdtemp(prefix="durable-fio-", dir=folder)
    try:
        words = fio_command(part, groups, writers, seconds, fresh)
        output = subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True)
        write = json.loads(output.stdout)["jobs"][0]["write"]
        return write["total_ios"] / (write["runtime"] / 1000)
    finally:
        shutil.rmtree(part)


def appends(options):
    """One run of Corepost: messages and batches per second, and the lengths of the batches."""
    row = next(row for row in ROWS if row.key == "append")
    server = Corepost(options)
    try:
        server.start(row.all_users(1))
        before = sum(batches(f"{server.folder}/data/store").values())
        result, faults = load.measure(options, row, server, 0)
        if faults:
            print("  " + faults)
        lengths = batches(f"{server.folder}/data/store")
        # Batches of the seconds before and after the measurement are few; the mean holds for all.
        messages = count_messages(server)
        per_batch = messages / (sum(lengths.values()) - before)
        return result["rate_per_s"], result["rate_per_s"] / per_batch, per_batch, lengths
    finally:
        server.stop()


def count_messages(server):
    with urllib.request.urlopen(f"http://{server.address('admin')}/metrics", timeout=10) as metrics:
        for line in metrics.read().decode().splitlines():
            if line.startswith("corepost_appends_total "):
                return int(line.split()[1])
    raise Missing("the server does not say how many messages it has appended")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--shards", type=int, default=os.cpu_count())
    parser.add_argument("--corepost")
    parser.add_argument("--loadgen")
    parser.add_argument("--data-root", default=tempfile.gettempdir())
    options = parser.parse_args()
    options.commit, options.unpacked, options.scaled = commit(), unpacked(), lambda count: count
    build(options, ("corepost", "loadgen"))
    settle()
    if not shutil.which("fio"):
        packages.apt("apt-get", "install", "-yq", "--no-install-recommends", "fio")
    version = subprocess.run(["fio", "--version"], text=True, stdout=subprocess.PIPE).stdout
    print(f"{machine()}, {options.commit}, {version.strip()}")
    ratios, words = [], None
    for number in range(options.rounds):
        rate, batch_rate, per_batch, lengths = appends(options)
        groups = shares(lengths)
        words = fio_command("DIR", groups, options.shards, options.seconds, True)
        fresh = fio(options.data_root, groups, options.shards, options.seconds, True)
        written = fio(options.data_root, groups, options.shards, options.seconds, False)
        ratios.append(batch_rate / fresh)
        print(
            f"round {number + 1}: {rate:.0f} APPENDs/s in {batch_rate:.0f} batches/s "
            f"of {per_batch:.1f} messages; "
            f"fio {fresh:.0f} batches/s in new files, {written:.0f} in files written before; "
            f"ratio {batch_rate / fresh:.2f} and {batch_rate / written:.2f}",
            flush=True,
        )
    share = statistics.median(ratios) * 100
    print(f"median: Corepost appends at {share:.0f} % of the disk's own rate")
    print("last fio command:", " ".join(words))


if __name__ == "__main__":
    try:
        main()
    except (Missing, load.Failed) as error:
        sys.exit(f"durable: {error}")
