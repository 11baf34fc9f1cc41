"""A burdenwatch in a temporary directory, seen from outside: memory, time, descriptors, its metrics."""
import os, pathlib, signal, socket, subprocess, time, urllib.request

TICKS = os.sysconf("SC_CLK_TCK")


def unit_environment():
    """The environment the unit gives the service: it is measured as it runs."""
    unit = pathlib.Path(__file__).parents[2] / "systemd" / "burdenwatch.service"
    lines = [line.split("=", 1)[1] for line in unit.read_text().splitlines() if line.startswith("Environment=")]
    return dict(pair.split("=", 1) for line in lines for pair in line.split())


class Daemon:
    def __init__(self, program, folder, world):
        self.program, self.folder, self.world = program, pathlib.Path(folder), world
        self.file = self.folder / "burdenwatch.toml"
        self.log = self.folder / "log"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.process = None

    def configure(self, every, comment=""):
        world = self.world
        text = f"""# {comment}
[service]
state_dir = "state"
listen = "127.0.0.1:{self.port}"
[polling]
every = "{every}"
min_every = "1s"
max_every = "{every}"
adaptive = false
host_gap = "0s"
timeout = "5s"
max_body = "2 MiB"
allow_networks = ["127.0.0.0/8"]
[mail]
transport = "smtp"
from = "burdenwatch <watch@example.org>"
retry = ["2s", "5s", "10s"]
[mail.smtp]
host = "127.0.0.1"
port = {world.smtp_port}
security = "none"
timeout = "5s"
data_timeout = "10s"
[[subscription]]
name = "desk"
to = ["desk@example.org"]
alert_wait = "1s"
alerts_per_hour = 100000
digest = {{ at = "07:30" }}
"""
        text += "".join(f'[[feed]]\nname = "feed {n}"\nurl = "http://{world.address(n)}:{world.web_port}/{n}"\n' for n in range(len(world.feeds)))
        self.file.write_text(text)

    def start(self):
        # As the unit has it.
        clean = {"PATH": os.environ["PATH"], "HOME": str(self.folder), **unit_environment()}
        self.process = subprocess.Popen([self.program, "-c", self.file, "run"], env=clean, stdout=subprocess.DEVNULL,
                                        stderr=self.log.open("ab"))

    def reload(self):
        self.process.send_signal(signal.SIGHUP)

    def stop(self):
        """Ends it; returns its exit code and how long that took."""
        start = time.monotonic()
        self.process.terminate()
        try:
            return self.process.wait(30), time.monotonic() - start
        except subprocess.TimeoutExpired:
            self.process.kill()
            return None, 30.0

    def status(self):
        import json
        done = subprocess.run([self.program, "-c", self.file, "status", "--json"], capture_output=True, text=True)
        return json.loads(done.stdout)

    def proc(self, name):
        return pathlib.Path(f"/proc/{self.process.pid}/{name}")

    def resident(self):
        """Mebibytes in memory."""
        return int(next(line.split()[1] for line in self.proc("status").read_text().splitlines() if line.startswith("VmRSS"))) / 1024

    def anonymous(self):
        """Mebibytes of its own, without the pages of the program file."""
        return int(next(line.split()[1] for line in self.proc("status").read_text().splitlines() if line.startswith("RssAnon"))) / 1024

    def threads(self):
        return len(list(self.proc("task").iterdir()))

    def descriptors(self):
        return len(list(self.proc("fd").iterdir()))

    def seconds(self):
        """Processor time used so far."""
        fields = self.proc("stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def scrape(self):
        """The metrics, and how long they took."""
        start = time.monotonic()
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=10) as answer:
            return answer.read(), time.monotonic() - start

    def database(self):
        return sum(path.stat().st_size for path in (self.folder / "state").glob("burdenwatch.db*")) / 2**20
