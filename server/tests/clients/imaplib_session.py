"""A working day of Python's imaplib: python3 imaplib_session.py HOST PORT TLS_PORT USER PASSWORD."""
import imaplib
import re
import ssl
import sys
import time


def ok(answer):
    kind, data = answer
    assert kind == "OK", answer
    return data


def message(n, body="hello"):
    return (f"From: Sender {n} <s{n}@example.org>\r\nTo: you@example.org\r\nSubject: number {n}\r\n"
            f"Message-ID: <n{n}@example.org>\r\n\r\n{body} {n}\r\n").encode()


def mailboxes(m):
    ok(m.create("Work"))
    ok(m.create("Work/Deep"))
    ok(m.subscribe("Work"))
    assert any(b"Work/Deep" in line for line in ok(m.list()))
    assert any(b"Work" in line for line in ok(m.lsub()))
    ok(m.rename("Work/Deep", "Work/Deeper"))
    assert m.select("Work/Deep")[0] == "NO"
    ok(m.delete("Work/Deeper"))
    ok(m.unsubscribe("Work"))
    assert m.delete("INBOX")[0] == "NO"
    assert b"/" in ok(m.namespace())[0]


def messages(m):
    for n in range(1, 11):
        flags = r"(\Seen)" if n % 2 else None
        ok(m.append("INBOX", flags, imaplib.Time2Internaldate(1700000000 + n), message(n)))
    assert ok(m.select("INBOX"))[0] == b"10"
    assert ok(m.search(None, "UNSEEN"))[0].split() == [b"2", b"4", b"6", b"8", b"10"]
    assert ok(m.search(None, "SUBJECT", '"number 1"'))[0].split() == [b"1", b"10"]
    assert ok(m.uid("SEARCH", "HEADER", "Message-ID", "<n7@example.org>"))[0] == b"7"
    data = ok(m.fetch("3", "(BODY.PEEK[])"))
    assert data[0][1] == message(3), data
    data = ok(m.uid("FETCH", "5", "(FLAGS INTERNALDATE RFC822.SIZE)"))
    assert int(re.search(rb"RFC822.SIZE (\d+)", data[0]).group(1)) == len(message(5))
    assert imaplib.Internaldate2tuple(data[0]) == time.localtime(1700000005)
    ok(m.store("2:4", "+FLAGS", r"(\Flagged keyword)"))
    assert ok(m.search(None, "KEYWORD", "keyword"))[0].split() == [b"2", b"3", b"4"]
    ok(m.copy("2:4", "Work"))
    assert b"MESSAGES 3" in ok(m.status("Work", "(MESSAGES UNSEEN)"))[0]
    ok(m.store("1,10", "+FLAGS.SILENT", r"(\Deleted)"))
    assert len(ok(m.expunge())) == 2
    assert ok(m.uid("SEARCH", "ALL"))[0].split() == [b"%d" % n for n in range(2, 10)]
    ok(m.check())
    ok(m.close())


def main():
    host, port, tls_port, user, password = sys.argv[1:6]
    anyone = ssl._create_unverified_context()
    m = imaplib.IMAP4(host, int(port), timeout=60)
    try:
        m.login(user, "wrong")
        raise SystemExit("a wrong password was accepted")
    except imaplib.IMAP4.error:
        pass
    ok(m.login(user, password))
    mailboxes(m)
    messages(m)
    ok(m.noop())
    assert m.logout()[0] == "BYE"
    m = imaplib.IMAP4_SSL(host, int(tls_port), ssl_context=anyone, timeout=60)
    ok(m.authenticate("PLAIN", lambda _: b"\0%s\0%s" % (user.encode(), password.encode())))
    assert ok(m.select("INBOX", readonly=True))[0] == b"8"
    m.logout()
    m = imaplib.IMAP4(host, int(port), timeout=60)
    ok(m.starttls(anyone))
    ok(m.login(user, password))
    big = message(99, "x" * 70 + "\r\n" + "y" * 2_000_000)
    ok(m.append("Work", None, None, big))
    ok(m.select("Work"))
    assert ok(m.fetch("4", "(RFC822)"))[0][1] == big
    m.logout()
    print("imaplib: all passed")


main()
