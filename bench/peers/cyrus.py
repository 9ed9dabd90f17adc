"""Cyrus IMAP 3: its locks, caches and process files in memory, processes started ahead and used
again."""

import os
import subprocess

from peers import packages
from peers.peer import PASSWORD, Peer, make_certificate

IMAPD = """\
configdirectory: {dir}/conf
defaultpartition: default
partition-default: {dir}/spool
proc_path: {memory}/proc
mboxname_lockpath: {memory}/lock
idlesocket: {memory}/socket/idle
lmtpsocket: {memory}/socket/lmtp
notifysocket: {memory}/socket/notify
tls_sessions_db_path: {memory}/tls_sessions.db
statuscache_db_path: {memory}/statuscache.db
statuscache: yes
duplicatesuppression: no
allowplaintext: yes
sasl_pwcheck_method: auxprop
sasl_auxprop_plugin: sasldb
sasl_sasldb_path: {dir}/sasldb2
sasl_mech_list: PLAIN LOGIN
sasl_log_level: 0
servername: localhost
virtdomains: userid
defaultdomain: localhost
altnamespace: yes
unixhierarchysep: yes
autocreate_quota: 0
autocreate_post: yes
autocreate_inbox_folders: Drafts|Sent|Trash|Junk|Archive
autocreate_subscribe_folders: Drafts|Sent|Trash|Junk|Archive
lmtp_downcase_rcpt: yes
hashimapspool: yes
maxlogins_per_host: 0
maxlogins_per_user: 0
tls_server_cert: {dir}/cert.pem
tls_server_key: {dir}/key.pem
"""

MASTER = """\
START {{
  recover cmd="{bin}/ctl_cyrusdb -C {dir}/imapd.conf -r"
}}
SERVICES {{
  imap cmd="{imapd} {args}" listen="127.0.0.1:{imap}" prefork={prefork} maxforkrate=1000
  imaps cmd="{imapd} {args} -s" listen="127.0.0.1:{imaps}" prefork=1 maxforkrate=1000
  lmtp cmd="{bin}/lmtpd {args} -a" listen="127.0.0.1:{lmtp}" prefork={prefork} maxforkrate=1000
}}
DAEMON {{
  idled cmd="{bin}/idled -C {dir}/imapd.conf -d"
}}
EVENTS {{
  checkpoint cmd="{bin}/ctl_cyrusdb -C {dir}/imapd.conf -c" period=30
}}
"""


class Cyrus(Peer):
    name = "cyrus"
    user = "cyrus"
    prefork = 20
    durability = "APPEND, LMTP and STORE are on the disk before they are answered"

    def version(self):
        return f"cyrus {packages.version('cyrus-common')}"

    def configuration(self):
        return self.fill(IMAPD) + "\n" + self.fill(MASTER)

    def fill(self, text):
        return text.format(
            dir=self.folder,
            args=f"-C {self.folder}/imapd.conf -U 100000",
            memory=self.memory,
            bin="/usr/lib/cyrus/bin",
            prefork=self.prefork,
            imapd=packages.find("/usr/lib/cyrus/bin/imapd", self.options.unpacked),
            **self.ports,
        )

    def prepare(self, users):
        unpacked = self.options.unpacked
        packages.find("/usr/lib/cyrus/bin/lmtpd", unpacked)
        add = packages.find("/usr/sbin/saslpasswd2", unpacked)
        make_certificate(self.folder)
        for name in (
            "conf",
            "conf/db",
            "conf/log",
            "conf/msg",
            "conf/user",
            "conf/quota",
            "conf/socket",
            "spool",
        ):
            os.mkdir(f"{self.folder}/{name}")
        for name in ("proc", "lock", "socket"):
            os.mkdir(f"{self.memory}/{name}")
        self.write("imapd.conf", self.fill(IMAPD))
        self.write("cyrus.conf", self.fill(MASTER))
        for user in users:
            name, _, realm = user.partition("@")
            subprocess.run(
                [add, "-p", "-c", "-f", f"{self.folder}/sasldb2", "-u", realm, name],
                input=PASSWORD,
                text=True,
                check=True,
                stdout=subprocess.DEVNULL,
            )
        self.own(self.folder)
        self.own(self.memory)

    def command(self):
        return [
            "/usr/lib/cyrus/bin/master",
            "-C",
            f"{self.folder}/imapd.conf",
            "-M",
            f"{self.folder}/cyrus.conf",
            "-p",
            f"{self.memory}/master.pid",
        ]
