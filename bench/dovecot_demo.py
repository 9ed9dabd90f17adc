#!/usr/bin/env python3
"""Dovecot behind the command line of `corepost demo`, so that the same tests and figures run against both.

  dovecot_demo.py demo --data-dir D --port-base N [--shards N] --json
  dovecot_demo.py account add NAME --password P --data-dir D

Needs dovecot-imapd and dovecot-lmtpd, and root (Dovecot gives every process a user of its own).
The transcripts run against it with COREPOST_TEST_BIN=bench/dovecot_demo.py.
"""
import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import time

CONFIG = """\
protocols = imap lmtp
listen = 127.0.0.1
base_dir = {dir}/run
state_dir = {dir}/state
log_path = {dir}/dovecot.log
auth_verbose = no
default_login_user = dovenull
default_internal_user = dovecot
first_valid_uid = 1
mail_location = sdbox:{dir}/mail/%u
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_cache_size = 10M
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
default_client_limit = 50000
passdb {{
  driver = passwd-file
  args = scheme=PLAIN {dir}/users/%Lu
}}
userdb {{
  driver = passwd-file
  args = {dir}/users/%Lu
  default_fields = uid=mail gid=mail home={dir}/mail/%u
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
service anvil {{
  client_limit = 50000
}}
service auth {{
  client_limit = 50000
}}
service imap-login {{
  service_count = 0
  process_min_avail = 2
  client_limit = 10000
  vsz_limit = 1G
  inet_listener imap {{
    address = 127.0.0.1
    port = {imap}
  }}
  inet_listener imaps {{
    address = 127.0.0.1
    port = {imaps}
    ssl = yes
  }}
}}
service imap {{
  process_limit = 5000
  service_count = 100
}}
service lmtp {{
  process_min_avail = 2
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {lmtp}
  }}
}}
protocol lmtp {{
  auth_username_format = %Lu
}}
"""


def add_account(data_dir, name, password):
    if "@" not in name:
        name += "@localhost"
    # A file for each account: Dovecot looks at a shared one again only after a second.
    with open(f"{data_dir}/users/{name.lower()}", "w") as user:
        user.write(f"{name.lower()}:{password}::::::\n")


def make_certificate(data_dir):
    if os.path.exists(f"{data_dir}/cert.pem"):
        return
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
         "-days", "30", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
         "-keyout", f"{data_dir}/key.pem", "-out", f"{data_dir}/cert.pem"],
        check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def wait_for_port(port):
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    sys.exit(f"dovecot did not open port {port}")


def demo(arguments):
    data_dir = os.path.abspath(arguments.data_dir)
    base = arguments.port_base
    for part in ("mail", "run", "state", "users"):
        os.makedirs(f"{data_dir}/{part}", exist_ok=True)
    os.chmod(data_dir, 0o755)
    subprocess.run(["chown", "mail:mail", f"{data_dir}/mail"], check=True)
    if not os.listdir(f"{data_dir}/users"):
        add_account(data_dir, "demo@localhost", "demo")
    make_certificate(data_dir)
    with open(f"{data_dir}/dovecot.conf", "w") as config:
        config.write(CONFIG.format(dir=data_dir, imap=base, imaps=base + 1, lmtp=base + 2))
    server = subprocess.Popen(["dovecot", "-F", "-c", f"{data_dir}/dovecot.conf"],
                              preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN))
    signal.signal(signal.SIGTERM, lambda *_: server.terminate())
    wait_for_port(base)
    wait_for_port(base + 2)
    print(json.dumps({"imap": f"127.0.0.1:{base}", "imaps": f"127.0.0.1:{base + 1}",
                      "lmtp": f"127.0.0.1:{base + 2}", "admin": f"127.0.0.1:{base + 3}",
                      "account": "demo@localhost", "password": "demo"}), flush=True)
    server.wait()
    sys.exit(0)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    serve = commands.add_parser("demo")
    serve.add_argument("--data-dir", required=True)
    serve.add_argument("--port-base", type=int, required=True)
    serve.add_argument("--shards", type=int)
    serve.add_argument("--json", action="store_true")
    account = commands.add_parser("account")
    account.add_argument("action", choices=["add"])
    account.add_argument("name")
    account.add_argument("--password", required=True)
    account.add_argument("--data-dir", required=True)
    arguments = parser.parse_args()
    if arguments.command == "demo":
        demo(arguments)
    else:
        add_account(arguments.data_dir, arguments.name, arguments.password)


if __name__ == "__main__":
    main()
