"""A Debian root that boots under systemd-nspawn: start it, speak to it, pull its plug."""
import os, pathlib, shutil, signal, subprocess, time

CLEAN = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "HOME": "/root", "TERM": "dumb"}


class Failed(Exception):
    """A scenario did not hold."""


def until(what, holds, seconds=20, every=0.1):
    """Waits for `holds` to return something true, and returns it."""
    end = time.monotonic() + seconds
    while True:
        found = holds()
        if found:
            return found
        if time.monotonic() > end:
            raise Failed(f"not within {seconds} s: {what}")
        time.sleep(every)


class Machine:
    def __init__(self, work):
        self.work = pathlib.Path(work)
        self.root = self.work / "root"
        self.disk = self.work / "state.img"
        self.mounted = self.work / "state"
        self.console = self.work / "console.log"
        self.process = None

    def make(self, package):
        """A fresh root from the cached one, the package installed, and a disk of its own for the state."""
        self.unmount()
        shutil.rmtree(self.root, ignore_errors=True)
        subprocess.run(["cp", "-a", "--reflink=auto", self.work / "base", self.root], check=True)
        shutil.copy(package, self.root / "burdenwatch.deb")
        self.disk.unlink(missing_ok=True)
        with self.disk.open("wb") as file:
            file.truncate(256 << 20)
        subprocess.run(["mkfs.ext4", "-q", self.disk], check=True)
        self.mount()
        self.console.write_bytes(b"")
        done = subprocess.run(["chroot", self.root, "dpkg", "-i", "/burdenwatch.deb"], env=CLEAN, capture_output=True, text=True)
        if done.returncode:
            raise Failed(f"the package does not install: {done.stdout}{done.stderr}")
        return done.stdout + done.stderr

    def mount(self):
        self.mounted.mkdir(exist_ok=True)
        subprocess.run(["mount", "-o", "loop", self.disk, self.mounted], check=True)
        self.mounted.chmod(0o700)

    def unmount(self):
        while subprocess.run(["mountpoint", "-q", self.mounted]).returncode == 0:
            subprocess.run(["umount", self.mounted], check=True)

    def boot(self):
        """Boots; systemd-nspawn's own environment stays out of it."""
        self.process = subprocess.Popen(
            ["systemd-nspawn", "--quiet", "--boot", "--register=no", "--keep-unit", "--private-network", "--console=pipe",
             "--machine=burdenwatch-test", f"--directory={self.root}", f"--bind={self.mounted}:/var/lib/private"],
            env=CLEAN | {"SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"}, stdin=subprocess.DEVNULL,
            stdout=self.console.open("ab"), stderr=subprocess.STDOUT, start_new_session=True)
        self.wait_for_boot()

    def wait_for_boot(self):
        def up():
            if self.process.poll() is not None:
                raise Failed(f"systemd-nspawn ended with {self.process.returncode}; see {self.console}")
            return self.leader() and self.run("systemctl is-system-running", check=False).strip() in ("running", "degraded")
        until("the machine is up", up, 60)

    def leader(self):
        """The machine's first process, as seen from here."""
        path = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        children = path.read_text().split() if path.exists() else []
        for child in children:
            try:
                if pathlib.Path(f"/proc/{child}/comm").read_text().strip() == "systemd":
                    return int(child)
            except FileNotFoundError:
                pass
        return None

    def run(self, command, check=True, seconds=60, split=False):
        """Runs a shell command inside."""
        leader = self.leader()
        if leader is None:
            return ""
        done = subprocess.run(["nsenter", "-t", str(leader), "-m", "-u", "-i", "-n", "-p", "-C", "sh", "-c", command],
                              env=CLEAN, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds)
        if check and done.returncode:
            raise Failed(f"{command}: exit {done.returncode}: {done.stdout[-800:]}{done.stderr[-800:]}")
        return (done.returncode, done.stdout, done.stderr) if split else done.stdout

    def reboot(self):
        """Shuts down in order and boots again."""
        self.run("systemctl reboot", check=False)
        self.process.wait(60)
        if self.process.returncode != 133:
            raise Failed(f"systemd-nspawn ended with {self.process.returncode}, not with its sign for a reboot")
        self.boot()

    def power_off(self):
        """Pulls the plug: every process dies at once, and the disk holds only what was flushed to it."""
        image = self.disk.with_suffix(".cut")
        os.kill(self.leader(), signal.SIGKILL)
        # The copy is what a disk would hold now: what only the file system's memory holds is not in it.
        subprocess.run(["cp", "--sparse=always", self.disk, image], check=True)
        self.process.wait(20)
        self.unmount()
        image.replace(self.disk)
        self.mount()

    def shut_down(self):
        if self.process and self.process.poll() is None:
            self.run("systemctl poweroff", check=False)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(10)
        self.unmount()
