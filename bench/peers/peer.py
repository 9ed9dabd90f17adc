"""What every server here has in common: private folders, ports on loopback, one tree of
processes."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from peers import process_tree
from peers.packages import Missing

PASSWORD = "secret"
START_S = 30
STOP_S = 30
PORTS = ("imap", "imaps", "lmtp", "admin")


def free_port_base(count=len(PORTS)):
    """The first of some ports in a row that nobody listens on, below the ephemeral ones. Where the
    search begins differs from run to run, so that two at a time do not find the same."""
    first = 16 * (os.getpid() % 500)
    for offset in range(first, first + 8000, 16):
        base = 21000 + offset % 8000
        try:
            for port in range(base, base + count):
                with socket.socket() as probe:
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    probe.bind(("127.0.0.1", port))
            return base
        except OSError:
            continue
    raise Missing("no free ports in a row")


def make_certificate(folder):
    """The same kind for every server: ECDSA P-256, self-signed."""
    subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-days",
            "30",
            "-subj",
            "/CN=localhost",
            "-addext",
            "subjectAltName=DNS:localhost,IP:127.0.0.1",
            "-keyout",
            f"{folder}/key.pem",
            "-out",
            f"{folder}/cert.pem",
        ],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


class Peer:
    """A server that may be started once. `prepare` writes its configuration, `command` starts
    it."""

    name = ""
    # Who runs it when we are root; it may read what it serves and nothing else.
    user = None
    protocols = ("imap", "imaps", "lmtp")
    # False of a server that answers without keeping anything.
    holds_mail = True

    def __init__(self, options):
        self.options = options
        self.folder = tempfile.mkdtemp(prefix=f"peers-{self.name}-", dir=options.data_root)
        memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        self.memory = tempfile.mkdtemp(prefix=f"peers-{self.name}-", dir=memory)
        for folder in (self.folder, self.memory):
            os.chmod(folder, 0o711)
        base = free_port_base()
        self.ports = {protocol: base + n for n, protocol in enumerate(PORTS)}
        self.process = None

    def start(self, users):
        """Comes back when every port answers."""
        try:
            self.prepare(users)
        except (OSError, subprocess.CalledProcessError) as error:
            raise Missing(f"{self.name}: {error}") from error
        log = open(f"{self.memory}/output", "ab")
        identity = {"user": self.user, "group": "mail"} if self.user and os.getuid() == 0 else {}
        # A session of its own: the kernel shares the processors out by session.
        self.process = subprocess.Popen(
            self.command(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            **identity,
        )
        process_tree.raise_session(self.process.pid)
        for protocol in self.protocols:
            self.wait_for(self.ports[protocol])
        self.started(users)

    def prepare(self, users):
        """Before the start."""

    def started(self, users):
        """After it."""

    def wait_for(self, port):
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                with socket.create_connection(("127.0.0.1", port), timeout=5) as stream:
                    if port == self.ports["imaps"] or stream.recv(64):
                        return
            except OSError:
                pass
            time.sleep(0.05)
        with open(f"{self.memory}/output", errors="replace") as log:
            raise Missing(f"{self.name} did not open port {port}: {log.read()[-600:].strip()}")

    def address(self, protocol):
        return f"127.0.0.1:{self.ports[protocol]}"

    @property
    def roots(self):
        return [self.process.pid]

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def write(self, name, text):
        path = f"{self.folder}/{name}"
        with open(path, "w") as file:
            file.write(text)
        return path

    def own(self, path):
        """Gives a path to who runs the server."""
        if self.user and os.getuid() == 0:
            subprocess.run(["chown", "-R", f"{self.user}:mail", path], check=True)

    def essence(self):
        """The configuration as it may be told: its folders and ports by name."""
        text = self.configuration().replace(self.folder, "DIR").replace(self.memory, "TMPFS")
        text = text.replace(self.options.unpacked, "")
        for protocol, port in self.ports.items():
            text = text.replace(str(port), protocol.upper() + "_PORT")
        return text

    def stop(self):
        if self.process:
            pids = process_tree.tree(self.roots)
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            end(pids)
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.rmtree(self.memory, ignore_errors=True)


def end(pids):
    """Those of the tree that outlive their parent."""
    deadline = time.monotonic() + 5
    for pid in pids:
        while os.path.exists(f"/proc/{pid}"):
            if time.monotonic() > deadline:
                try:
                    os.kill(pid, signal.SIGKILL)
                except OSError:
                    pass
                break
            time.sleep(0.02)
