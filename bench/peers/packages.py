"""The peers' programs: those that are installed, else taken from apt into a private folder.

dovecot-imapd and cyrus-imapd exclude each other in apt, so what only one of them may have is
unpacked, not installed: nothing of it is started, configured or left behind.
"""

import glob
import os
import shutil
import subprocess

# What both peers need that may be installed side by side.
SHARED = {
    "/usr/sbin/dovecot": "dovecot-core",
    "/usr/lib/dovecot/lmtp": "dovecot-lmtpd",
    "/usr/lib/cyrus/bin/lmtpd": "cyrus-common",
}
# Program, package: unpacked when it is not there.
PRIVATE = {
    "/usr/lib/dovecot/imap": "dovecot-imapd",
    "/usr/lib/dovecot/imap-login": "dovecot-imapd",
    "/usr/lib/cyrus/bin/imapd": "cyrus-imapd",
    "/usr/sbin/saslpasswd2": "sasl2-bin",
}


class Missing(Exception):
    """A peer cannot run here; the text says why."""


def apt(*words, **options):
    environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive", RUNLEVEL="1")
    result = subprocess.run(
        words,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        **options,
    )
    if result.returncode:
        raise Missing(f"{' '.join(words)}: {result.stdout.strip().splitlines()[-1:]}")


def find(path, folder):
    """Where the program of that path is, installed or unpacked under the folder."""
    if os.path.exists(path):
        return path
    if not shutil.which("apt-get"):
        raise Missing(f"{path} is not here, and no apt-get")
    if path in SHARED:
        if os.getuid() != 0:
            raise Missing(f"not root; apt-get install {SHARED[path]}")
        apt("apt-get", "install", "-yq", "--no-install-recommends", SHARED[path])
        return path
    if not os.path.exists(folder + path):
        os.makedirs(folder, exist_ok=True)
        apt("apt-get", "download", PRIVATE[path], cwd=folder)
        for package in glob.glob(f"{folder}/{PRIVATE[path]}_*.deb"):
            apt("dpkg-deb", "-x", package, folder)
            os.remove(package)
    return folder + path


def version(package):
    """What apt calls the version that is installed, or would be."""
    query = ["dpkg-query", "-W", "-f", "${Version}", package]
    result = subprocess.run(query, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return result.stdout or "version unknown"
