#!/usr/bin/env python3
"""What the service meets inside the test machine: a web server with one feed, and a mail server with moods.

GET  /feed          the feed: one item for each line "SECONDS TITLE" of items
GET  /slow          never ends
SMTP on port 2525   wants a login; keeps each mail as mails/N.eml; `mood` says how it behaves:
                    ok | down (421 at once) | stall (silence after the mail)
"""
import base64, html, http.server, pathlib, socketserver, sys, threading, time
from email.utils import formatdate

root = pathlib.Path(sys.argv[1])
(root / "mails").mkdir(parents=True, exist_ok=True)


class Web(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        items = (root / "items").read_text().splitlines() if (root / "items").exists() else []
        body = ["<rss version='2.0'><channel><title>Test wire</title><link>http://localhost/</link><description/>"]
        for line in reversed(items):
            at, title = line.split(" ", 1)
            link = f"http://news.example/{base64.b16encode(title.encode()).decode()[-40:]}"
            body.append(f"<item><title>{html.escape(title)}</title><link>{link}</link><guid>{link}</guid>"
                        f"<pubDate>{formatdate(float(at))}</pubDate></item>")
        body = ("".join(body) + "</channel></rss>").encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/rss+xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Mail(socketserver.StreamRequestHandler):
    def say(self, line):
        self.wfile.write(line.encode() + b"\r\n")

    def handle(self):
        mood = (root / "mood").read_text().strip()
        if mood == "down":
            return self.say("421 closed for now")
        self.say("220 test.example ESMTP")
        known = False
        while line := self.rfile.readline().decode("utf-8", "replace").strip():
            verb = line.split(" ")[0].upper()
            if verb == "EHLO":
                with (root / "hello").open("a") as file:
                    file.write(line + "\n")
                self.say("250-test.example")
                self.say("250-8BITMIME")
                self.say("250 AUTH PLAIN")
            elif verb == "AUTH":
                user, password = base64.b64decode(line.split(" ")[2]).decode().split("\0")[1:]
                known = (user, password) == ("watch", (root / "password").read_text().strip())
                with (root / "logins").open("a") as file:
                    file.write(f"{known}\n")
                self.say("235 welcome" if known else "535 no")
            elif verb == "MAIL" and not known:
                self.say("530 log in first")
            elif verb == "DATA":
                self.say("354 go on")
                lines = []
                while (part := self.rfile.readline()) not in (b".\r\n", b""):
                    lines.append(part)
                if (root / "mood").read_text().strip() == "stall":
                    (root / "stalled").touch()
                    time.sleep(600)
                    return
                with Mail.lock:
                    Mail.count += 1
                    (root / "mails" / f"{Mail.count:05}.eml").write_bytes(b"".join(lines))
                self.say("250 kept")
            elif verb == "QUIT":
                return self.say("221 bye")
            else:
                self.say("250 ok")

    lock = threading.Lock()
    count = len(list((root / "mails").iterdir()))


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 64


if not (root / "mood").exists():
    (root / "mood").write_text("ok")
for port, handler in ((8080, Web), (2525, Mail)):
    threading.Thread(target=Server(("127.0.0.1", port), handler).serve_forever).start()
