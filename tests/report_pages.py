#!/usr/bin/python3
"""Pages of --report: python3 tests/report_pages.py DIVKER FOLDER

Every tag is closed, the equations of all shipped models are XML, and nothing is loaded from elsewhere.
Where Debian's Chromium is installed it opens the pages, wide and narrow, points at a curve, sorts a
table, and must have nothing to complain of. Exit status: 0 or 1.
"""

import html.parser
import json
import pathlib
import re
import shutil
import subprocess
import sys
import xml.dom.minidom

QUESTIONS = {
    "points": ["response", "ou", "--paths", "2000"],
    "mean": ["response", "ou", "--paths", "2000", "--observable", "x^2"],
    "plane": ["density", "langevin", "--paths", "2000", "--grid", "6"],
    "diagnosis": ["diagnose", "ou", "--paths", "2000"],
}
EMPTY = {"meta", "br"}
# Added to a copy of a page: what a reader does, and what it finds.
READER = """<script>
const svg = document.querySelector("svg"), button = document.querySelector(".numbers button");
const box = svg?.getBoundingClientRect();
svg?.dispatchEvent(new PointerEvent("pointermove", {clientX: box.x + box.width / 2, clientY: box.y + box.height / 2}));
button?.click();
const first = [...document.querySelectorAll(".numbers tbody tr")].map((row) => Number(row.cells[0].textContent));
document.body.dataset.seen = JSON.stringify({
  charts: document.querySelectorAll("svg").length, told: document.querySelector("output")?.textContent ?? "",
  sorted: first.every((value, k) => k === 0 || value >= first[k - 1]), equations: document.querySelector("math").getBoundingClientRect().height,
  spill: document.documentElement.scrollWidth - window.innerWidth});
</script></body>"""


class Tags(html.parser.HTMLParser):
    """Tags that are open, and addresses that a browser would load."""

    def __init__(self):
        super().__init__()
        self.open, self.faults = [], []

    def handle_starttag(self, tag, attrs):
        if tag not in EMPTY:
            self.open.append(tag)
        self.faults += [f"loads {value}" for key, value in attrs if key in ("src", "href")]

    def handle_startendtag(self, tag, attrs):
        self.faults += [f"loads {value}" for key, value in attrs if key in ("src", "href")]

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}> closes nothing")


def faults_of_text(text):
    tags = Tags()
    tags.feed(text)
    faults = tags.faults + [f"<{tag}> is not closed" for tag in tags.open]
    try:
        xml.dom.minidom.parseString(re.search(r"<math.*</math>", text, re.S).group(0))
    except (AttributeError, xml.parsers.expat.ExpatError) as error:
        faults.append(f"equations: {error}")
    return faults


def faults_in_browser(browser, page, width):
    copy = page.with_suffix(".read.html")
    copy.write_text(page.read_text().replace("</body>", READER))
    run = subprocess.run(
        [browser, "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--dump-dom",
         f"--window-size={width},1200", f"file://{copy}"], capture_output=True, text=True, timeout=120)
    faults = [line for line in run.stderr.splitlines() if "CONSOLE" in line]
    found = re.search(r'data-seen="([^"]*)"', run.stdout)
    if not found:
        return [*faults, "the page's script did not run"]
    seen = json.loads(found.group(1).replace("&quot;", '"'))
    if seen["charts"] == 0 or not re.search(r"\d", seen["told"]):
        faults.append(f"no curve that answers to the pointer: {seen}")
    if not seen["sorted"] or seen["equations"] < 20 or seen["spill"] > 0:
        faults.append(f"not sorted, no equations, or wider than the window: {seen}")
    return faults


def main(command, folder):
    folder.mkdir(parents=True, exist_ok=True)
    browser = shutil.which("chromium")
    faults = []
    for name, words in QUESTIONS.items():
        page = folder / f"{name}.html"
        subprocess.run([command, *words, "--quiet", "--report", page], check=True, capture_output=True)
        size = page.stat().st_size
        faults += [f"{page}: {fault}" for fault in faults_of_text(page.read_text())]
        if size > 300_000:
            faults.append(f"{page}: {size} bytes")
        if browser and name != "diagnosis":
            for width in (1000, 500):
                faults += [f"{page} at {width}: {fault}" for fault in faults_in_browser(browser, page, width)]
    for model in sorted((pathlib.Path(__file__).resolve().parent.parent / "models").glob("*.sde")):
        page = folder / "model.html"
        subprocess.run([command, "simulate", model, "--paths", "8", "--quiet", "--report", page],
                       check=True, capture_output=True)
        faults += [f"{model}: {fault}" for fault in faults_of_text(page.read_text())]
    print("\n".join(faults) or f"pages read{' by ' + browser if browser else ''}")
    return 1 if faults else 0


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1], pathlib.Path(sys.argv[2]).resolve()))
