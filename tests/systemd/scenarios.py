#!/usr/bin/env python3
"""What an operator sees of the service on a real systemd, from the first start to a power cut.

    scenarios.py WORK PACKAGE     started by tests/systemd.sh; prints a table, exit 1 when any row failed
"""
import email, email.policy, json, pathlib, re, secrets, shutil, subprocess, sys, time, traceback

from machine import Failed, Machine, until

HERE = pathlib.Path(__file__).resolve().parent
PASSWORD = "Correct-" + secrets.token_hex(12)
machine = Machine(sys.argv[1])
world = machine.root / "srv"
etc = machine.root / "etc/burdenwatch"
rows, told = [], []
SCENARIOS = []


def scenario(words):
    def register(function):
        SCENARIOS.append((words, function))
        return function
    return register


def expect(holds, otherwise):
    if not holds:
        raise Failed(otherwise)


def show(*names):
    """Properties of the unit."""
    lines = machine.run("systemctl show burdenwatch -p " + ",".join(names)).splitlines()
    found = dict(line.split("=", 1) for line in lines)
    return found[names[0]] if len(names) == 1 else found


def active():
    return show("ActiveState") == "active"


def running_from(before):
    """The service runs again, as another process."""
    return lambda: active() and show("MainPID") not in ("0", before)


def status():
    code, out, err = machine.run("burdenwatch status --json", check=False, split=True)
    expect(code in (0, 1) and out, f"status: exit {code}: {err}")
    return json.loads(out)


def publish(count=1):
    """Puts articles that the shipped rules flag into the feed."""
    with (world / "items").open("a") as file:
        for _ in range(count):
            number = len(told) + 1
            # Words of its own for each, or they would be copies of one story.
            words = " ".join(secrets.token_hex(3) for _ in range(6))
            title = f"Seoul and Washington open cost-sharing talks on a Special Measures Agreement, {words}, part {number}"
            told.append(title)
            file.write(f"{time.time():.0f} {title}\n")
    return told[-count:]


def mails():
    """Subject and text of every mail the server kept."""
    found = []
    for path in sorted((world / "mails").glob("*.eml")):
        message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        body = message.get_body(("plain",))
        text = " ".join(f"{message['Subject']} {body.get_content() if body else ''}".split())
        found.append((message["Message-ID"], text))
    return found


def arrived(titles):
    texts = [text for _, text in mails()]
    return all(any(title in text for text in texts) for title in titles)


def seen(count):
    return lambda: status()["matches"] >= count


def mood(word):
    (world / "mood").write_text(word)


def kept_by_state():
    """Nothing told so far is missing; how many mails came twice."""
    until("every article published so far is mailed", lambda: arrived(told), 40)
    names = [name for name, _ in mails()]
    return f"{len(told)} articles, all mailed; {len(names) - len(set(names))} repeated, with the same Message-ID"


@scenario("systemd-analyze verify is silent, security at most 1.2")
def unit():
    code, out, err = machine.run("systemd-analyze verify burdenwatch.service", check=False, split=True)
    expect((code, out, err) == (0, "", ""), f"verify: exit {code}: {out}{err}")
    said = machine.run("systemd-analyze security --offline=true /lib/systemd/system/burdenwatch.service", check=False)
    level = float(re.search(r"exposure level for \S+: ([\d.]+)", said)[1])
    expect(level <= 1.2, f"exposure level {level}")
    return f"exposure level {level}"


@scenario("the shipped configuration starts as installed, without a credential")
def shipped():
    expect(not active() and show("UnitFileState") == "disabled", "the package started the service by itself")
    machine.run("burdenwatch check")
    machine.run("systemctl start burdenwatch")
    expect(active(), "not active")
    expect(show("NRestarts") == "0", "it was restarted")
    here = status()
    expect(here["feeds"]["total"] >= 20, f"feeds: {here['feeds']}")
    mode = machine.run("stat -c %a /var/lib/private/burdenwatch/burdenwatch.db").strip()
    machine.run("systemctl stop burdenwatch")
    machine.run("rm -rf /var/lib/private/burdenwatch")
    return f"{here['feeds']['total']} feeds, database of mode {mode}"


@scenario("active only after the database is open and READY was sent")
def ready():
    shutil.copy(HERE / "burdenwatch.toml", etc / "burdenwatch.toml")
    credential = machine.root / "etc/credstore/smtp_password"
    credential.parent.mkdir(exist_ok=True)
    credential.write_text(PASSWORD)
    credential.chmod(0o600)
    (world / "password").write_text(PASSWORD)
    shutil.copy(HERE / "world.py", machine.root / "usr/local/bin/world.py")
    (machine.root / "etc/systemd/system/world.service").write_text(
        "[Service]\nExecStart=/usr/bin/python3 /usr/local/bin/world.py /srv\n[Install]\nWantedBy=multi-user.target\n")
    machine.run("systemctl daemon-reload && systemctl enable --now world")
    machine.run("burdenwatch check", seconds=20)
    machine.run("systemctl start burdenwatch && systemctl stop burdenwatch")
    # While another program holds the database, the service cannot be ready.
    lock = ("import sqlite3, time; d = sqlite3.connect('/var/lib/private/burdenwatch/burdenwatch.db', isolation_level=None);"
            "d.execute('BEGIN EXCLUSIVE'); open('/srv/locked', 'w'); time.sleep(4)")
    machine.run(f'systemd-run --unit=locker python3 -c "{lock}"')
    until("the database is held", (world / "locked").exists)
    machine.run("systemctl start --no-block burdenwatch")
    states = []
    end = time.monotonic() + 2.5
    while time.monotonic() < end:
        states.append(show("ActiveState"))
    expect("active" not in states and "activating" in states, f"while the database was held: {sorted(set(states))}")
    until("active once the database is free", active, 30)
    expect(show("NotifyAccess", "Type") == {"NotifyAccess": "main", "Type": "notify"}, "not Type=notify")
    line = until("a status line", lambda: show("StatusText"))
    return f"activating {len(states)} times of {len(states)} while the database was held; then \"{line}\""


@scenario("an article is polled and mailed, with the login from the credential")
def mailed():
    start = time.monotonic()
    titles = publish()
    until("the mail arrives", lambda: arrived(titles), 30)
    took = time.monotonic() - start
    expect("True" in (world / "logins").read_text(), "the mail server saw no good login")
    expect("EHLO watch.example.org" in (world / "hello").read_text(), "EHLO did not name the configured host")
    fields = machine.run("journalctl -u burdenwatch -o json --no-pager").splitlines()
    native = [json.loads(line) for line in fields if '"_TRANSPORT":"journal"' in line]
    expect(any(entry.get("FEED") == "Test wire" for entry in native), "no journal entry has the field FEED")
    return f"{took:.1f} s after it was published; journal fields by the native protocol"


@scenario("the credential is not in systemctl show, environ, cmdline, the journal or the state")
def hidden():
    places = {
        "systemctl show": machine.run("systemctl show burdenwatch; systemctl cat burdenwatch; systemctl status burdenwatch"),
        "/proc/PID/environ and cmdline": machine.run(f"cat /proc/{show('MainPID')}/environ /proc/{show('MainPID')}/cmdline"),
        "the journal": machine.run("journalctl --no-pager -a -o verbose"),
        "the state": machine.run("grep -rl 'Correct-' /var/lib/private/burdenwatch || true"),
    }
    for place, text in places.items():
        expect(PASSWORD not in text and "Correct-" not in text, f"the password stands in {place}")
    expect("MALLOC_ARENA_MAX=1" in places["/proc/PID/environ and cmdline"], "this is not the service's environment")
    return "not in " + ", ".join(places)


@scenario("an encrypted credential")
def encrypted():
    drop = machine.root / "etc/systemd/system/burdenwatch.service.d/credential.conf"
    machine.run("mkdir -p /etc/credstore.encrypted && systemd-creds encrypt --with-key=host --name=smtp_password "
                "/etc/credstore/smtp_password /etc/credstore.encrypted/smtp_password && mv /etc/credstore/smtp_password /root/")
    drop.parent.mkdir(exist_ok=True)
    drop.write_text("[Service]\nLoadCredentialEncrypted=smtp_password\n")
    (world / "logins").unlink()
    machine.run("systemctl daemon-reload && systemctl restart burdenwatch")
    titles = publish()
    until("the mail arrives", lambda: arrived(titles), 30)
    logins = (world / "logins").read_text().split()
    expect(set(logins) == {"True"}, f"logins: {logins}")
    drop.unlink()
    machine.run("mv /root/smtp_password /etc/credstore/ && systemctl daemon-reload && systemctl restart burdenwatch")
    return "decrypted by systemd, accepted by the mail server"


@scenario("commands beside the service: second instance refused, digest, backup, no foreign file")
def beside():
    code, _, err = machine.run("burdenwatch run --once", check=False, split=True)
    expect(code == 1 and "another burdenwatch" in err, f"a second instance: exit {code}: {err}")
    before = len(mails())
    machine.run("burdenwatch digest send desk")
    until("the digest arrives", lambda: any("#1" in text for _, text in mails()[before:]), 20)
    machine.run("burdenwatch backup /root/copy.db")
    machine.run("systemctl stop burdenwatch && burdenwatch status --json > /dev/null; systemctl start burdenwatch")
    owners = machine.run("find -L /var/lib/burdenwatch -printf '%u\\n' | sort -u").split()
    expect(len(owners) == 1 and owners != ["root"], f"owners in the state directory: {owners}")
    return f"digest #1 sent by the service; every file belongs to {owners[0]}"


@scenario("reload: a good file is applied, nothing restarts, what is queued stays")
def good_reload():
    process = show("MainPID")
    mood("down")
    titles = publish()
    until("the article is flagged", seen(len(told)), 20)
    (etc / "feeds/test-more.toml").write_text('[[feed]]\nname = "More"\nurl = "http://127.0.0.1:8080/feed?more"\n')
    machine.run("systemctl reload burdenwatch")
    until("the new feed is polled", lambda: status()["feeds"]["total"] == 2, 20)
    expect(active() and show("MainPID") == process, "it was restarted")
    mood("ok")
    until("the queued mail arrives", lambda: arrived(titles), 30)
    return "2 feeds, the same process, queued mail delivered"


@scenario("reload: a bad file is refused by name, the old one stays in force")
def bad_reload():
    process = show("MainPID")
    (etc / "feeds/test-bad.toml").write_text('[[feed]]\nname = "No address"\nurl = 7\n')
    mark = machine.run("date +%s.%N").strip()
    machine.run("systemctl reload burdenwatch")
    journal = lambda: machine.run(f"journalctl -u burdenwatch --no-pager -p warning --since=@{mark}")
    until("the journal names the file", lambda: "test-bad.toml:" in journal(), 10)
    expect(active() and show("MainPID") == process, "it was restarted")
    titles = publish()
    until("the old configuration still works", lambda: arrived(titles), 30)
    code, out, err = machine.run("burdenwatch check", check=False, split=True)
    expect(code == 78 and "test-bad.toml:3" in out + err, f"check: exit {code}: {out}{err}")
    return next(line for line in journal().splitlines() if "test-bad.toml" in line).split("]: ", 1)[1][:110]


@scenario("exit 78 is not restarted")
def refused():
    code, _, _ = machine.run("systemctl restart burdenwatch", check=False, split=True)
    expect(code != 0, "it started with a mistake in its configuration")
    time.sleep(6)
    found = show("ActiveState", "ExecMainStatus", "NRestarts", "Result")
    expect(found == {"ActiveState": "failed", "ExecMainStatus": "78", "NRestarts": "0", "Result": "exit-code"}, str(found))
    (etc / "feeds/test-bad.toml").unlink()
    machine.run("systemctl start burdenwatch")
    return "failed, status 78, 0 restarts in 6 s; starts once mended"


@scenario("SIGKILL: restarted, nothing lost")
def killed():
    times = []
    for _ in range(3):
        mood("down")
        titles = publish(3)
        until("the articles are flagged", seen(len(told)), 20)
        process = show("MainPID")
        start = time.monotonic()
        machine.run(f"kill -KILL {process}")
        until("it runs again", running_from(process), 15)
        times.append(time.monotonic() - start)
        mood("ok")
        until("the mails arrive", lambda: arrived(titles), 40)
    return f"back after {', '.join(f'{t:.1f}' for t in times)} s; " + kept_by_state()


@scenario("SIGKILL in the middle of polls and deliveries, 10 times")
def killed_anywhere():
    for turn in range(10):
        publish(5)
        time.sleep(0.3 + 0.17 * turn)
        process = show("MainPID")
        machine.run(f"kill -KILL {process}")
        until("it runs again", running_from(process), 15)
    return kept_by_state()


@scenario("SIGSTOP: the watchdog ends it, systemd starts it, nothing lost")
def stopped():
    process = show("MainPID")
    mark = machine.run("date +%s.%N").strip()
    start = time.monotonic()
    machine.run(f"kill -STOP {process}")
    publish(2)
    until("it runs again", running_from(process), 60)
    took = time.monotonic() - start
    expect("watchdog timeout" in machine.run(f"journalctl -u burdenwatch --no-pager --since=@{mark}").lower(), "not the watchdog's work")
    return f"back after {took:.0f} s; " + kept_by_state()


@scenario("stop while the mail server stalls: exit 0 within 15 s, the mail comes later")
def stop():
    mood("stall")
    (world / "stalled").unlink(missing_ok=True)
    publish()
    until("the server stalls", (world / "stalled").exists, 30)
    start = time.monotonic()
    machine.run("systemctl stop burdenwatch")
    took = time.monotonic() - start
    found = show("ActiveState", "ExecMainStatus", "Result")
    expect(took < 15 and found == {"ActiveState": "inactive", "ExecMainStatus": "0", "Result": "success"}, f"{took:.1f} s, {found}")
    mood("ok")
    machine.run("systemctl start burdenwatch")
    return f"{took:.1f} s; " + kept_by_state()


@scenario("the package installed again over a running service")
def upgraded():
    process = show("MainPID")
    configuration = (etc / "burdenwatch.toml").read_text()
    machine.run("DEBIAN_FRONTEND=noninteractive dpkg --force-confold -i /burdenwatch.deb")
    until("it runs, as a new process", running_from(process), 20)
    expect((etc / "burdenwatch.toml").read_text() == configuration, "the configuration was replaced")
    publish()
    return "restarted, configuration kept; " + kept_by_state()


@scenario("reboot keeps the state, the service comes up by itself")
def reboot():
    machine.run("systemctl enable burdenwatch")
    mood("down")
    publish(2)
    until("the articles are flagged", seen(len(told)), 20)
    before = status()
    # What the daemon knows must be enough: the feed has forgotten them.
    (world / "items").write_text("")
    machine.reboot()
    until("the service is up", active, 30)
    after = status()
    expect(after["matches"] == before["matches"] and after["articles"] == before["articles"], f"{before} became {after}")
    mood("ok")
    return f"{after['articles']} articles before and after; " + kept_by_state()


@scenario("power cut right after a poll: the disk holds what was seen")
def power_cut():
    for _ in range(3):
        mood("down")
        publish(2)
        until("the articles are flagged", seen(len(told)), 20, every=0.02)
        # Proof that the plug was pulled: what nobody flushed must be gone.
        machine.run("echo gone > /var/lib/private/unflushed")
        machine.power_off()
        expect(not (machine.mounted / "unflushed").exists() or not (machine.mounted / "unflushed").read_text(), "this was no power cut")
        (world / "items").write_text("")
        machine.boot()
        until("the service is up", active, 30)
        mood("ok")
        kept_by_state()
    check = "import sqlite3; print(sqlite3.connect('/var/lib/private/burdenwatch/burdenwatch.db').execute('PRAGMA integrity_check').fetchone()[0])"
    expect(machine.run(f'python3 -c "{check}"').strip() == "ok", "the database is damaged")
    return "3 cuts, database intact; " + kept_by_state()


@scenario("purge leaves nothing")
def purged():
    # A file that the operator added stays, and its directory with it: that is dpkg's way.
    for path in (etc / "feeds").glob("test-*.toml"):
        path.unlink()
    machine.run("DEBIAN_FRONTEND=noninteractive dpkg --purge burdenwatch", seconds=90)
    left = machine.run("find / -xdev -path /proc -prune -o -name '*burdenwatch*' -print | grep -v '^/burdenwatch.deb' || true")
    left += machine.run("find /var/lib/private -mindepth 1 -not -name lost+found || true")
    # What the tests themselves made.
    left = [path for path in left.split() if not path.startswith(("/root/", "/etc/systemd/system/burdenwatch.service.d", "/var/log", "/run/"))]
    expect(not left, f"left behind: {left}")
    return "no file of the package, no state"


def main():
    only = sys.argv[3:]
    said = machine.make(sys.argv[2])
    (machine.work / "install.log").write_text(said)
    failed = False
    try:
        machine.boot()
        version = machine.run("systemctl --version").split("\n")[0]
        kernel = machine.run("uname -r").strip()
        print(f"systemd: {version}, kernel {kernel}", file=sys.stderr)
        for words, function in SCENARIOS:
            if only and function.__name__ not in only + ["ready"]:
                continue
            start = time.monotonic()
            try:
                result, what = "ok", function()
            except Exception as why:
                failed, result, what = True, "FAILED", str(why)
                if not isinstance(why, Failed):
                    what = traceback.format_exc()
                log = machine.run("journalctl -u burdenwatch --no-pager -n 25 -o short-iso", check=False) if machine.leader() else ""
                print(log, file=sys.stderr)
            rows.append((result, words, f"{time.monotonic() - start:.0f} s", what))
            print(f"systemd: {result}: {words} ({rows[-1][2]}): {what}", file=sys.stderr, flush=True)
    finally:
        if machine.process and machine.leader():
            (machine.work / "journal.log").write_text(machine.run("journalctl --no-pager -o short-iso", check=False))
        machine.shut_down()
    width = max(len(row[1]) for row in rows)
    for result, words, took, what in rows:
        print(f"{result:6}  {words:{width}}  {took:>5}  {what}")
    return 1 if failed else 0


sys.exit(main())
