#!/usr/bin/env python3
"""What a daemon with 500 feeds costs between polls.

    idle.py PROGRAM [--seconds 60] [--feeds 500]

It polls every feed several times, then the interval becomes an hour and the cost of waiting is measured.
"""
import argparse, asyncio, sys, tempfile, time

from daemon import Daemon
from world import World

LIMIT_MIB, LIMIT_PERCENT = 32, 0.5


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--feeds", type=int, default=500)
    options = parser.parse_args()
    world = World(options.feeds, faulty=0)
    for feed in range(options.feeds):
        for _ in range(20):
            world.publish(feed, flagged=False)
    await world.open()
    with tempfile.TemporaryDirectory(prefix="burdenwatch-idle-") as folder:
        daemon = Daemon(options.program, folder, world)
        daemon.configure("15s")
        daemon.start()
        try:
            while world.requests < 3 * options.feeds:
                await asyncio.sleep(0.5)
            daemon.configure("1h")
            daemon.reload()
            quiet = time.monotonic()
            requests = world.requests
            while time.monotonic() - quiet < 10:
                await asyncio.sleep(0.5)
                if world.requests != requests:
                    quiet, requests = time.monotonic(), world.requests
            used, start = daemon.seconds(), time.monotonic()
            await asyncio.sleep(options.seconds)
            percent = 100 * (daemon.seconds() - used) / (time.monotonic() - start)
            resident, anonymous = daemon.resident(), daemon.anonymous()
            polled = world.requests - requests
            articles = (await asyncio.to_thread(daemon.status))["articles"]
        finally:
            if daemon.process.poll() is None:
                daemon.stop()
            else:
                print(daemon.log.read_text()[-2000:], file=sys.stderr)
    well = resident < LIMIT_MIB and percent < LIMIT_PERCENT and polled == 0 and articles == 20 * options.feeds
    print(f"{'ok' if well else 'FAILED'}: {options.feeds} feeds, {articles} articles: {resident:.1f} MiB resident "
          f"({anonymous:.1f} of its own; limit {LIMIT_MIB}), {percent:.2f} % of a core (limit {LIMIT_PERCENT}) over {options.seconds:.0f} s without a poll")
    return 0 if well else 1


sys.exit(asyncio.run(main()))
