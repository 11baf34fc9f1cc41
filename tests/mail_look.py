#!/usr/bin/env python3
"""Renders the snapshot mails in headless Chromium and measures what a reader sees.

    tests/mail_look.py DIRECTORY

Writes a picture of every HTML snapshot, narrow and wide, light and dark, to
DIRECTORY and fails when anything scrolls sideways, is cut off, has too little
contrast, is loaded from elsewhere or runs a script. Needs chromium and chromedriver; without
them it says so, and fails when CI=1.
"""
import base64, json, os, pathlib, shutil, socket, subprocess, sys, tempfile, time, urllib.request

HERE = pathlib.Path(__file__).resolve().parent
FLAGS = ("--headless --no-sandbox --disable-gpu --disable-quic --no-first-run "
         "--disable-background-networking --disable-component-update --disable-sync").split()
MEASURE = r"""
const problems = [], dark = arguments[0];
const parse = css => { const n = css.match(/[\d.]+/g).map(Number); return n.length < 4 ? [...n, 1] : n; };
const over = (top, below) => [0, 1, 2].map(i => top[i] * top[3] + below[i] * (1 - top[3])).concat(1);
const channel = v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
const light = c => 0.2126 * channel(c[0]) + 0.7152 * channel(c[1]) + 0.0722 * channel(c[2]);
const root = document.documentElement;
if (root.scrollWidth > innerWidth) problems.push(`scrolls sideways: ${root.scrollWidth} > ${innerWidth}`);
if (matchMedia('(prefers-color-scheme: dark)').matches !== dark) problems.push('the colour scheme was not set');
if (document.querySelector('img, script, link, iframe, object, svg')) problems.push('foreign content');
if (performance.getEntriesByType('resource').length) problems.push('something was loaded');
let lowest = 99, texts = 0;
const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walk.nextNode()) {
  const node = walk.currentNode, element = node.parentElement;
  if (!node.data.trim() || element.closest('[style*="display:none"]')) continue;
  texts++;
  const range = document.createRange();
  range.selectNodeContents(node);
  for (const box of range.getClientRects())
    if (box.left < -0.5 || box.right > innerWidth + 0.5) problems.push('outside the page: ' + node.data.trim().slice(0, 50));
  let back = [255, 255, 255, 1];
  const chain = [];
  for (let at = element; at; at = at.parentElement) {
    chain.unshift(at);
    const style = getComputedStyle(at);
    if (style.overflowX !== 'visible' && at.scrollWidth > at.clientWidth + 1 && at !== root && at !== document.body) problems.push('cut off: ' + node.data.trim().slice(0, 50));
  }
  for (const at of chain) back = over(parse(getComputedStyle(at).backgroundColor), back);
  const ink = over(parse(getComputedStyle(element).color), back), [a, b] = [light(ink), light(back)];
  const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  lowest = Math.min(lowest, ratio);
  if (ratio < 4.5) problems.push(`contrast ${ratio.toFixed(2)}: ` + node.data.trim().slice(0, 50));
}
const heads = [...document.querySelectorAll('h1, h2, h3')].map(h => +h.tagName[1]);
if (heads.filter(h => h === 1).length !== 1) problems.push('not one h1');
heads.reduce((last, h) => { if (h > last + 1) problems.push(`h${h} after h${last}`); return h; }, 0);
if (!texts) problems.push('an empty page');
return { problems: [...new Set(problems)], lowest, texts, height: root.scrollHeight };
"""


class Browser:
    """A browser driven over WebDriver."""

    def __init__(self, binary, driver, profile):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.base = f"http://127.0.0.1:{port}"
        self.process = subprocess.Popen([driver, f"--port={port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        options = {"binary": binary, "args": FLAGS + [f"--user-data-dir={profile}"]}
        for wait in range(50):
            try:
                answer = self.call("/session", {"capabilities": {"alwaysMatch": {"goog:chromeOptions": options}}})
                break
            except ConnectionError:
                time.sleep(0.2)
            except urllib.error.URLError:
                time.sleep(0.2)
        else:
            raise SystemExit("mail_look: chromedriver did not answer in 10 s")
        self.base += f"/session/{answer['sessionId']}"

    def call(self, path, body):
        request = urllib.request.Request(self.base + path, json.dumps(body).encode(), {"Content-Type": "application/json"})
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        return json.load(opener.open(request, timeout=60))["value"]

    def cdp(self, command, **parameters):
        return self.call("/goog/cdp/execute", {"cmd": command, "params": parameters})

    def look(self, page, width, dark):
        """Opens a page; returns what was measured and a picture."""
        feature = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.cdp("Emulation.setEmulatedMedia", features=[feature])
        self.cdp("Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=1, mobile=False)
        self.call("/url", {"url": page.as_uri()})
        measured = self.call("/execute/sync", {"script": MEASURE, "args": [dark]})
        clip = {"x": 0, "y": 0, "width": width, "height": measured["height"], "scale": 1}
        picture = self.cdp("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)["data"]
        return measured, base64.b64decode(picture)

    def close(self):
        try:
            urllib.request.urlopen(urllib.request.Request(self.base, method="DELETE"), timeout=20).close()
        finally:
            self.process.terminate()
            self.process.wait(20)


def pages(directory):
    """Takes the HTML out of the snapshots; returns the files written."""
    found = []
    for snapshot in sorted((HERE / "snapshots").glob("digest__*.html.snap")):
        html = snapshot.read_text(encoding="utf-8").split("\n---\n", 1)[1]
        page = directory / (snapshot.name.removeprefix("digest__").removesuffix(".snap"))
        page.write_text(html, encoding="utf-8")
        found.append(page)
    return found


def main():
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    binary, driver = shutil.which("chromium") or shutil.which("google-chrome"), shutil.which("chromedriver")
    if not (binary and driver):
        print("mail_look: NOT CHECKED: chromium and chromedriver are not installed", file=sys.stderr)
        raise SystemExit(1 if os.environ.get("CI") in ("1", "true") else 0)
    directory = pathlib.Path(sys.argv[1]).resolve()
    directory.mkdir(parents=True, exist_ok=True)
    found = pages(directory)
    if not found:
        raise SystemExit("mail_look: no HTML snapshot under tests/snapshots")
    failed = 0
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        browser = Browser(binary, driver, profile)
        try:
            for page in found:
                for width in (320, 360, 800):
                    for dark in (False, True):
                        measured, picture = browser.look(page, width, dark)
                        name = f"{page.stem}-{width}-{'dark' if dark else 'light'}"
                        (directory / f"{name}.png").write_bytes(picture)
                        failed += bool(measured["problems"])
                        words = "; ".join(measured["problems"]) or f"ok, lowest contrast {measured['lowest']:.2f}"
                        print(f"{name}: {words}")
        finally:
            browser.close()
    raise SystemExit(1 if failed else 0)


main()
