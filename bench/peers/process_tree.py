"""What a tree of processes has used: processor time, bytes written, memory. Read from /proc.

A parent that waits for its children inherits their sums (proc(5): cutime and cstime; the kernel
adds the I/O counters to the parent's in the same place), so nothing of a child that has ended is
lost as long as its parent lives. A child whose parent ended first would be; none of the servers
here leaves such children.
"""

import os

TICK_NS = 1_000_000_000 // os.sysconf("SC_CLK_TCK")
SECTOR_BYTES = 512


def parse_stat(text):
    """Of /proc/PID/stat: the parent, own time and the time of ended children, in ns."""
    fields = text.rsplit(")", 1)[1].split()
    own, children = int(fields[11]) + int(fields[12]), int(fields[13]) + int(fields[14])
    return int(fields[1]), own * TICK_NS, children * TICK_NS


def parse_io(text):
    """Of /proc/PID/io: bytes sent to the disk, less those of pages that were dropped unwritten."""
    fields = dict(line.split(": ") for line in text.splitlines())
    return int(fields["write_bytes"]) - int(fields["cancelled_write_bytes"])


def parse_pss(text):
    """Of /proc/PID/smaps_rollup: the proportional set size in bytes."""
    for line in text.splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0


def parse_disk(text):
    """Of /sys/dev/block/N:M/stat: bytes written since the machine started."""
    return int(text.split()[6]) * SECTOR_BYTES


def read(path):
    """A file of /proc, or None when its process has ended."""
    try:
        with open(path) as file:
            return file.read()
    except OSError:
        return None


def tree(roots):
    """The processes and all that came from them."""
    is_listed = read(f"/proc/self/task/{os.getpid()}/children") is not None
    find = children if is_listed else all_children()
    pids, wave = [], list(roots)
    while wave:
        pids += wave
        wave = [child for pid in wave for child in find(pid)]
    return pids


def children(pid):
    """Of one process, where the kernel keeps that list (CONFIG_PROC_CHILDREN)."""
    try:
        threads = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return []
    texts = (read(f"/proc/{pid}/task/{thread}/children") or "" for thread in threads)
    return [int(child) for text in texts for child in text.split()]


def all_children():
    """The same of any process, from a look at all of them."""
    by_parent = {}
    for entry in os.listdir("/proc"):
        stat = read(f"/proc/{entry}/stat") if entry.isdigit() else None
        if stat:
            by_parent.setdefault(parse_stat(stat)[0], []).append(int(entry))
    return lambda pid: by_parent.get(pid, [])


def scheduled_ns(pid):
    """Time of the threads that live, to the nanosecond; stat counts in ticks."""
    total = 0
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):
            total += int((read(f"/proc/{pid}/task/{thread}/schedstat") or "0").split()[0])
    except OSError:
        pass
    return total


def cpu_ns(roots):
    """Processor time of the tree. Of a process, stat loses up to a tick and schedstat the threads
    that have ended: both are too small, so the greater is nearer."""
    total = 0
    for pid in tree(roots):
        stat = read(f"/proc/{pid}/stat")
        if stat:
            _, own, ended = parse_stat(stat)
            total += max(own, scheduled_ns(pid)) + ended
    return total


def written_bytes(roots):
    """Bytes that the tree has caused to be written, its buffered writes at the time of the
    write."""
    texts = (read(f"/proc/{pid}/io") for pid in tree(roots))
    return sum(parse_io(text) for text in texts if text)


def pss_bytes(roots):
    texts = (read(f"/proc/{pid}/smaps_rollup") for pid in tree(roots))
    return sum(parse_pss(text) for text in texts if text)


def disk_written_bytes(folder):
    """Bytes written to the whole disk under a folder, whoever wrote them, or None where it has no
    statistics."""
    device = os.stat(folder).st_dev
    text = read(f"/sys/dev/block/{os.major(device)}:{os.minor(device)}/stat")
    return parse_disk(text) if text else None


def raise_session(pid, nice=-5):
    """The kernel schedules by session before it looks at a process's own nice value."""
    try:
        with open(f"/proc/{pid}/autogroup", "w") as group:
            group.write(str(nice))
        return True
    except OSError:
        return False
