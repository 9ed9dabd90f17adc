#!/usr/bin/env python3
"""Server CPU of the work on large mailboxes, warm, one session: SELECT of a million messages, FETCH of lists of
100,000, SEARCH TEXT through 10,000 messages.

usage: large_mailboxes.py [--corepost BINARY] [--shards 1] [--only select,fetch,search] [--record TOPIC]

CPU is that of all threads of the server (/proc/PID/task/*/schedstat, nanoseconds), user and system.
"""
import argparse
import base64
import datetime
import os
import quopri
import random
import socket
import time

from servers import HERE, Server, default_binary, machine

SEED = 20261125
COPIED = 1000
# Ten thousand of these fit the cache of bodies (64 MB) in every form, base64 included.
TEXT_BYTES = 3072
WORDS = ("the of and to in is that for it as was with be by on not he his but at are this have from or had an they "
         "which one you were her all she there would their we him been has when who will more no if out so said what "
         "up its about into than them can only other new some could time these two may then do first any my now such "
         "like our over man me even most made after also did many before must through back years where much your way "
         "meeting invoice report budget quarterly server deployment customer project schedule attached regards").split()
ACCENTED = "Gr\u00fc\u00dfe caf\u00e9 ma\u00f1ana \u010cesk\u00fd na\u00efve \u0441\u043f\u0430\u0441\u0438\u0431\u043e".split()


class Client:
    def __init__(self, server):
        self.stream = socket.create_connection(server.place("imap"), timeout=600)
        self.stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = bytearray(1 << 20)
        self.stream.recv(4096)
        self.run(b"LOGIN large@localhost secret")

    def run(self, command):
        """Sends a command, reads through its tagged answer, and gives the number of bytes read and their end."""
        self.stream.sendall(b"t " + command + b"\r\n")
        read, tail = 0, b""
        while True:
            size = self.stream.recv_into(self.buffer)
            if not size:
                raise SystemExit("the server closed: " + tail.decode("latin1"))
            read += size
            # The end alone is looked at: a client that parsed would be what is measured.
            tail = (tail + bytes(self.buffer[max(0, size - 4096):size]))[-4096:]
            last = tail.rsplit(b"\r\n", 2)
            if tail.endswith(b"\r\n") and last[-2].startswith(b"t "):
                if not last[-2].startswith(b"t OK"):
                    raise SystemExit(f"{command}: {last[-2]}")
                return read, tail

    def append(self, mailbox, messages, at_once=50):
        """Pipelined, with literals that need no answer."""
        for start in range(0, len(messages), at_once):
            group = messages[start:start + at_once]
            self.stream.sendall(b"".join(b"a APPEND %s (\\Seen) {%d+}\r\n%s\r\n" % (mailbox, len(message), message)
                                         for message in group))
            answers = b""
            while answers.count(b"a OK") < len(group):
                answers += self.stream.recv(65536)
                assert b"a NO" not in answers and b"a BAD" not in answers, answers


def text(rng, size, accented):
    """Lines of words, about `size` bytes; one word in `accented` is not ASCII (0 for none)."""
    lines, length = [], 0
    while length < size:
        words = [rng.choice(ACCENTED) if accented and not rng.randrange(accented) else rng.choice(WORDS)
                 for _ in range(11)]
        lines.append(" ".join(words))
        length += len(lines[-1]) + 2
    return "\r\n".join(lines) + "\r\n"


def mail(rng, number, form, size):
    head = (f"Date: Wed, 25 Nov 2026 10:{number // 60 % 60:02}:{number % 60:02} +0100\r\n"
            f"From: Sender {number} <sender{number % 97}@example.org>\r\nTo: large@localhost\r\n"
            f"Subject: {' '.join(rng.choice(WORDS) for _ in range(6))} {number}\r\n"
            f"Message-ID: <{number}@example.org>\r\nMIME-Version: 1.0\r\n")
    if form == "ascii":
        return (head + "Content-Type: text/plain; charset=us-ascii\r\n\r\n" + text(rng, size, 0)).encode()
    if form == "utf8":
        return (head + "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
                + text(rng, size, 20)).encode()
    if form == "quoted":
        body = quopri.encodestring(text(rng, size, 20).encode()).replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        return (head + "Content-Type: text/plain; charset=utf-8\r\n"
                "Content-Transfer-Encoding: quoted-printable\r\n\r\n").encode() + body
    if form == "base64":
        body = base64.encodebytes(text(rng, size, 20).encode()).replace(b"\n", b"\r\n")
        return (head + "Content-Type: text/plain; charset=utf-8\r\n"
                "Content-Transfer-Encoding: base64\r\n\r\n").encode() + body
    paragraphs = "".join(f"<p class=\"text\">{line}</p>\r\n" for line in text(rng, size, 0).split("\r\n"))
    return (head + "Content-Type: text/html; charset=us-ascii\r\n\r\n<html><body>\r\n"
            + paragraphs + "</body></html>\r\n").encode()


def cpu_ns(server):
    total = 0
    for task in os.listdir(f"/proc/{server.process.pid}/task"):
        with open(f"/proc/{server.process.pid}/task/{task}/schedstat") as stat:
            total += int(stat.read().split()[0])
    return total


class Report:
    def __init__(self):
        self.lines = []

    def say(self, line):
        print(line, flush=True)
        self.lines.append(line)


def measured(server, client, command, times):
    """CPU seconds, wall seconds and bytes of one run, the median of `times` after one to warm up."""
    client.run(command)
    runs = []
    for _ in range(times):
        cpu, wall = cpu_ns(server), time.perf_counter()
        size, tail = client.run(command)
        runs.append(((cpu_ns(server) - cpu) / 1e9, time.perf_counter() - wall, size, tail))
    return sorted(runs, key=lambda run: run[0])[len(runs) // 2]


def fill(client, mailbox, count):
    """`count` messages by COPY."""
    client.run(b"CREATE " + mailbox)
    if b"Seed" not in client.run(b'LIST "" Seed')[1].replace(b'"" Seed', b""):
        rng = random.Random(SEED)
        client.run(b"CREATE Seed")
        client.append(b"Seed", [mail(rng, number, "ascii", 500) for number in range(COPIED)])
    client.run(b"SELECT Seed")
    for _ in range(min(count // COPIED, 100)):
        client.run(b"COPY 1:* " + mailbox)
    if count > 100 * COPIED:
        client.run(b"CREATE Hundred")
        for _ in range(100):
            client.run(b"COPY 1:* Hundred")
        client.run(b"SELECT Hundred")
        for _ in range(count // COPIED // 100 - 1):
            client.run(b"COPY 1:* " + mailbox)
    client.run(b"UNSELECT")


def select(server, client, report):
    for mailbox, count in ((b"Small", COPIED), (b"Million", 1_000_000)):
        fill(client, mailbox, count)
        for name, watchers in (("alone", 0), ("another session has it selected", 1)):
            others = [Client(server) for _ in range(watchers)]
            for other in others:
                other.run(b"SELECT " + mailbox)
            for command in (b"SELECT", b"EXAMINE"):
                cpu, wall, _, tail = measured(server, client, command + b" " + mailbox, 41)
                assert b"* %d EXISTS" % count in tail, tail
                report.say(f"{command.decode()} of {count} messages, {name}: {cpu * 1e6:.0f} us of CPU, "
                           f"{wall * 1e6:.0f} us")
            client.run(b"UNSELECT")
            for other in others:
                other.stream.close()
    client.run(b"SELECT Million")
    client.run(b"STORE 1000000 -FLAGS.SILENT (\\Seen)")
    client.run(b"UNSELECT")
    cpu, wall, _, tail = measured(server, client, b"SELECT Million", 41)
    assert b"UNSEEN 1000000]" in tail, tail
    report.say(f"SELECT where the last of a million alone is unseen: {cpu * 1e6:.0f} us of CPU, {wall * 1e6:.0f} us")
    cpu, wall, _, _ = measured(server, client, b"STATUS Million (MESSAGES UNSEEN UIDNEXT RECENT SIZE)", 41)
    report.say(f"STATUS of a million messages: {cpu * 1e6:.0f} us of CPU, {wall * 1e6:.0f} us")


def fetch(server, client, report):
    fill(client, b"Lists", 100_000)
    client.run(b"SELECT Lists")
    for command in (b"FETCH 1:* (FLAGS)", b"UID FETCH 1:* (FLAGS)", b"UID FETCH 1:* (FLAGS MODSEQ)",
                    b"FETCH 1:* (UID RFC822.SIZE INTERNALDATE)", b"FETCH 1:* (ENVELOPE)",
                    b"FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE)",
                    b"SEARCH UNSEEN", b"UID SEARCH SINCE 1-Jan-2020", b"SEARCH 1:* UID 1:* SMALLER 100000",
                    b"STORE 1:* +FLAGS.SILENT (\\Flagged)", b"STORE 1:* -FLAGS.SILENT (\\Flagged)",
                    b"STORE 1:* +FLAGS (\\Seen)"):
        cpu, wall, size, _ = measured(server, client, command, 7)
        report.say(f"{command.decode()}: {size} bytes, {cpu * 1e3:.1f} ms of CPU = {size / cpu / 1e6:.0f} MB/s and "
                   f"{cpu / 100_000 * 1e9:.0f} ns a message, {wall * 1e3:.1f} ms")
    client.run(b"UNSELECT")


def search(server, client, report):
    rng = random.Random(SEED)
    for form in ("ascii", "utf8", "quoted", "base64", "html"):
        mailbox = b"Text-" + form.encode()
        client.run(b"CREATE " + mailbox)
        messages = [mail(rng, number, form, TEXT_BYTES) for number in range(10_000)]
        client.append(mailbox, messages)
        client.run(b"SELECT " + mailbox)
        octets = sum(len(message) for message in messages)
        for keys in (b"TEXT xyzzy", b"BODY xyzzy", b"OR TEXT xyzzy OR TEXT plugh TEXT frobnicate"):
            cpu, wall, _, _ = measured(server, client, b"SEARCH " + keys, 5)
            report.say(f"SEARCH {keys.decode()} in 10000 {form} messages, {octets / 1e6:.1f} MB: "
                       f"{cpu * 1e3:.0f} ms of CPU = {octets / cpu / 1e6:.0f} MB/s, {wall * 1e3:.0f} ms")
        client.run(b"UNSELECT")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corepost")
    parser.add_argument("--shards", type=int, default=1)
    parser.add_argument("--only", default="select,fetch,search")
    parser.add_argument("--record", help="topic: the figures go to recorded/<machine>-<date>-<topic>.txt too")
    arguments = parser.parse_args()
    report = Report()
    report.say(machine())
    server = Server("large", arguments.corepost or default_binary(), arguments.shards)
    try:
        server.add_account("large@localhost", "secret")
        client = Client(server)
        for work in arguments.only.split(","):
            {"select": select, "fetch": fetch, "search": search}[work](server, client, report)
    finally:
        server.stop()
    if arguments.record:
        name = f"{os.uname().nodename}-{datetime.date.today()}-{arguments.record}.txt"
        with open(os.path.join(HERE, "recorded", name), "a") as table:
            table.write("\n".join(report.lines) + "\n")


if __name__ == "__main__":
    main()
