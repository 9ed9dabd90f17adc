"""Runs every row against every server in alternation, and writes the table.

Every server is up all the time; a row is run against one after the other, and all that as many
times as there are rounds. A peer that does not start, or a row that a server cannot do, is a line
with the reason.
"""

import argparse
import datetime
import os
import platform
import resource
import shlex
import signal
import subprocess
import sys
import time

from peers import idle, load, table
from peers.corepost import Corepost
from peers.cyrus import Cyrus
from peers.dovecot import Maildir, Mdbox
from peers.echo import Echo
from peers.packages import Missing
from peers.rows import ROWS, idle_users

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PEERS = (Corepost, Maildir, Mdbox, Cyrus, Echo)
QUICK_S = 1


def parse():
    parser = argparse.ArgumentParser(
        prog="python3 bench/peers", description="Corepost beside its peers, in one run."
    )
    parser.add_argument(
        "--rounds", type=int, default=1, help="medians are of this many (default 1)"
    )
    parser.add_argument("--seconds", type=int, default=4, help="of each measurement (default 4)")
    parser.add_argument("--minutes", type=float, help="begin no round that would end later")
    parser.add_argument(
        "--quick",
        action="store_true",
        help="a second of each, a tenth of the sessions and messages",
    )
    parser.add_argument(
        "--only", action="append", metavar="SERVER", choices=[peer.name for peer in PEERS]
    )
    parser.add_argument(
        "--scenario", action="append", metavar="ROW", choices=[row.key for row in ROWS] + ["idle"]
    )
    parser.add_argument("--idle-sessions", type=int, default=500)
    parser.add_argument("--shards", type=int, default=os.cpu_count())
    parser.add_argument("--corepost", help="its binary; built when not given")
    parser.add_argument("--loadgen")
    parser.add_argument("--echo")
    parser.add_argument(
        "--data-root", help="where the servers keep their mail (default: the temporary directory)"
    )
    parser.add_argument(
        "--record", action="store_true", help="write bench/recorded/<machine>-<date>-peers.txt"
    )
    return parser.parse_args()


class Run:
    def __init__(self, options):
        self.options, self.servers, self.reasons = options, {}, []
        wanted = options.scenario or [row.key for row in ROWS] + ["idle"]
        self.rows = [row for row in ROWS if row.key in wanted]
        self.idles = "idle" in wanted
        self.results = {row.title: {} for row in self.rows}
        self.idle_results = {}
        self.versions, self.essences, self.durability = {}, {}, {}

    def reason(self, text):
        self.reasons.append(text)
        print("  " + text, flush=True)

    def users(self):
        return [user for row in self.rows for user in row.all_users(self.options.rounds)]

    def start(self):
        for kind in PEERS:
            if self.options.only and kind.name not in self.options.only:
                continue
            server = self.servers[kind.name] = kind(self.options)
            try:
                server.start(self.users())
                self.versions[kind.name] = server.version()
                self.essences[kind.name] = server.essence()
                self.durability[kind.name] = server.durability
            except (Missing, OSError, subprocess.CalledProcessError) as error:
                self.reason(f"{kind.name} is left out: {error}")
                self.servers.pop(kind.name).stop()
                continue
            print(f"{kind.name}: {self.versions[kind.name]}", flush=True)

    def stop(self):
        for server in self.servers.values():
            server.stop()

    def round(self, number):
        for row in self.rows:
            for name, server in self.servers.items():
                if row.echo or server.holds_mail:
                    self.measure(row, name, server, number)
        for name, server in self.servers.items():
            # Memory does not depend on who else runs: once is enough.
            if self.idles and server.holds_mail and number == 0:
                self.measure_idle(name, type(server))

    def measure(self, row, name, server, number):
        if not server.alive():
            self.reason(f"{name} has ended; no {row.key}")
            return
        os.sync()
        try:
            result, faults = load.measure(self.options, row, server, number)
        except (load.Failed, OSError) as error:
            self.reason(f"{name}, {row.key}: {error}")
            return
        self.results[row.title].setdefault(name, []).append(result)
        print(
            f"  {row.key} {name}: {result['rate_per_s']:.0f}/s, {result['cpu_us']:.1f} us CPU, "
            f"p99 {result['p99_ms']:.2f} ms",
            flush=True,
        )
        if faults:
            self.reason(f"{name}, {row.key}: {faults}")

    def measure_idle(self, name, kind):
        """A server that has served before has memory to spare, so each form gets a new one."""
        count, kib = self.options.scaled(self.options.idle_sessions), []
        for tls in (False, True):
            server = kind(self.options)
            try:
                server.start(idle_users())
                kib.append(idle.grow(server, tls, count, idle_users())[0] / 1024)
            except (Missing, OSError) as error:
                self.reason(f"{name}, idle: {error}")
                return
            finally:
                server.stop()
        self.idle_results.setdefault(name, []).append(kib)
        print(f"  idle {name}: {kib[0]:.1f} KiB plaintext, {kib[1]:.1f} KiB TLS", flush=True)

    def text(self, started):
        options = self.options
        sessions = options.scaled(options.idle_sessions)
        parts = [
            f"{machine()}, {options.commit}",
            f"{datetime.date.today()}: {options.rounds} rounds of {options.seconds} s for each row "
            f"and server, in {(time.monotonic() - started) / 60:.0f} minutes; medians",
            f"load average of the last 15 minutes: {os.getloadavg()[2]:.1f}",
            "command: python3 bench/peers " + shlex.join(sys.argv[1:]),
            "",
        ]
        for name, version in self.versions.items():
            parts.append(f"{name}: {version}. {self.durability[name]}.")
        shown = {title: cells for title, cells in self.results.items() if cells}
        parts += ["", *table.table(shown)] if shown else []
        if self.idle_results:
            parts += ["", f"{sessions} sessions in IDLE, the INBOX of one of 100 users selected:"]
            parts += ["", *table.idle_table(self.idle_results)]
        parts += ["", "What went wrong:" if self.reasons else "Nothing went wrong.", *self.reasons]
        parts += ["", "Load:"]
        parts += [" ".join(load.command(options, row, None, 0)) for row in self.rows]
        for name, essence in self.essences.items():
            parts += ["", f"---- {name}", essence.strip()]
        return "\n".join(parts) + "\n"


def machine():
    model = "unknown processor"
    with open("/proc/cpuinfo") as info:
        for line in info:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    return f"{model}, {os.cpu_count()} cores, Linux {platform.release()}"


def commit():
    def git(*words):
        return subprocess.run(
            ["git", "-C", ROOT, *words],
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ).stdout.strip()

    return f"commit {git('rev-parse', '--short', 'HEAD')}" + (
        " and changes" if git("status", "--porcelain") else ""
    )


def build(options, names):
    """Those of the binaries that were not named."""
    names = [name for name in names if not getattr(options, name)]
    if not names:
        return
    words = [word for name in names for word in ("--bin", name)]
    subprocess.run(["cargo", "build", "--release", *words], cwd=ROOT, check=True)
    target = os.environ.get("CARGO_TARGET_DIR", f"{ROOT}/target")
    for name in names:
        setattr(options, name, f"{target}/release/{name}")


def unpacked():
    """Where programs are kept that cannot be installed beside others."""
    return f"{os.environ.get('XDG_CACHE_HOME', os.path.expanduser('~/.cache'))}/corepost-bench"


def settle():
    """Allows as many open files as there may be, one a connection, here and in the servers, which
    inherit it; and who ends this process ends what it started."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def is_late(started, rounds, minutes):
    """Whether another round, as long as those before, would end too late."""
    elapsed = time.monotonic() - started
    return elapsed * (rounds + 1) / rounds > minutes * 60


def main():
    options = parse()
    options.commit = commit()
    options.scaled = (lambda count: max(1, count // 10)) if options.quick else (lambda count: count)
    if options.quick:
        options.seconds = QUICK_S
    build(options, ("corepost", "loadgen", "echo"))
    options.unpacked = unpacked()
    settle()
    run, started = Run(options), time.monotonic()
    try:
        run.start()
        for number in range(options.rounds):
            if options.minutes and number and is_late(started, number, options.minutes):
                run.reason(f"after {number} rounds there was no time for another")
                options.rounds = number
                break
            print(f"round {number + 1}", flush=True)
            run.round(number)
    finally:
        run.stop()
    text = run.text(started)
    print("\n" + text)
    if options.record:
        path = f"{ROOT}/bench/recorded/{platform.node()}-{datetime.date.today()}-peers.txt"
        with open(path, "w") as record:
            record.write(text)
        print("recorded in", os.path.relpath(path, ROOT))
    return 0 if run.servers else 1
