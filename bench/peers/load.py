"""One run of the load generator against one server, and what it says."""

import json
import subprocess

from peers import process_tree
from peers.peer import PASSWORD
from peers.sampler import Sampler

# Time to connect, log in, fill and say goodbye, beside the measurement.
PATIENCE_S = 90


class Failed(Exception):
    """The run gave no figures; the text says why."""


def command(options, row, peer, round_number, verb="run"):
    """Without a server, as it is told in the record."""
    return [
        options.loadgen if peer else "loadgen",
        verb,
        row.scenario,
        f"--target={peer.address('imap') if peer else 'HOST:PORT'}",
        f"--lmtp-target={peer.address('lmtp') if peer else 'HOST:PORT'}",
        f"--user={row.user('{}')}",
        f"--password={PASSWORD}",
        f"--users={row.users}",
        f"--first-user={row.first_user(round_number)}",
        f"--connections={options.scaled(row.sessions)}",
        f"--duration-s={options.seconds}",
        *row.arguments,
        "--json",
        "--quiet",
    ]


def play(words, seconds):
    """Runs it in a session of its own, with the standing that the servers have."""
    process = subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    process_tree.raise_session(process.pid)
    try:
        output, errors = process.communicate(timeout=seconds + PATIENCE_S)
    except subprocess.TimeoutExpired as error:
        process.kill()
        process.communicate()
        raise Failed(f"still running after {seconds + PATIENCE_S} s") from error
    for line in output.splitlines():
        if line.startswith("{"):
            return json.loads(line)
    raise Failed((errors or output).strip()[-300:] or f"exit status {process.returncode}")


def prepare(options, row, peer, round_number):
    report = play(command(options, row, peer, round_number, "prepare"), 0)
    if report["total"]["errors"]:
        raise Failed(f"while filling: {faults(report)}")


def figures(report, used):
    """The result of a run: the report's figures and what the server used, per operation in the
    window."""
    total = report["total"]
    count = total["rate_per_s"] * report["window_s"]
    if not count:
        raise Failed(f"no operation ended well: {faults(report)}")
    response = total["response"]
    result = {
        "rate_per_s": total["rate_per_s"],
        "errors": total["errors"],
        "own_cpu_us": report["own_cpu_us_per_operation"],
        "received_bytes": total["received_bytes"] / total["count"],
        "cpu_us": used["cpu_ns"] / 1000 / count,
        "written_bytes": used["written_bytes"] / count,
        "disk_bytes": used["disk_bytes"] / count,
    }
    result.update({name: response[name] for name in ("p50_ms", "p99_ms", "p99_9_ms")})
    return result


def faults(report):
    return "; ".join(
        f"{fault['count']} {fault['kind']}: {fault['example']}" for fault in report["faults"]
    )


def measure(options, row, peer, round_number):
    """Fills the mailboxes first and by itself, so that the run finds them filled: it begins without
    a burst of writes that the server would still be at work on."""
    if peer.holds_mail:
        prepare(options, row, peer, round_number)
    with Sampler(peer) as sampler:
        report = play(command(options, row, peer, round_number), options.seconds)
    result = figures(report, sampler.used(report["started_at_s"], report["window_s"]))
    if report["ready"] < report["connections"]:
        result["note"] = f"{report['ready']} of {report['connections']} connections ready"
    return result, faults(report)
