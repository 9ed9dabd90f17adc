#!/usr/bin/env python3
"""Corepost beside Dovecot on one machine in one run: rate and server CPU per operation.

usage: peers.py [--corepost BINARY] [--seconds 10] [--shards N] [--only corepost|dovecot] [--record]
Builds the release binaries unless --corepost names one. Dovecot needs root, dovecot-imapd, dovecot-lmtpd.
"""
import argparse
import datetime
import json
import os
import shutil
import subprocess

from servers import HERE, ROOT, Server, default_binary, machine

SCENARIOS = [
    ("login", "login, logout", "imap", 20),
    ("fetch", "FETCH BODY.PEEK[] of 4 KB", "imap", 20),
    ("storefetch", "STORE and FETCH, 50 sessions in one mailbox", "imap", 50),
    ("lmtp", "LMTP delivery of 4 KB", "lmtp", 20),
]


def drive(binary, scenario, address, sessions, seconds):
    output = subprocess.run([binary, scenario, address, "bench@localhost", "secret", str(sessions),
                             str(seconds)], check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(output.stdout)


def measure(server, driver, seconds):
    rows = []
    server.add_account("bench@localhost", "secret")
    drive(driver, "prepare", server.addresses["imap"], 1, 5)
    for scenario, title, protocol, sessions in SCENARIOS:
        before = server.cpu_seconds()
        figures = drive(driver, scenario, server.addresses[protocol], sessions, seconds)
        cpu = server.cpu_seconds() - before
        count = max(1, figures["operations"])
        rows.append((title, sessions, count / figures["seconds"], cpu / count * 1e6,
                     figures["p50_us"], figures["p99_us"]))
        print(f"  {server.name}: {title}: {rows[-1][2]:.0f}/s, {rows[-1][3]:.0f} us CPU", flush=True)
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corepost")
    parser.add_argument("--drive")
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--shards", type=int, default=os.cpu_count())
    parser.add_argument("--only")
    parser.add_argument("--data-root")
    parser.add_argument("--record", action="store_true")
    arguments = parser.parse_args()
    corepost, driver = arguments.corepost, arguments.drive
    if not (corepost or arguments.only == "dovecot") or not driver:
        corepost, driver = default_binary()
    peers = [("corepost", corepost), ("dovecot", f"{HERE}/dovecot_demo.py")]
    tables = {}
    for name, binary in peers:
        if arguments.only not in (None, name):
            continue
        if name == "dovecot" and not shutil.which("dovecot"):
            print("SKIPPED: dovecot is not installed (apt-get install dovecot-imapd dovecot-lmtpd)")
            continue
        server = Server(name, binary, arguments.shards, arguments.data_root)
        try:
            tables[name] = measure(server, driver, arguments.seconds)
        finally:
            server.stop()
    lines = [machine(), f"bench/peers.py --seconds {arguments.seconds} --shards {arguments.shards}", "",
             f"{'operation':45} {'server':9} {'sessions':>8} {'per s':>9} {'CPU us':>8} {'p50 us':>8} {'p99 us':>8}"]
    for n in range(len(SCENARIOS)):
        for name, rows in tables.items():
            title, sessions, rate, cpu, p50, p99 = rows[n]
            lines.append(f"{title:45} {name:9} {sessions:8} {rate:9.0f} {cpu:8.0f} {p50:8} {p99:8}")
    text = "\n".join(lines) + "\n"
    print("\n" + text)
    if arguments.record:
        path = f"{HERE}/recorded/{os.uname().nodename}-{datetime.date.today()}-peers.txt"
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as record:
            record.write(text)
        print("recorded in", os.path.relpath(path, ROOT))


if __name__ == "__main__":
    main()
