"""Reads mailboxes back over IMAP and judges what is in them; or sends one message through the server.

mailbox.py check HOST PORT CAFILE PASSWORD USER AT_LEAST     every message well-formed, no Message-ID twice
mailbox.py count HOST PORT CAFILE PASSWORD USER              the number of messages
mailbox.py send HOST PORT CAFILE PASSWORD TIMES TO...        one message, TIMES times, a transaction per recipient
"""

import email
import email.policy
import imaplib
import smtplib
import ssl
import sys
from email.message import EmailMessage


def defects(part):
    found = list(part.defects)
    for value in part.values():
        found += getattr(value, "defects", [])
    if part.is_multipart():
        for inner in part.iter_parts():
            found += defects(inner)
    return found


def messages(host, port, ca, password, user):
    box = imaplib.IMAP4(host, int(port))
    box.starttls(ssl.create_default_context(cafile=ca))
    box.login(user, password)
    box.select("INBOX", readonly=True)
    _, found = box.search(None, "ALL")
    for number in found[0].split():
        _, data = box.fetch(number, "(BODY.PEEK[])")
        yield email.message_from_bytes(data[0][1], policy=email.policy.default)
    box.logout()


def check(host, port, ca, password, user, at_least):
    seen = set()
    for message in messages(host, port, ca, password, user):
        name = message["message-id"]
        assert name and name not in seen, f"{user}: Message-ID missing or twice: {name}"
        seen.add(name)
        assert not defects(message), f"{user}: {name}: {defects(message)}"
        kinds = [part.get_content_type() for part in message.iter_parts()]
        assert kinds == ["text/plain", "text/html"], f"{user}: {name}: parts {kinds}"
        for part in message.iter_parts():
            assert part.get_content().strip(), f"{user}: {name}: an empty part"
        assert message["auto-submitted"] == "auto-generated", f"{user}: {name}: Auto-Submitted"
        print(f"  {user}: {message['subject']}")
    assert len(seen) >= int(at_least), f"{user}: {len(seen)} messages, at least {at_least} expected"
    print(f"{user}: {len(seen)} messages, all well-formed, none twice")


def send(host, port, ca, password, times, *recipients):
    message = EmailMessage(policy=email.policy.SMTP)
    message["From"] = "watch@example.test"
    message["To"] = "readers@example.test"
    message["Subject"] = "방위비 분담 - a proof of the server"
    message["Date"] = "Tue, 24 Nov 2026 07:30:00 +0000"
    message["Message-ID"] = "<proof.alert@example.test>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content("방위비 분담금\n")
    message.add_alternative("<p>방위비 분담금</p>\n", subtype="html")
    for _ in range(int(times)):
        for to in recipients:
            with smtplib.SMTP(host, int(port)) as server:
                server.starttls(context=ssl.create_default_context(cafile=ca))
                server.login("watch", password)
                try:
                    server.sendmail("watch@example.test", [to], message.as_bytes())
                    print(f"{to}: accepted")
                except smtplib.SMTPRecipientsRefused as refused:
                    print(f"{to}: {refused.recipients[to][0]}")


def count(*where):
    print(sum(1 for _ in messages(*where)))


{"check": check, "count": count, "send": send}[sys.argv[1]](*sys.argv[2:])
