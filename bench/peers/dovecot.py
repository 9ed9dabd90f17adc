"""Dovecot 2.3, tuned: passwords cached, processes kept and shared by clients, no name lookups."""

import os
import shutil

from peers import packages
from peers.peer import PASSWORD, Peer, make_certificate

# What the store is, and what belongs to it.
FORMS = {
    "maildir": "mail_location = maildir:{dir}/mail/%u\nmaildir_very_dirty_syncs = yes",
    "mdbox": "mail_location = mdbox:{dir}/mail/%u",
    "sdbox": "mail_location = sdbox:{dir}/mail/%u",
}

CONFIG = """\
protocols = imap lmtp
listen = 127.0.0.1
base_dir = {memory}/run
libexec_dir = {memory}/libexec
state_dir = {memory}/state
log_path = {memory}/output
info_log_path = /dev/null
default_login_user = dovenull
default_internal_user = dovecot
first_valid_uid = 1
{form}
mail_fsync = optimized
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_cache_size = 100M
auth_cache_ttl = 1 day
auth_cache_negative_ttl = 0
auth_failure_delay = 0
auth_username_format = %Lu
mail_max_userip_connections = 100000
imap_max_line_length = 64k
imap_capability = +SPECIAL-USE
recipient_delimiter = +
lmtp_save_to_detail_mailbox = yes
postmaster_address = postmaster@localhost
ssl = yes
ssl_cert = <{dir}/cert.pem
ssl_key = <{dir}/key.pem
ssl_dh = </usr/share/dovecot/dh.pem
default_process_limit = 5000
default_client_limit = 15000
passdb {{
  driver = passwd-file
  args = scheme=PLAIN {users}
}}
userdb {{
{userdb}
}}
namespace inbox {{
  inbox = yes
  separator = /
  mailbox Drafts {{
    special_use = \\Drafts
    auto = subscribe
  }}
  mailbox Sent {{
    special_use = \\Sent
    auto = subscribe
  }}
  mailbox Trash {{
    special_use = \\Trash
    auto = subscribe
  }}
  mailbox Junk {{
    special_use = \\Junk
    auto = subscribe
  }}
  mailbox Archive {{
    special_use = \\Archive
    auto = subscribe
  }}
}}
service imap-login {{
  service_count = 0
  process_min_avail = {cores}
  client_limit = 15000
  vsz_limit = 2G
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
}}
service imap {{
  process_limit = 5000
  process_min_avail = {cores}
  service_count = 100000
  client_limit = {clients}
  vsz_limit = 4G
}}
service lmtp {{
  process_min_avail = {cores}
  process_limit = 1000
  service_count = 0
  inet_listener lmtp {{
    port = {lmtp}
  }}
}}
protocol lmtp {{
  auth_username_format = %Lu
}}
"""


class Dovecot(Peer):
    """One of its forms; `clients` share an imap process, which serves them one after the other."""

    form = "maildir"
    clients = 20
    durability = (
        "APPEND and LMTP are on the disk before they are answered (mail_fsync = optimized, the "
        "default), STORE is not"
    )
    users = "{dir}/users"
    # A user's entry names nothing but the password: where mail lies is the same for all.
    userdb = "  driver = static\n  args = uid=mail gid=mail home={dir}/mail/%u allow_all_users=yes"

    def version(self):
        return f"dovecot {packages.version('dovecot-core')}"

    def configuration(self):
        return CONFIG.format(
            dir=self.folder,
            memory=self.memory,
            form=FORMS[self.form].format(dir=self.folder),
            users=self.users.format(dir=self.folder),
            userdb=self.userdb.format(dir=self.folder),
            cores=self.options.shards,
            clients=self.clients,
            **self.ports,
        )

    def prepare(self, users):
        if os.getuid() != 0:
            raise packages.Missing("dovecot: not root; it gives its processes users of their own")
        self.gather_programs()
        make_certificate(self.folder)
        for folder in (f"{self.folder}/mail", f"{self.memory}/run", f"{self.memory}/state"):
            os.makedirs(folder, exist_ok=True)
        shutil.chown(f"{self.folder}/mail", "mail", "mail")
        self.write_users(users)
        self.write("dovecot.conf", self.configuration())

    def write_users(self, users):
        self.write("users", "".join(f"{user}:{PASSWORD}::::::\n" for user in users))

    def gather_programs(self):
        """One folder with the programs that are installed and those that are only unpacked."""
        self.program = packages.find("/usr/sbin/dovecot", self.options.unpacked)
        installed = packages.find("/usr/lib/dovecot/lmtp", self.options.unpacked)
        imap = packages.find("/usr/lib/dovecot/imap", self.options.unpacked)
        os.makedirs(f"{self.memory}/libexec", exist_ok=True)
        for folder in {os.path.dirname(installed), os.path.dirname(imap)}:
            for name in os.listdir(folder):
                link = f"{self.memory}/libexec/{name}"
                if not os.path.isdir(f"{folder}/{name}") and not os.path.lexists(link):
                    os.symlink(f"{folder}/{name}", link)

    def command(self):
        return [self.program, "-F", "-c", f"{self.folder}/dovecot.conf"]


class Maildir(Dovecot):
    name, form = "dovecot-maildir", "maildir"


class Mdbox(Dovecot):
    name, form = "dovecot-mdbox", "mdbox"
