#!/usr/bin/python3
"""The pages as a site: python3 tools/docs.py OUT

Warnings are errors, links that lead nowhere are warnings, and the site must load nothing from the
network. Where Debian's Chromium is installed, it opens the pages with formulas. Exit status: 0 made,
1 faults in the pages, 77 where docs/packages.txt is not installed.
"""

import html.parser
import importlib.util
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
NOT_INSTALLED = 77
# The pages keep the folders of the repository; a reader opens the site at its top.
FRONT = '<!doctype html><meta http-equiv="refresh" content="0; url=docs/index.html">\n'


class Loads(html.parser.HTMLParser):
    """Collects what a page makes the browser load from elsewhere."""

    def __init__(self):
        super().__init__()
        self.elsewhere = []

    def handle_starttag(self, tag, attrs):
        wanted = {"link": "href", "script": "src", "img": "src", "iframe": "src"}.get(tag)
        address = dict(attrs).get(wanted) or ""
        if "://" in address or address.startswith("//"):
            self.elsewhere.append(address)


def loads_from_elsewhere(out):
    faults = []
    for page in sorted(out.rglob("*.html")):
        parser = Loads()
        parser.feed(page.read_text(encoding="utf-8"))
        faults += [f"{page}: loads {address} from the network" for address in parser.elsewhere]
    for sheet in sorted(out.rglob("*.css")):
        if "url(http" in sheet.read_text(encoding="utf-8") or "@import url(//" in sheet.read_text():
            faults.append(f"{sheet}: loads from the network")
    return faults


def seen_by_a_browser(out, browser):
    """Opens the pages with formulas, and one without, in a browser: errors of scripts, and formulas
    that were left as text, are faults. A formula that KaTeX refuses is an error of the script."""
    faults = []
    for page in sorted(out.rglob("*.html")):
        formulas = page.read_text(encoding="utf-8").count('class="tex"')
        if formulas == 0 and page != out / "docs/index.html":
            continue
        seen = subprocess.run([browser, "--headless", "--no-sandbox", "--disable-gpu",
                               "--enable-logging=stderr", "--virtual-time-budget=5000", "--dump-dom",
                               page.as_uri()], capture_output=True, text=True, timeout=120)
        faults += [f"{page}: {line}" for line in seen.stderr.splitlines()
                   if ":CONSOLE" in line and "Uncaught" in line]
        drawn = seen.stdout.count('class="katex-html"')
        if drawn != formulas:
            faults.append(f"{page}: {drawn} of {formulas} formulas are drawn")
    return faults


def main(out):
    missing = [name for name in ("sphinx", "myst_parser", "furo") if importlib.util.find_spec(name) is None]
    if missing:
        print(f"docs: {sys.executable} has no {' and no '.join(missing)}: `make docs` installs what "
              "docs/packages.txt names.")
        return NOT_INSTALLED
    trees = out.with_name(out.name + ".trees")
    # -E: a page that was read before would not be warned of again.
    status = subprocess.run([sys.executable, "-m", "sphinx", "-W", "--keep-going", "-n", "-q", "-E",
                             "-b", "html", "-d", trees, "-c", ROOT / "docs", ROOT, out]).returncode
    if status == 0:
        (out / "index.html").write_text(FRONT)
    faults = loads_from_elsewhere(out)
    browser = shutil.which("chromium")
    if browser:
        faults += seen_by_a_browser(out, browser)
    for fault in faults:
        print(fault)
    if status or faults:
        return 1
    print(f"docs: {out / 'index.html'}")
    return 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(pathlib.Path(sys.argv[1]).resolve()))
