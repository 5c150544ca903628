"""The Python that README.md and docs/ show runs, page by page from top to bottom."""

import contextlib
import io
import os
import re
import unittest

import matplotlib

matplotlib.use("Agg")
from support import ROOT, TestCase  # noqa: E402  (after the backend is settled)

BLOCK = re.compile(r"^```python\n(.*?)^```", re.M | re.S)


class Pages(TestCase):
    def test_every_block_runs(self):
        before = os.getcwd()
        self.addCleanup(os.chdir, before)
        os.chdir(self.folder)
        run = 0
        for page in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
            names = {}
            for block in BLOCK.finditer(page.read_text()):
                line = page.read_text()[:block.start()].count("\n") + 1
                with self.subTest(f"{page.name}:{line}"), contextlib.redirect_stdout(io.StringIO()):
                    exec(compile(block[1], f"{page.name}:{line}", "exec"), names)
                run += 1
        self.assertGreaterEqual(run, 7)


if __name__ == "__main__":
    unittest.main()
