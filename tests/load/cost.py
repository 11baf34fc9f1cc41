#!/usr/bin/env python3
"""What one poll of all feeds costs: processor seconds for each thousand feeds, and memory at its peak.

    cost.py PROGRAM [--feeds 1000] [--many 10000]

nginx serves the feeds from files, packed beforehand, on two hundred loopback addresses. They are polled with nothing
known, then with nothing changed, then with a tenth of them changed; curl fetches the same for comparison. Then more
feeds are polled: each must cost about as much, and the memory stay within its bound.
"""
import argparse, getpass, gzip, json, os, pathlib, shutil, socket, subprocess, sys, tempfile, time

from world import WINDOW, World

HOSTS = 200
PHASES = "nothing known", "nothing changed", "a tenth changed"
# MiB with a thousand feeds and with many, and how much dearer a poll may be among many. The first one writes all there
# is into a database ten times as large.
MEMORY, MEMORY_MANY, DEARER = 40, 60, (1.6, 1.3, 1.3)

# Started from here its memory would begin with that of this process; from a small one it does not count.
METER = """
import json, os, sys
log = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
child = os.posix_spawnp(sys.argv[2], sys.argv[2:], os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, log, 1), (os.POSIX_SPAWN_DUP2, log, 2)])
_, status, used = os.wait4(child, 0)
print(json.dumps([status, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024]))
"""


class Feeds:
    """The files of so many feeds, and the server that shows them."""

    def __init__(self, count, folder):
        self.folder = folder
        self.world = World(count, faulty=0)
        (folder / "www").mkdir()
        for feed in range(count):
            for item in range(WINDOW):
                self.world.publish(feed, flagged=(feed * WINDOW + item) % 100 == 0)
            self.write(feed)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.urls = [f"http://127.0.1.{feed % HOSTS + 1}:{self.port}/{feed}.xml" for feed in range(count)]

    def write(self, feed):
        document = self.world.document(feed)
        file = self.folder / "www" / f"{feed}.xml"
        file.write_bytes(document)
        file.with_suffix(".xml.gz").write_bytes(gzip.compress(document, 6, mtime=0))

    def change_a_tenth(self):
        for feed in range(0, len(self.urls), 10):
            for _ in range(3):
                self.world.publish(feed, flagged=False)
            self.write(feed)

    def serve(self):
        listen = "".join(f"listen 127.0.1.{host + 1}:{self.port}; " for host in range(HOSTS))
        conf = self.folder / "nginx.conf"
        conf.write_text(f"""
{f"user {getpass.getuser()};" if os.getuid() == 0 else ""} daemon off; worker_processes 1; pid {self.folder}/pid; error_log {self.folder}/error.log;
events {{ worker_connections 2048; }}
http {{ access_log off; default_type application/rss+xml; client_body_temp_path {self.folder}/body;
  proxy_temp_path {self.folder}/proxy; fastcgi_temp_path {self.folder}/fastcgi; uwsgi_temp_path {self.folder}/uwsgi;
  scgi_temp_path {self.folder}/scgi; keepalive_timeout 30;
  server {{ {listen} root {self.folder}/www; gzip_static on; }} }}
""")
        server = subprocess.Popen(["nginx", "-p", self.folder, "-c", conf, "-e", self.folder / "error.log"])
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.1.1", self.port)) == 0:
                    return server
            time.sleep(0.05)
        sys.exit(f"cost: nginx does not answer: {(self.folder / 'error.log').read_text()[-500:]}")

    def measure(self, command):
        """Runs a command; returns its processor seconds for a thousand feeds and its peak memory in MiB."""
        done = subprocess.run([sys.executable, "-S", "-c", METER, self.folder / "log", *command], capture_output=True, text=True, check=True)
        status, seconds, memory = json.loads(done.stdout)
        if status:
            sys.exit(f"cost: {command[0]} failed: {(self.folder / 'log').read_text()[-1000:]}")
        return seconds * 1000 / len(self.urls), memory

    def phases(self, command):
        measured = [self.measure(command)]
        self.measure(command)
        measured.append(self.measure(command))
        self.change_a_tenth()
        return [*measured, self.measure(command)]


def curl(feeds):
    folder = feeds.folder / "curl"
    folder.mkdir()
    conf = folder / "conf"
    conf.write_text("\nnext\n".join(
        f'url = "{url}"\noutput = "/dev/null"\netag-save = "{folder}/{n}.etag"\netag-compare = "{folder}/{n}.etag"\ncompressed\nsilent\nfail'
        for n, url in enumerate(feeds.urls)))
    return ["curl", "--fail-early", "--parallel", "--parallel-max", "32", "-K", conf]


def burdenwatch(feeds, program):
    # Few rules: those that are shipped take a quarter of a second to compile, which a service does once.
    (feeds.folder / "rules.toml").write_text("""
[[rule]]
id = "costs"
when = "(talks near/4 costs) or (costs near/8 place)"
[rule.sets]
talks = { en = ["talks", "negotiations"], ja = ["協議"], ko = ["협상"] }
costs = { en = ["cost-sharing", "burden-sharing", "host nation support"], ja = ["駐留経費"], ko = ["방위비"] }
place = { en = ["Seoul", "Tokyo", "NATO"] }
""")
    conf = feeds.folder / "burdenwatch.toml"
    conf.write_text("""
service = { state_dir = "state" }
polling = { concurrency = 32, per_host = 8, host_gap = "0s", allow_networks = ["127.0.0.0/8"] }
rules = { files = ["rules.toml"] }
mail = { transport = "directory", from = "watch@example.org", directory = "mail" }
[[subscription]]
name = "desk"
to = ["desk@example.org"]
alerts = false
digest = { at = "07:30" }
""" + "".join(f'[[feed]]\nname = "feed {n}"\nurl = "{url}"\n' for n, url in enumerate(feeds.urls)))
    return [program, "-c", conf, "run", "--once", "--all"]


def run(program, count, beside_curl):
    """Measures each program on so many feeds."""
    results = {}
    for name in ("curl", "burdenwatch") if beside_curl else ("burdenwatch",):
        with tempfile.TemporaryDirectory(prefix="burdenwatch-cost-") as folder:
            feeds = Feeds(count, pathlib.Path(folder))
            server = feeds.serve()
            try:
                results[name] = feeds.phases(curl(feeds) if name == "curl" else burdenwatch(feeds, program))
            finally:
                server.terminate()
                server.wait()
        cells = "".join(f"{seconds:>17.2f} s" for seconds, _ in results[name])
        print(f"{name:<12}{count:>7} feeds{cells}{max(memory for _, memory in results[name]):>12.1f} MiB", flush=True)
    return results["burdenwatch"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--feeds", type=int, default=1000)
    parser.add_argument("--many", type=int, default=10_000)
    options = parser.parse_args()
    program = shutil.which(options.program) or sys.exit(f"cost: there is no program {options.program}")
    program = str(pathlib.Path(program).resolve())
    print("processor seconds for each 1,000 feeds".ljust(25) + "\n" + " " * 25 + "".join(f"{phase:>19}" for phase in PHASES) + f"{'peak memory':>16}")
    few = run(program, options.feeds, beside_curl=True)
    many = run(program, options.many, beside_curl=False)
    ratios = [dear / cheap for (dear, _), (cheap, _) in zip(many, few)]
    memory, memory_many = (max(memory for _, memory in measured) for measured in (few, many))
    well = all(ratio <= most for ratio, most in zip(ratios, DEARER)) and memory <= MEMORY and memory_many <= MEMORY_MANY
    words = ", ".join(f"{ratio:.2f} (limit {most})" for ratio, most in zip(ratios, DEARER))
    print(f"{'ok' if well else 'FAILED'}: a poll among {options.many} feeds costs {words} times what it does among {options.feeds}; "
          f"memory {memory:.1f} and {memory_many:.1f} MiB (limits {MEMORY} and {MEMORY_MANY})")
    return 0 if well else 1


sys.exit(main())
