"""Five hundred feeds and a mail server, in one process: what a busy daemon meets.

Feeds stand on loopback addresses of their own (127.1.x.y), as on hosts of their own; each shows its newest items and
answers conditional requests. Some are faulty, each in its own way and never for good. The mail server has moods.
"""
import asyncio, email, email.policy, html, itertools, random, time
from email.utils import formatdate

WINDOW = 30
FAULTS = ("error", "reset", "garbage", "page", "empty", "trickle", "endless", "busy")


class World:
    def __init__(self, feeds, faulty, seed=1):
        self.random = random.Random(seed)
        self.feeds = [[] for _ in range(feeds)]
        self.faulty = set(self.random.sample(range(feeds), faulty))
        self.requests = self.unchanged = self.published = 0
        self.wanted = {}
        self.mails = []
        self.mood = "ok"
        self.numbers = itertools.count(1)

    def address(self, feed):
        return f"127.1.{feed // 250}.{feed % 250 + 1}"

    def word(self):
        return "".join(self.random.choice("bcdfghklmnprstvz") + self.random.choice("aeiou") for _ in range(3))

    def filler(self):
        # Without vowels: what can be spoken is a word some rule weighs now and then, as "dohake" is for Doha.
        return "".join(self.random.choice("jqvwxz") for _ in range(6))

    def publish(self, feed, flagged):
        """Adds an item; a flagged one must end up in a mail."""
        number = next(self.numbers)
        word = self.filler if flagged else self.word
        words = [word() for _ in range(9)]
        if flagged:
            title = f"{words[0].capitalize()} {' '.join(words[1:4])}: Seoul and Washington open cost-sharing talks, {' '.join(words[4:])} ({number})"
            if feed not in self.faulty:
                self.wanted[title] = time.time()
        else:
            title = f"{' '.join(words[:6]).capitalize()} ({number})"
        text = " ".join(word() for _ in range(60)).capitalize() + "."
        items = self.feeds[feed]
        items.append((number, title, text, time.time()))
        del items[:-WINDOW]
        self.published += 1

    def document(self, feed):
        parts = [f"<rss version='2.0'><channel><title>Feed {feed}</title><link>http://example.org/</link><description/>"]
        for number, title, text, at in reversed(self.feeds[feed]):
            link = f"http://news.example/{feed}/{number}"
            parts.append(f"<item><title>{html.escape(title)}</title><link>{link}</link><guid>{link}</guid>"
                         f"<description>{text}</description><pubDate>{formatdate(at)}</pubDate></item>")
        return ("".join(parts) + "</channel></rss>").encode()

    async def web(self, reader, writer):
        try:
            while line := await reader.readline():
                feed = int(line.split(b" ")[1].strip(b"/"))
                headers = {}
                while (field := await reader.readline()).strip():
                    name, _, value = field.decode("latin-1").partition(":")
                    headers[name.lower()] = value.strip()
                self.requests += 1
                if feed in self.faulty and self.random.random() < 0.7:
                    return await self.fail(writer, self.random.choice(FAULTS))
                tag = f'"{self.feeds[feed][-1][0] if self.feeds[feed] else 0}"'
                if headers.get("if-none-match") == tag:
                    self.unchanged += 1
                    writer.write(f"HTTP/1.1 304 Not Modified\r\nETag: {tag}\r\n\r\n".encode())
                else:
                    body = self.document(feed)
                    writer.write(f"HTTP/1.1 200 OK\r\nContent-Type: application/rss+xml\r\nETag: {tag}\r\n"
                                 f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
                await writer.drain()
        except (ConnectionError, ValueError, IndexError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def fail(self, writer, how):
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/rss+xml\r\nConnection: close\r\n\r\n"
        if how == "error":
            writer.write(b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n")
        elif how == "busy":
            writer.write(b"HTTP/1.1 503 Later\r\nRetry-After: 5\r\nContent-Length: 0\r\n\r\n")
        elif how == "reset":
            writer.transport.abort()
        elif how == "garbage":
            writer.write(head + self.random.randbytes(20_000))
        elif how == "page":
            writer.write(head.replace(b"application/rss+xml", b"text/html") + b"<!doctype html><title>Sorry</title><p>Log in.")
        elif how == "empty":
            writer.write(head)
        elif how == "trickle":
            writer.write(head)
            for _ in range(60):
                writer.write(b" ")
                await writer.drain()
                await asyncio.sleep(1)
        else:
            writer.write(head + b"<rss><channel>")
            while True:
                writer.write(b"<item><title>More and more</title></item>" * 1000)
                await writer.drain()
                await asyncio.sleep(0.02)
        await writer.drain()

    async def smtp(self, reader, writer):
        def say(line):
            writer.write(line.encode() + b"\r\n")
        try:
            if self.mood == "reset":
                return writer.transport.abort()
            if self.mood == "closed":
                return say("421 4.3.2 closed for now")
            say("220 soak.example ESMTP")
            while line := (await reader.readline()).decode("latin-1").strip():
                verb = line.split(" ")[0].upper()
                if verb == "EHLO":
                    say("250-soak.example")
                    say("250 8BITMIME")
                elif verb == "RCPT" and self.mood == "greylist":
                    say("451 4.7.1 try again later")
                elif verb == "DATA":
                    say("354 go on")
                    lines = []
                    while (part := await reader.readline()) not in (b".\r\n", b""):
                        lines.append(part[1:] if part.startswith(b"..") else part)
                    if self.mood == "half":
                        # Taken or not: the client cannot know, and must send it again under the same name.
                        if self.random.random() < 0.5:
                            self.mails.append(b"".join(lines))
                        return writer.transport.abort()
                    self.mails.append(b"".join(lines))
                    say("250 2.0.0 kept")
                elif verb == "QUIT":
                    return say("221 bye")
                else:
                    say("250 ok")
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    async def open(self):
        web = await asyncio.start_server(self.web, "0.0.0.0", 0, backlog=1024)
        smtp = await asyncio.start_server(self.smtp, "127.0.0.1", 0)
        self.web_port = web.sockets[0].getsockname()[1]
        self.smtp_port = smtp.sockets[0].getsockname()[1]

    def read_mails(self):
        """(Message-ID, words of subject and text) of every mail kept."""
        for raw in self.mails:
            message = email.message_from_bytes(raw, policy=email.policy.default)
            body = message.get_body(("plain",))
            yield message["Message-ID"], " ".join(f"{message['Subject']} {body.get_content() if body else ''}".split())
