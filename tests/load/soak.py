#!/usr/bin/env python3
"""A daemon under load for as long as wanted: 500 feeds, some faulty, a flapping mail server, reloads.

    soak.py PROGRAM [--seconds 1800] [--articles 50000] [--feeds 500] [--every 10] [--reloads 24] [--resident 64]

Fails when a flagged article was not mailed, memory is not flat, a descriptor or thread leaks, a scrape is slow, or
the database outgrows its bound. Prints one line every twentieth of the time.
"""
import argparse, asyncio, collections, shutil, subprocess, sys, tempfile, time

from daemon import Daemon
from world import World

LIMIT_SCRAPE = 0.050
# Text, index and evidence of one article of this size.
LIMIT_KIB_PER_ARTICLE = 6


async def flap(world, end):
    """The mail server is well most of the time, and every kind of ill in between."""
    for mood in ("closed", "greylist", "reset", "half") * 10_000:
        world.mood = "ok"
        await asyncio.sleep(20)
        if time.monotonic() > end:
            return
        world.mood = mood
        await asyncio.sleep(10)


async def publish(world, options, end):
    start, done = time.monotonic(), 0
    span = end - start
    while done < options.articles:
        due = min(options.articles, int(options.articles * (time.monotonic() - start) / span) + 1)
        while done < due:
            world.publish(done % options.feeds, flagged=done % 100 == 0)
            done += 1
        await asyncio.sleep(0.2)


def missing(world):
    text = "\n".join(text for _, text in world.read_mails())
    return [title for title in world.wanted if title not in text]


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--seconds", type=float, default=1800)
    parser.add_argument("--articles", type=int, default=50_000)
    parser.add_argument("--feeds", type=int, default=500)
    parser.add_argument("--every", type=int, default=10)
    parser.add_argument("--reloads", type=int, default=24)
    parser.add_argument("--resident", type=float, default=64, help="MiB; a program that is not optimised needs more")
    options = parser.parse_args()
    world = World(options.feeds, faulty=options.feeds // 50)
    await world.open()
    wrong, samples, scrapes = [], [], []
    with tempfile.TemporaryDirectory(prefix="burdenwatch-soak-") as folder:
        daemon = Daemon(options.program, folder, world)
        daemon.configure(f"{options.every}s")
        daemon.start()
        begin = time.monotonic()
        end = begin + options.seconds
        # The first poll is every feed's baseline; what counts comes after it.
        while world.requests < options.feeds and time.monotonic() < begin + 60:
            await asyncio.sleep(0.5)
        tasks = [asyncio.create_task(flap(world, end)), asyncio.create_task(publish(world, options, end - 3 * options.every))]
        reloads, told = 0, 0
        try:
            while time.monotonic() < end:
                await asyncio.sleep(1)
                if daemon.process.poll() is not None:
                    raise SystemExit(f"FAILED: the daemon ended with {daemon.process.returncode}: {daemon.log.read_text()[-3000:]}")
                passed = (time.monotonic() - begin) / options.seconds
                if passed * options.reloads > reloads + 1:
                    reloads += 1
                    daemon.configure(f"{options.every}s", f"reload {reloads}")
                    daemon.reload()
                try:
                    text, took = await asyncio.to_thread(daemon.scrape)
                    scrapes.append(took)
                except OSError as why:
                    wrong.append(f"a scrape failed: {why}")
                samples.append((passed, daemon.resident(), daemon.descriptors(), daemon.threads()))
                if passed * 20 > told + 1:
                    told += 1
                    print(f"{time.monotonic() - begin:6.0f} s  {samples[-1][1]:5.1f} MiB  {samples[-1][2]:4} descriptors  {samples[-1][3]:3} threads  "
                          f"{world.published:6} articles  {world.requests:7} requests  {len(world.mails):5} mails  mood {world.mood}", flush=True)
            world.mood = "ok"
            await asyncio.gather(*tasks)
            world.mood = "ok"
            last = time.monotonic() + 90
            while (left := missing(world)) and time.monotonic() < last:
                await asyncio.sleep(2)
            text, _ = await asyncio.to_thread(daemon.scrape)
            status = await asyncio.to_thread(daemon.status)
            database, used = daemon.database(), daemon.seconds()
        finally:
            code, took = await asyncio.to_thread(daemon.stop)
        if code != 0 or took > 15:
            wrong.append(f"stop: exit {code} after {took:.1f} s")
        log = daemon.log.read_text()
    if left:
        wrong.append(f"{len(left)} of {len(world.wanted)} flagged articles were not mailed, such as {left[0]!r}")
    names = collections.Counter(name for name, _ in world.read_mails())
    quarter = lambda n, at: [sample[n] for sample in samples if at <= sample[0] < at + 0.25]
    highest = max(sample[1] for sample in samples)
    growth = sum(quarter(1, 0.75)) / len(quarter(1, 0.75)) - sum(quarter(1, 0.25)) / len(quarter(1, 0.25))
    if highest > options.resident:
        wrong.append(f"{highest:.1f} MiB resident")
    # A short run is all warm-up.
    if growth > 4 and options.seconds >= 600:
        wrong.append(f"memory grew by {growth:.1f} MiB from the second quarter to the last")
    for n, what in ((2, "descriptors"), (3, "threads")):
        if max(quarter(n, 0.75)) > max(quarter(n, 0.25)) * 1.3 + 8:
            wrong.append(f"{what} grew from {max(quarter(n, 0.25))} to {max(quarter(n, 0.75))}")
    scrapes.sort()
    p99 = scrapes[int(len(scrapes) * 0.99)]
    if p99 > LIMIT_SCRAPE:
        wrong.append(f"a scrape takes {1000 * p99:.0f} ms (99 of 100 are faster)")
    if database * 1024 > LIMIT_KIB_PER_ARTICLE * status["articles"] + 16 * 1024:
        wrong.append(f"the database has {database:.0f} MiB for {status['articles']} articles")
    if promtool := shutil.which("promtool"):
        checked = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True)
        if checked.returncode or checked.stderr:
            wrong.append(f"promtool check metrics: {checked.stderr.decode()[:600]}")
    else:
        print("NOT RUN: promtool is absent (Debian: prometheus)", file=sys.stderr)
    if log.count("read again") < reloads:
        wrong.append(f"{log.count('read again')} of {reloads} reloads were applied")
    if "panic" in log:
        wrong.append("something panicked: " + next(line for line in log.splitlines() if "panic" in line))
    print(f"{options.seconds:.0f} s, {options.feeds} feeds ({len(world.faulty)} faulty), {world.published} articles published, {status['articles']} stored, "
          f"{world.requests} requests ({100 * world.unchanged // max(world.requests, 1)} % 304), {reloads} reloads\n"
          f"memory: highest {highest:.1f} MiB, last quarter {growth:+.1f} MiB against the second; descriptors {max(quarter(2, 0.75))}, threads {max(quarter(3, 0.75))}\n"
          f"mail: {len(world.wanted)} flagged articles, {len(world.wanted) - len(left)} mailed, {len(world.mails)} mails, "
          f"{sum(count - 1 for count in names.values())} repeated under the same Message-ID; outbox {status['outbox']}\n"
          f"scrape: median {1000 * scrapes[len(scrapes) // 2]:.1f} ms, 99 % {1000 * p99:.1f} ms, worst {1000 * scrapes[-1]:.1f} ms; "
          f"database {database:.0f} MiB; {used:.0f} s of processor; stop {took:.1f} s")
    for words in wrong:
        print(f"FAILED: {words}")
    return 1 if wrong else 0


sys.exit(asyncio.run(main()))
