"""Starts a server with the command line of `corepost demo` and measures its whole process tree."""
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
TICKS = os.sysconf("SC_CLK_TCK")


def free_port_base():
    for base in range(21000, 60000, 16):
        try:
            for port in range(base, base + 4):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", port))
            return base
        except OSError:
            continue
    sys.exit("no four free ports in a row")


class Server:
    def __init__(self, name, binary, shards, data_root=None):
        self.name, self.binary, self.shards = name, binary, shards
        self.data_dir = tempfile.mkdtemp(prefix=f"bench-{name}-", dir=data_root)
        self.port_base = free_port_base()
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            [self.binary, "demo", "--json", "--shards", str(self.shards), "--data-dir", self.data_dir,
             "--port-base", str(self.port_base)],
            stdout=subprocess.PIPE, stderr=open(self.data_dir + ".log", "a"), text=True)
        for line in self.process.stdout:
            if line.startswith("{"):
                self.addresses = json.loads(line)
                return
        sys.exit(f"{self.name} did not come up: {open(self.data_dir + '.log').read()}")

    def kill(self):
        self.process.kill()
        self.process.wait()

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(120)

    def place(self, protocol):
        host, port = self.addresses[protocol].rsplit(":", 1)
        return host, int(port)

    def disk_bytes(self):
        """What the data directory takes on the disk."""
        total = 0
        for folder, _, names in os.walk(self.data_dir):
            for name in names:
                try:
                    total += os.stat(os.path.join(folder, name)).st_blocks * 512
                except OSError:
                    pass
        return total

    def add_account(self, name, password):
        subprocess.run([self.binary, "account", "add", name, "--password", password,
                        "--data-dir", self.data_dir], check=True, stdout=subprocess.DEVNULL)

    def processes(self):
        children = {}
        for entry in os.listdir("/proc"):
            if entry.isdigit():
                try:
                    with open(f"/proc/{entry}/stat") as stat:
                        parent = int(stat.read().rsplit(")", 1)[1].split()[1])
                    children.setdefault(parent, []).append(int(entry))
                except OSError:
                    pass
        tree, wave = [], [self.process.pid]
        while wave:
            tree += wave
            wave = [child for pid in wave for child in children.get(pid, [])]
        return tree

    def cpu_seconds(self):
        """User and system time of the tree, ended children included."""
        ticks = 0
        for pid in self.processes():
            try:
                with open(f"/proc/{pid}/stat") as stat:
                    fields = stat.read().rsplit(")", 1)[1].split()
                ticks += sum(int(fields[n]) for n in (11, 12, 13, 14))
            except OSError:
                pass
        return ticks / TICKS

    def pss_bytes(self):
        total = 0
        for pid in self.processes():
            try:
                with open(f"/proc/{pid}/smaps_rollup") as rollup:
                    for line in rollup:
                        if line.startswith("Pss:"):
                            total += int(line.split()[1]) * 1024
            except OSError:
                pass
        return total

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
        shutil.rmtree(self.data_dir, ignore_errors=True)
        if os.path.exists(self.data_dir + ".log"):
            os.remove(self.data_dir + ".log")


def machine():
    model = "unknown processor"
    with open("/proc/cpuinfo") as info:
        for line in info:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    commit = subprocess.run(["git", "-C", ROOT, "rev-parse", "--short", "HEAD"], text=True,
                            stdout=subprocess.PIPE).stdout.strip()
    return f"{model}, {os.cpu_count()} cores, Linux {os.uname().release}, commit {commit}"


def default_binary():
    """The release binary, built now."""
    subprocess.run(["cargo", "build", "--release", "--bin", "corepost", "--bin", "drive"], cwd=ROOT, check=True)
    target = os.environ.get("CARGO_TARGET_DIR", f"{ROOT}/target")
    return f"{target}/release/corepost", f"{target}/release/drive"
